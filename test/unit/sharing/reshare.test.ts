import { describe, expect, it } from 'vitest'
import { g1 } from '../../../core/commitments/g1.ts'
import { bn254Scalar as f } from '../../../core/field/fields.ts'
import { addCommitments, sumOfConstants } from '../../../core/sharing/commitments.ts'
import { recoverShare, splitForRecovery, sumForRecovery } from '../../../core/sharing/recovery.ts'
import {
  addToShare,
  combineCommitments,
  combinePieces,
  dealZero,
  findBadPieces,
  type Piece,
  type Resharing,
  reshare,
  sharesZero,
  verifyConstants,
} from '../../../core/sharing/reshare.ts'
import { reconstruct } from '../../../core/sharing/shamir.ts'
import type { VerifiableShare } from '../../../core/sharing/types.ts'
import { type Dealing, deal, reconstructVerified, verifyShare } from '../../../core/sharing/vss.ts'

const code = (expected: string) => expect.objectContaining({ code: expected })
const secrets = f.fromBigints([1n, -5n, 0n, 1n << 200n])
const source = await deal(secrets, { n: 5, t: 2 })
const resharing: Resharing = { from: [4, 1, 5], to: { n: 4, t: 1 } }
const contributions = new Map<number, Dealing>()
for (const i of resharing.from) contributions.set(i, await reshare(source.shares[i - 1]!, 2, resharing))

const piecesOf = (member: number, dealings = contributions): Piece[] =>
  [...dealings].map(([sender, d]) => ({ sender, share: d.shares[member - 1]!, commitments: d.commitments }))
const check = (member: number, pieces: readonly Piece[]) =>
  findBadPieces(member, pieces, source.commitments, resharing)

describe('verifiable re-sharing', () => {
  it('gives the committee the same secrets under the same C_0', async () => {
    const shares: VerifiableShare[] = []
    for (let member = 1; member <= 4; member++) {
      expect(await check(member, piecesOf(member))).toEqual([])
      shares.push(combinePieces(piecesOf(member), resharing))
    }
    const commitments = combineCommitments([...contributions.values()].map((d) => d.commitments))
    expect(g1.equal(commitments.points[0]!, source.commitments.points[0]!)).toBe(true)
    expect(sumOfConstants(commitments)).toEqual(sumOfConstants(source.commitments))
    for (const share of shares) expect(await verifyShare(share, commitments)).toBe(true)
    const r = await reconstructVerified([shares[3]!, shares[1]!], commitments)
    expect(f.equal(r.secrets, secrets)).toBe(true)
  })

  it('names the sender of a wrong, missing, doubled or misdirected piece', async () => {
    const with1 = (piece: Partial<Piece>) => piecesOf(2).map((p) => (p.sender === 1 ? { ...p, ...piece } : p))
    const own = contributions.get(1)!
    const wrongValue = {
      ...own.shares[1]!,
      values: f.add(own.shares[1]!.values, f.fromBigints([0n, 0n, 0n, 1n])),
    }
    expect(await check(2, with1({ share: wrongValue }))).toEqual([1])
    expect(await check(2, with1({ share: own.shares[2]! }))).toEqual([1])
    expect(await check(2, with1({ share: { ...own.shares[1]!, values: f.zeros(1) } }))).toEqual([1])
    expect(await check(2, with1({ commitments: contributions.get(4)!.commitments }))).toEqual([1])
    expect(
      await check(
        2,
        piecesOf(2).filter((p) => p.sender !== 5),
      ),
    ).toEqual([5])
    expect(await check(2, [...piecesOf(2), piecesOf(2)[0]!])).toEqual([4])
  })

  it('names a holder that deals, consistently, another value than its share', async () => {
    const lying = {
      ...source.shares[0]!,
      values: f.add(source.shares[0]!.values, f.fromBigints([0n, 1n, 0n, 0n])),
    }
    const dealings = new Map(contributions).set(1, await reshare(lying, 2, resharing))
    expect(await verifyShare(dealings.get(1)!.shares[1]!, dealings.get(1)!.commitments)).toBe(true)
    expect(await check(2, piecesOf(2, dealings))).toEqual([1])
    expect(await verifyConstants(1, dealings.get(1)!.commitments, source.commitments, resharing)).toBe(false)
  })

  it('refuses a contribution of a higher degree, which the committee could not open', async () => {
    const wide = await reshare(source.shares[0]!, 2, { ...resharing, to: { n: 4, t: 3 } })
    expect(await check(2, piecesOf(2, new Map(contributions).set(1, wide)))).toEqual([1])
  })

  it('refuses too few holders, strangers and incomplete sums', async () => {
    await expect(reshare(source.shares[0]!, 2, { ...resharing, from: [1, 4] })).rejects.toThrow(
      code('SHARING_PARAMETERS'),
    )
    await expect(reshare(source.shares[1]!, 2, resharing)).rejects.toThrow(code('SHARE_INDEX'))
    await expect(reshare(source.shares[0]!, 2, { ...resharing, from: [1, 4, 4] })).rejects.toThrow(
      code('SHARE_INDEX'),
    )
    expect(() => combinePieces(piecesOf(1).slice(1), resharing)).toThrow(code('SHARES_TOO_FEW'))
    expect(() => combinePieces([...piecesOf(1).slice(1), piecesOf(2)[0]!], resharing)).toThrow(
      code('SHARE_INDEX'),
    )
  })
})

describe('proactive refresh', () => {
  it('keeps the secrets and makes old shares useless', async () => {
    const zeros = [await dealZero(4, { n: 5, t: 2 }), await dealZero(4, { n: 5, t: 2 })]
    for (const z of zeros) expect(sharesZero(z.commitments)).toBe(true)
    const commitments = addCommitments([source.commitments, ...zeros.map((z) => z.commitments)])
    const fresh = source.shares.map((s, i) =>
      addToShare(
        s,
        zeros.map((z) => z.shares[i]!),
      ),
    )
    for (const s of fresh) expect(await verifyShare(s, commitments)).toBe(true)
    const values = fresh.map((s) => s.values)
    expect(f.equal(reconstruct(f, [1, 2, 3, 4, 5], values, 2), secrets)).toBe(true)
    const mixed = [source.shares[0]!.values, ...values.slice(1)]
    expect(() => reconstruct(f, [1, 2, 3, 4, 5], mixed, 2)).toThrow(code('SHARE_INVALID'))
  })

  it('refuses a sharing of anything else, and shares of others', async () => {
    expect(sharesZero(source.commitments)).toBe(false)
    const mostly = await deal(f.fromBigints([0n, 0n, 1n, 0n]), { n: 5, t: 2 }, { masks: f.zeros(4) })
    expect(sharesZero(mostly.commitments)).toBe(false)
    const zero = await dealZero(4, { n: 5, t: 2 })
    expect(() => addToShare(source.shares[0]!, [zero.shares[1]!])).toThrow(code('SHARE_INDEX'))
    const short = await dealZero(1, { n: 5, t: 2 })
    expect(() => addToShare(source.shares[0]!, [short.shares[0]!])).toThrow(code('LENGTH_MISMATCH'))
    expect(() => addCommitments([source.commitments, short.commitments])).toThrow(code('LENGTH_MISMATCH'))
  })
})

describe('share recovery', () => {
  const recovery = { helpers: [5, 1, 3], target: 2 }
  const run = (shareOf: (i: number) => VerifiableShare = (i) => source.shares[i - 1]!) => {
    const pieces = recovery.helpers.map((i) => splitForRecovery(shareOf(i), 2, recovery))
    const sums = recovery.helpers.map((h, k) =>
      sumForRecovery(
        h,
        pieces.map((p) => p[k]!),
        recovery,
      ),
    )
    return { pieces, sums }
  }

  it('rebuilds exactly the lost share, also for a new index', async () => {
    const share = await recoverShare(run().sums, recovery, source.commitments)
    expect(f.equal(share.values, source.shares[1]!.values)).toBe(true)
    expect(f.equal(share.masks, source.shares[1]!.masks)).toBe(true)
    expect(share.index).toBe(2)
  })

  it('shows the replacement a uniform sharing, not the helpers’ terms', () => {
    const a = run().sums
    const b = run().sums
    a.forEach((s, k) => {
      expect(f.equal(s.values, b[k]!.values)).toBe(false)
    })
  })

  it('fails closed when a helper lies', async () => {
    const lying = {
      ...source.shares[0]!,
      masks: f.add(source.shares[0]!.masks, f.fromBigints([1n, 0n, 0n, 0n])),
    }
    const { sums } = run((i) => (i === 1 ? lying : source.shares[i - 1]!))
    await expect(recoverShare(sums, recovery, source.commitments)).rejects.toThrow(code('SHARE_INVALID'))
  })

  it('refuses wrong helpers, targets, counts and lengths', async () => {
    const share = source.shares[0]!
    expect(() => splitForRecovery(share, 2, { helpers: [1, 2, 3, 4], target: 5 })).toThrow(
      code('SHARING_PARAMETERS'),
    )
    expect(() => splitForRecovery(share, 2, { helpers: [2, 3, 4], target: 5 })).toThrow(code('SHARE_INDEX'))
    expect(() => splitForRecovery(share, 2, { helpers: [1, 2, 3], target: 3 })).toThrow(code('SHARE_INDEX'))
    expect(() => splitForRecovery(share, 2, { helpers: [1, 2, 3], target: 0 })).toThrow(code('SHARE_INDEX'))
    const { pieces, sums } = run()
    expect(() => sumForRecovery(5, [pieces[0]![0]!, pieces[1]![0]!], recovery)).toThrow(
      code('SHARES_TOO_FEW'),
    )
    expect(() => sumForRecovery(5, [pieces[0]![0]!, pieces[1]![0]!, pieces[2]![1]!], recovery)).toThrow(
      code('SHARE_INDEX'),
    )
    await expect(recoverShare(sums.slice(1), recovery, source.commitments)).rejects.toThrow(
      code('SHARES_TOO_FEW'),
    )
    await expect(recoverShare([sums[0]!, sums[0]!, sums[1]!], recovery, source.commitments)).rejects.toThrow(
      code('SHARE_INDEX'),
    )
    const short = { ...sums[0]!, values: f.zeros(1) }
    await expect(recoverShare([short, ...sums.slice(1)], recovery, source.commitments)).rejects.toThrow(
      code('LENGTH_MISMATCH'),
    )
  })
})
