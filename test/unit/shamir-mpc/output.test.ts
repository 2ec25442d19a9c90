import { describe, expect, it } from 'vitest'
import { reconstructOutput } from '../../../core/shamir-mpc/output.ts'
import type { OutputShare } from '../../../core/shamir-mpc/types.ts'
import { deal, field } from './committee.ts'

const secret = [5n, -7n, 1n << 200n, 0n].map(field.scalar.reduce)
const sharesOf = (n: number, t: number): OutputShare[] =>
  deal([secret], n, t).map(([values], index) => ({ index, values: values! }))

/** Changes one element of a share. */
function spoil(share: OutputShare, at = 2): OutputShare {
  const values = field.toBigints(share.values)
  values[at]! += 1n
  return { index: share.index, values: field.fromBigints(values) }
}

describe('reconstruction at the requester', () => {
  it.each([
    [3, 1],
    [5, 2],
    [9, 4],
  ])('n = %i, t = %i: any t + 1 shares in any order', async (n, t) => {
    const shares = sharesOf(n, t).reverse()
    for (let from = 0; from + t + 1 <= n; from++) {
      const { values, inconsistent } = await reconstructOutput(field, shares.slice(from, from + t + 1), t)
      expect(field.toBigints(values)).toEqual(secret)
      expect(inconsistent).toEqual([])
    }
  })

  it.each([
    [4, 1, [2]],
    [5, 2, []],
    [5, 2, [4]],
    [7, 2, [0, 6]],
    [7, 3, [4]],
    [9, 2, [1, 2, 8]],
    [10, 3, [3, 5, 9]],
  ])('n = %i, t = %i: leaves out and names wrong parties %j', async (n, t, wrong) => {
    // Each lies about another element.
    const shares = sharesOf(n, t).map((s, i) => (wrong.includes(i) ? spoil(s, i % 4) : s))
    const { values, inconsistent } = await reconstructOutput(field, shares, t)
    expect(field.toBigints(values)).toEqual(secret)
    expect(inconsistent).toEqual(wrong)
  })

  it.each([
    [3, 1, [1]],
    [4, 2, [3]],
    [5, 2, [0, 1]],
    [7, 2, [0, 1, 2]],
    [7, 3, [0, 1]],
  ])('n = %i, t = %i: refuses when %j are wrong and nobody can be named', async (n, t, wrong) => {
    const shares = sharesOf(n, t).map((s, i) => (wrong.includes(i) ? spoil(s) : s))
    await expect(reconstructOutput(field, shares, t)).rejects.toMatchObject({ code: 'SHARE_INVALID' })
  })

  it('validates what arrived', async () => {
    const shares = sharesOf(5, 2)
    const code = (list: OutputShare[]) => reconstructOutput(field, list, 2).then(String, (e) => e.code)
    expect(await code(shares.slice(0, 2))).toBe('SHARES_TOO_FEW')
    expect(await code([])).toBe('SHARES_TOO_FEW')
    expect(await code([shares[0]!, shares[1]!, shares[1]!])).toBe('SHARE_INDEX')
    expect(await code([...shares.slice(0, 2), { ...shares[2]!, index: -1 }])).toBe('SHARE_INDEX')
    expect(await code([...shares.slice(0, 2), { ...shares[2]!, index: 2.5 }])).toBe('SHARE_INDEX')
    const short = { index: 2, values: field.slice(shares[2]!.values, 0, 3) }
    expect(await code([...shares.slice(0, 2), short])).toBe('LENGTH_MISMATCH')
  })
})
