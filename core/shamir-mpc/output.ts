import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { decodeErrors } from './decode.ts'
import { coefficients, point } from './interpolate.ts'
import type { OutputShare, Reconstruction } from './types.ts'

/**
 * The requester's half of a job: reconstructs vectors of degree t from the shares that arrived, in any order.
 * With k > t + 1 shares all must lie on one polynomial. Up to ⌊(k − t − 1) / 2⌋ wrong parties are found (unique
 * decoding, on a random linear combination of the elements: a wrong vector escapes with probability below
 * 2^-240, and every element is checked afterwards) and left out; more wrong parties than that, in collusion, can
 * go unnoticed. Throws SHARES_TOO_FEW below t + 1,
 * SHARE_INDEX on duplicates, LENGTH_MISMATCH on unequal lengths, SHARE_INVALID when the shares disagree and
 * nobody can be named.
 */
export async function reconstructOutput(
  field: PrimeField,
  shares: readonly OutputShare[],
  t: number,
): Promise<Reconstruction> {
  const length = shares[0]?.values.length ?? 0
  if (shares.length < t + 1)
    throw new EnigmaError('SHARES_TOO_FEW', `${shares.length} shares arrived; ${t + 1} are needed`)
  const seen = new Set<number>()
  for (const { index, values } of shares) {
    if (!Number.isSafeInteger(index) || index < 0 || seen.has(index))
      throw new EnigmaError('SHARE_INDEX', `share index ${index} is invalid or occurs twice`)
    seen.add(index)
    if (values.length !== length)
      throw new EnigmaError('LENGTH_MISMATCH', `shares of ${length} and ${values.length} values`)
  }
  if (await consistent(field, shares, t)) return { values: interpolate(field, shares, t), inconsistent: [] }

  const weights = field.random(length)
  const points = shares.map(({ index }) => point(index))
  const combined = shares.map(({ values }) => {
    const inner = field.inner(values, weights)
    const value = field.toBigints(inner)[0]!
    inner.free()
    return value
  })
  weights.free()
  const wrong = decodeErrors(field, points, combined, t)
  const good = wrong && shares.filter((_, k) => !wrong.includes(k))
  if (!wrong || !good || !(await consistent(field, good, t)))
    throw new EnigmaError(
      'SHARE_INVALID',
      `the ${shares.length} shares disagree, and too few are left to tell which`,
    )
  const inconsistent = wrong.map((k) => shares[k]!.index).sort((a, b) => a - b)
  return { values: interpolate(field, good, t), inconsistent }
}

function interpolate(field: PrimeField, shares: readonly OutputShare[], t: number): FieldVector {
  const used = shares.slice(0, t + 1)
  const xs = used.map(({ index }) => point(index))
  return field.linear(
    coefficients(field, xs, 0n),
    used.map((s) => s.values),
  )
}

/** Whether every share beyond the first t + 1 lies on their polynomial, element by element. */
async function consistent(field: PrimeField, shares: readonly OutputShare[], t: number): Promise<boolean> {
  const used = shares.slice(0, t + 1)
  const xs = used.map(({ index }) => point(index))
  for (const extra of shares.slice(t + 1)) {
    await turn()
    const expected = field.linear(
      coefficients(field, xs, point(extra.index)),
      used.map((s) => s.values),
    )
    const same = field.equal(expected, extra.values)
    expected.free()
    if (!same) return false
  }
  return true
}
