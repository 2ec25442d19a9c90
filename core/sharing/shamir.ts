import { EnigmaError } from '../base/errors.ts'
import type { Prg } from '../base/random.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { MAX_INDEX, type SharingParameters } from './types.ts'

/** Throws SHARING_PARAMETERS unless 0 ≤ t < n ≤ MAX_INDEX, both integers. */
export function checkParameters({ n, t }: SharingParameters): void {
  if (!Number.isInteger(n) || !Number.isInteger(t) || t < 0 || t >= n || n > MAX_INDEX)
    throw new EnigmaError('SHARING_PARAMETERS', `no sharing among n = ${n} with t = ${t}`)
}

/** Throws SHARE_INDEX unless every index is an integer from 1 to MAX_INDEX and none occurs twice. */
export function checkIndices(indices: readonly number[]): void {
  for (const i of indices)
    if (!Number.isInteger(i) || i < 1 || i > MAX_INDEX)
      throw new EnigmaError('SHARE_INDEX', `${i} is not an index from 1 to ${MAX_INDEX}`)
  if (new Set(indices).size !== indices.length) throw new EnigmaError('SHARE_INDEX', 'an index occurs twice')
}

/** λ_i with q(at) = Σ λ_i·q(indices_i) for every q of degree < indices.length. Throws SHARE_INDEX. */
export function lagrangeCoefficients(field: PrimeField, indices: readonly number[], at = 0): bigint[] {
  checkIndices(indices)
  return field.scalar.lagrange(indices.map(BigInt), BigInt(at))
}

/**
 * Shamir's sharing (paper §5.1.1, formulas 1–3): one vector for each party 1…n, entry k being q_k(i) for a uniform
 * q_k of degree t with q_k(0) = secrets[k]. Throws SHARING_PARAMETERS.
 */
export function shareVector(
  field: PrimeField,
  secrets: FieldVector,
  parameters: SharingParameters,
  prg?: Prg,
): FieldVector[] {
  checkParameters(parameters)
  const { n, t } = parameters
  const random = Array.from({ length: t }, () => field.random(secrets.length, prg))
  try {
    const coefficients = [secrets, ...random]
    return Array.from({ length: n }, (_, i) => field.evaluate(coefficients, BigInt(i + 1)))
  } finally {
    for (const c of random) c.free()
  }
}

/**
 * The secrets from t + 1 or more shares; shares[k] belongs to indices[k]. Shares beyond t + 1 are checked against
 * the rest: SHARE_INVALID if they do not lie on polynomials of degree t (it cannot be known who is wrong; use a
 * verifiable sharing for that). Throws SHARE_INDEX, SHARES_TOO_FEW, LENGTH_MISMATCH. `at` asks for another point.
 */
export function reconstruct(
  field: PrimeField,
  indices: readonly number[],
  shares: readonly FieldVector[],
  t: number,
  at = 0,
): FieldVector {
  checkIndices(indices)
  if (indices.length !== shares.length)
    throw new EnigmaError('LENGTH_MISMATCH', `${indices.length} indices for ${shares.length} shares`)
  if (!Number.isInteger(t) || t < 0) throw new EnigmaError('SHARING_PARAMETERS', `no degree t = ${t}`)
  if (shares.length <= t)
    throw new EnigmaError('SHARES_TOO_FEW', `${shares.length} shares, ${t + 1} are needed`, {
      details: { have: shares.length, need: t + 1 },
    })
  const length = shares[0]!.length
  if (shares.some((s) => s.length !== length))
    throw new EnigmaError('LENGTH_MISMATCH', 'shares of different lengths')
  const base = indices.slice(0, t + 1)
  const baseShares = shares.slice(0, t + 1)
  for (let k = t + 1; k < shares.length; k++) {
    const expected = field.linear(lagrangeCoefficients(field, base, indices[k]!), baseShares)
    const consistent = field.equal(expected, shares[k]!)
    expected.free()
    if (!consistent)
      throw new EnigmaError('SHARE_INVALID', `the share of party ${indices[k]} contradicts the others`)
  }
  return field.linear(lagrangeCoefficients(field, base, at), baseShares)
}
