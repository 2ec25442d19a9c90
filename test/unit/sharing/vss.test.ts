import { keccak_256 } from '@noble/hashes/sha3.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { Prg } from '../../../core/base/random.ts'
import { g1 } from '../../../core/commitments/g1.ts'
import { commitVector } from '../../../core/commitments/pedersen.ts'
import { bn254Scalar as f } from '../../../core/field/fields.ts'
import {
  decodeCommitments,
  digestCommitments,
  encodeCommitments,
  encodedLength,
  hashCommitments,
  shareCommitment,
  sumOfConstants,
} from '../../../core/sharing/commitments.ts'
import { decodeShare, encodeShare } from '../../../core/sharing/encoding.ts'
import { reconstruct } from '../../../core/sharing/shamir.ts'
import type { VerifiableShare } from '../../../core/sharing/types.ts'
import { deal, findBadShares, reconstructVerified, verifyShare } from '../../../core/sharing/vss.ts'

const code = (expected: string) => expect.objectContaining({ code: expected })
const COUNT = 700 // more than one slice of work
const [n, t] = [5, 2]
const secrets = f.random(COUNT)
const { commitments, shares } = await deal(secrets, { n, t })

/** The share with `delta` added to the value (or mask) of secret k. */
function tamper(
  share: VerifiableShare,
  k: number,
  what: 'values' | 'masks' = 'values',
  delta = 1n,
): VerifiableShare {
  const numbers = f.toBigints(share[what])
  numbers[k]! += delta
  return { ...share, [what]: f.fromBigints(numbers) }
}

describe('Pedersen VSS', () => {
  it('every holder accepts, and any t + 1 reconstruct', async () => {
    for (const share of shares) expect(await verifyShare(share, commitments)).toBe(true)
    const r = await reconstructVerified([shares[4]!, shares[1]!, shares[2]!], commitments)
    expect(f.equal(r.secrets, secrets)).toBe(true)
    expect(r.bad).toEqual([])
    const plain = reconstruct(
      f,
      [2, 3, 4, 5],
      shares.slice(1).map((s) => s.values),
      t,
    )
    expect(f.equal(plain, secrets)).toBe(true)
  })

  it('C_0 commits to the secrets and the reconstructed masks', async () => {
    const r = await reconstructVerified(shares, commitments)
    expect(g1.equal(commitVector(r.secrets, r.masks), commitments.points[0]!)).toBe(true)
    const total = commitVector(f.sum(r.secrets), f.sum(r.masks))
    expect(sumOfConstants(commitments)).toEqual(g1.toBytes(total))
    const one = await deal(f.fromBigints([9n]), { n: 3, t: 1 })
    expect(sumOfConstants(one.commitments)).toEqual(g1.toBytes(one.commitments.points[0]!))
  })

  it('refuses a tampered value or mask at any place, and names it', async () => {
    for (const k of [0, 1, COUNT - 1])
      for (const what of ['values', 'masks'] as const) {
        const bad = tamper(shares[2]!, k, what)
        expect(await verifyShare(bad, commitments)).toBe(false)
        expect(await findBadShares(bad, commitments)).toEqual([k])
      }
    expect(await findBadShares(shares[2]!, commitments)).toEqual([])
  })

  it('refuses errors that cancel in a plain sum, swapped secrets, and another holder’s share', async () => {
    const cancelling = tamper(tamper(shares[0]!, 3, 'values', 1n), 4, 'values', -1n)
    expect(await verifyShare(cancelling, commitments)).toBe(false)
    const order = Uint32Array.from({ length: COUNT }, (_, i) => (i < 2 ? 1 - i : i))
    const swapped = {
      ...shares[0]!,
      values: f.gather(shares[0]!.values, order),
      masks: f.gather(shares[0]!.masks, order),
    }
    expect(await findBadShares(swapped, commitments)).toEqual([0, 1])
    expect(await verifyShare({ ...shares[0]!, index: 2 }, commitments)).toBe(false)
  })

  it('refuses commitments the dealer did not use', async () => {
    const other = await deal(secrets, { n, t })
    expect(await verifyShare(shares[0]!, other.commitments)).toBe(false)
  })

  it('ignores and names bad shares; fails when too few are left', async () => {
    const bad = tamper(shares[3]!, 5)
    const short = { ...shares[4]!, values: f.zeros(1) }
    const r = await reconstructVerified([bad, short, ...shares.slice(0, 3)], commitments)
    expect(r.bad).toEqual([4, 5])
    expect(f.equal(r.secrets, secrets)).toBe(true)
    await expect(reconstructVerified([bad, shares[0]!, shares[1]!], commitments)).rejects.toMatchObject({
      code: 'SHARES_TOO_FEW',
      details: { have: 2, need: 3, bad: '4' },
    })
    await expect(reconstructVerified([shares[0]!, shares[0]!, shares[1]!], commitments)).rejects.toThrow(
      code('SHARE_INDEX'),
    )
  })

  it('refuses indices that are 0 or out of range, and lengths that differ', async () => {
    for (const index of [0, -1, 65536, 0.5])
      await expect(verifyShare({ ...shares[0]!, index }, commitments)).rejects.toThrow(code('SHARE_INDEX'))
    await expect(verifyShare({ ...shares[0]!, masks: f.zeros(1) }, commitments)).rejects.toThrow(
      code('LENGTH_MISMATCH'),
    )
    expect(() => shareCommitment(commitments, 0, 0)).toThrow(code('SHARE_INDEX'))
    expect(() => shareCommitment(commitments, 1, COUNT)).toThrow(code('INVALID_ARGUMENT'))
    await expect(deal(f.zeros(0), { n, t })).rejects.toThrow(code('SHARING_PARAMETERS'))
    await expect(deal(secrets, { n: 2, t: 2 })).rejects.toThrow(code('SHARING_PARAMETERS'))
    await expect(deal(secrets, { n, t }, { masks: f.zeros(1) })).rejects.toThrow(code('LENGTH_MISMATCH'))
  })

  it('share commitments are commitments to the shares', () => {
    for (const index of [1, 5])
      for (const k of [0, COUNT - 1]) {
        const { values, masks } = shares[index - 1]!
        const expected = commitVector(f.slice(values, k, k + 1), f.slice(masks, k, k + 1))
        expect(shareCommitment(commitments, index, k)).toEqual(g1.toBytes(expected))
      }
  })

  it('yields, reports progress and stops when asked', async () => {
    const seen: number[] = []
    let turns = 0
    const timer = setImmediate(function turn() {
      turns++
      if (turns < 1000) setImmediate(turn)
    })
    await deal(secrets, { n, t }, { onProgress: (done, total) => seen.push(done / total) })
    clearImmediate(timer)
    expect(seen.at(-1)).toBe(1)
    expect(seen.length).toBeGreaterThan(1)
    expect(turns).toBeGreaterThanOrEqual(1)
    const abort = new AbortController()
    const stopped = deal(secrets, { n, t }, { signal: abort.signal, onProgress: () => abort.abort() })
    await expect(stopped).rejects.toThrow(code('CANCELLED'))
    await expect(verifyShare(shares[0]!, commitments, { signal: AbortSignal.abort() })).rejects.toThrow(
      code('CANCELLED'),
    )
  })
})

describe('encodings', () => {
  let encoded: Uint8Array
  beforeAll(async () => {
    encoded = await encodeCommitments(commitments)
  })

  it('of commitments are canonical and have a digest the chain can compute', async () => {
    const decoded = await decodeCommitments(encoded, { t, length: COUNT })
    expect(await encodeCommitments(decoded)).toEqual(encoded)
    expect(encoded.length).toBe(encodedLength(t, COUNT))
    expect(digestCommitments(encoded)).toEqual(keccak_256(encoded))
    const long = new Uint8Array((1 << 21) + 5).fill(7)
    expect(await hashCommitments(long)).toEqual(keccak_256(long))
    expect(await verifyShare(shares[1]!, decoded)).toBe(true)
  })

  it('of commitments are checked strictly', async () => {
    const change = (at: number, value: number) => {
      const copy = Uint8Array.from(encoded)
      copy[at] = value
      return copy
    }
    const bad = [
      new Uint8Array(0),
      encoded.subarray(0, 9),
      encoded.subarray(0, -1),
      Buffer.concat([encoded, new Uint8Array(1)]),
    ]
    bad.push(
      change(0, 0),
      change(5, 3),
      change(9, 1),
      Uint8Array.from([0x45, 0x56, 0x43, 0x31, 0, 2, 0, 0, 0, 0]),
    )
    for (const bytes of bad) await expect(decodeCommitments(bytes)).rejects.toThrow(code('SHARE_INVALID'))
    await expect(decodeCommitments(encoded, { t: 1 })).rejects.toThrow(code('SHARE_INVALID'))
    await expect(decodeCommitments(encoded, { length: 1 })).rejects.toThrow(code('SHARE_INVALID'))
    await expect(decodeCommitments(change(encoded.length - 1, encoded.at(-1)! ^ 1))).rejects.toThrow(
      code('POINT_INVALID'),
    )
  })

  it('of shares round-trip and are checked strictly', () => {
    const bytes = encodeShare(shares[3]!)
    const back = decodeShare(bytes, { index: 4, length: COUNT })
    expect(encodeShare(back)).toEqual(bytes)
    const zero = Uint8Array.from(bytes)
    zero[5] = 0
    expect(() => decodeShare(zero)).toThrow(code('SHARE_INDEX'))
    const range = Uint8Array.from(bytes).fill(255, bytes.length - 32)
    expect(() => decodeShare(range)).toThrow(code('FIELD_RANGE'))
    for (const bad of [
      new Uint8Array(3),
      bytes.subarray(1),
      bytes.subarray(0, -32),
      Buffer.concat([bytes, bytes]),
    ])
      expect(() => decodeShare(bad)).toThrow(code('SHARE_INVALID'))
    expect(() => decodeShare(bytes, { index: 3 })).toThrow(code('SHARE_INVALID'))
    expect(() => decodeShare(bytes, { length: 3 })).toThrow(code('SHARE_INVALID'))
  })

  it('are stable: a fixed seed gives a fixed digest', async () => {
    const prg = new Prg(new Uint8Array(32).fill(3))
    const { commitments: fixed } = await deal(f.fromBigints([1n, 2n, 3n]), { n: 3, t: 1 }, { prg })
    expect(
      Buffer.from(digestCommitments(await encodeCommitments(fixed))).toString('hex'),
    ).toMatchInlineSnapshot(`"7c6d3d75cd2215da856aee0b05d49bedaf40e1761d43f11f14c2b8cf26154937"`)
  })
})
