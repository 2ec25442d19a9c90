import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { g1 } from '../../../core/commitments/g1.ts'
import { commitVector, pedersen } from '../../../core/commitments/pedersen.ts'
import { bn254Scalar as f } from '../../../core/field/fields.ts'
import type { WasmBlock } from '../../../core/kernel/wasm.ts'
import {
  decodeCommitments,
  encodeCommitments,
  freeCommitments,
  shareCommitments,
} from '../../../core/sharing/commitments.ts'
import { recoverShare, splitForRecovery, sumForRecovery } from '../../../core/sharing/recovery.ts'
import { reshare, verifyConstants } from '../../../core/sharing/reshare.ts'
import { reconstruct, shareVector } from '../../../core/sharing/shamir.ts'
import {
  deal,
  findBadShares,
  freeShare,
  reconstructVerified,
  verifyShare,
} from '../../../core/sharing/vss.ts'

const memories = [(f.zeros(1) as WasmBlock).memory, (g1.zeros(1) as WasmBlock).memory]
const used = () => memories.map((m) => m.used)
commitVector(f.zeros(1), f.zeros(1)).free() // the tables stay

/** Runs `work`, frees what it returns, and expects that nothing else stayed allocated. */
async function balanced(work: () => unknown): Promise<void> {
  const before = used()
  const results = [await work()].flat(3) as { free?: () => void }[]
  for (const r of results) r?.free?.()
  expect(used()).toEqual(before)
}

describe('kernel memory', () => {
  const a = f.random(300)
  const b = f.random(300)
  const points = commitVector(a, b)

  it('is returned by every operation of a field', async () => {
    await balanced(() => [f.add(a, b), f.sub(a, b), f.neg(a), f.mul(a, b), f.mulAdd(a, b, a), f.scale(a, 3n)])
    await balanced(() => [
      f.inner(a, b),
      f.sum(a),
      f.linear([1n, 2n], [a, b]),
      f.inverse(a),
      f.random(40_000),
    ])
    await balanced(() => [
      f.evaluate([a, b], 3n),
      f.evaluate([a, b], -3n),
      f.fromBytes(f.toBytes(a)),
      f.concat([a, b]),
    ])
    await balanced(() => [
      f.slice(a, 1, 2),
      f.gather(a, new Uint32Array(9)),
      f.fromBigints(f.toBigints(a)),
      f.equal(a, b),
    ])
    await balanced(() => {
      expect(() => f.fromBytes(new Uint8Array(64).fill(255))).toThrow()
    })
  })

  it('is returned by every operation on points', async () => {
    await balanced(() => [g1.add(points, points), g1.sub(points, points), g1.sum(points), g1.msm(points, a)])
    await balanced(() => [
      g1.scale(points, 9n),
      g1.scaleEach(points, a),
      g1.slice(points, 1, 3),
      g1.concat([points]),
    ])
    await balanced(() => [g1.fromBytes(g1.toBytes(points)), g1.fromCompressed(g1.toCompressed(points))])
    await balanced(() => [g1.isZero(points), pedersen.mismatches(points, a, b), commitVector(a, b)])
    await balanced(() => {
      expect(() => g1.fromBytes(new Uint8Array(64).fill(1))).toThrow()
    })
  })

  it('is returned by sharing, checking, re-sharing and recovery', async () => {
    await balanced(() => shareVector(f, a, { n: 5, t: 2 }))
    const plain = shareVector(f, a, { n: 5, t: 2 })
    await balanced(() => reconstruct(f, [1, 2, 3, 4, 5], plain, 2))
    await balanced(async () => {
      const { commitments, shares } = await deal(a, { n: 3, t: 1 })
      freeCommitments(commitments)
      shares.forEach(freeShare)
    })
    const { commitments, shares } = await deal(a, { n: 3, t: 1 })
    await balanced(() => verifyShare(shares[0]!, commitments))
    await balanced(() => findBadShares({ ...shares[0]!, index: 3 }, commitments))
    await balanced(() => shareCommitments(commitments, 3))
    await balanced(async () => freeCommitments(await decodeCommitments(await encodeCommitments(commitments))))
    await balanced(async () => {
      const r = await reconstructVerified(shares, commitments)
      return [r.secrets, r.masks]
    })
    const resharing = { from: [1, 3], to: { n: 2, t: 1 } }
    await balanced(async () => {
      const d = await reshare(shares[0]!, 1, resharing)
      expect(await verifyConstants(1, d.commitments, commitments, resharing)).toBe(true)
      freeCommitments(d.commitments)
      d.shares.forEach(freeShare)
    })
    const recovery = { helpers: [1, 3], target: 2 }
    await balanced(async () => {
      const pieces = [shares[0]!, shares[2]!].map((s) => splitForRecovery(s, 1, recovery))
      const sums = recovery.helpers.map((h, k) =>
        sumForRecovery(h, [pieces[0]![k]!, pieces[1]![k]!], recovery),
      )
      freeShare(await recoverShare(sums, recovery, commitments))
      for (const s of [...pieces.flat(), ...sums]) freeShare(s)
    })
  })

  it('is cleared when it is freed', () => {
    const secret = f.fromBigints([123456789n]) as WasmBlock
    const { at, memory } = secret
    expect(memory.bytes(at, 32).some((x) => x !== 0)).toBe(true)
    secret.free()
    expect(memory.bytes(at, 32).every((x) => x === 0)).toBe(true)
  })

  it('comes back from vectors that are dropped without free', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const before = memories[0]!.used
    const drop = () => {
      for (let i = 0; i < 100; i++) f.zeros(10_000)
    }
    drop()
    expect(memories[0]!.used).toBeGreaterThan(before + 100 * 320_000 - 1)
    for (let i = 0; i < 50 && memories[0]!.used > before; i++) {
      collect()
      await setTimeout(5)
    }
    expect(memories[0]!.used).toBeLessThanOrEqual(before)
  })
})
