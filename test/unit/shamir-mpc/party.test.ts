import { afterEach, describe, expect, it } from 'vitest'
import { reconstructOutput } from '../../../core/shamir-mpc/output.ts'
import type { DegreeReduction } from '../../../core/shamir-mpc/types.ts'
import { deal, field, openCommittee, type TestCommittee } from './committee.ts'

let open: TestCommittee | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

const range = (n: number, f: (i: number) => bigint) => Array.from({ length: n }, (_, i) => f(i))
const reductions: DegreeReduction[] = ['reshare', 'king']

describe.each(reductions)('multiplication by %s', (degreeReduction) => {
  it.each([
    [3, 1],
    [4, 1],
    [5, 2],
    [7, 3],
    [7, 2],
    [9, 4],
  ])('n = %i, t = %i: products and inner products in one round', async (n, t) => {
    open = await openCommittee(n, t, { degreeReduction, chunk: 7 })
    const a = range(40, (i) => BigInt(i) ** 20n)
    const b = range(40, (i) => -(BigInt(i + 1) ** 30n))
    const shares = deal([a, b], n, t)
    const before = open.parties[0]!.traffic().rounds
    const results = await Promise.all(
      open.parties.map((p, i) => {
        const [x, y] = shares[i]!
        return p.multiply([
          { op: 'mul', a: x!, b: y! },
          { op: 'inner', a: x!, b: y! },
          { op: 'mul', a: x!, b: x! },
        ])
      }),
    )
    expect(open.parties[0]!.traffic().rounds - before).toBe(1)
    const expected = [
      a.map((v, i) => field.scalar.reduce(v * b[i]!)),
      [field.scalar.reduce(a.reduce((sum, v, i) => sum + v * b[i]!, 0n))],
      a.map((v) => field.scalar.reduce(v * v)),
    ]
    for (const [k, want] of expected.entries()) {
      // Degree t: any t + 1 shares, and all n agree.
      const all = results.map((r, index) => ({ index, values: r[k]! }))
      const { values, inconsistent } = await reconstructOutput(field, all, t)
      expect(inconsistent).toEqual([])
      expect(field.toBigints(values)).toEqual(want)
      const last = await reconstructOutput(field, all.slice(n - t - 1), t)
      expect(field.toBigints(last.values)).toEqual(want)
    }
    const opened = await Promise.all(open.parties.map((p, i) => p.open(results[i]![0]!)))
    for (const o of opened) expect(field.toBigints(o)).toEqual(expected[0])
  })
})
