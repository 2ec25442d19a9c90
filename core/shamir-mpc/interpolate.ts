import type { PrimeField } from '../field/types.ts'

/** The evaluation point of party `index` (0-based). */
export const point = (index: number) => BigInt(index + 1)

/**
 * Coefficients c_j with q(at) = Σ c_j·q(xs[j]) for every q of degree < xs.length. Unlike the field's own, the
 * points may include 0, where a dealer fixes its secret.
 */
export function coefficients(field: PrimeField, xs: readonly bigint[], at: bigint): bigint[] {
  const { mul, inverse, reduce } = field.scalar
  return xs.map((x, j) => {
    let numerator = 1n
    let denominator = 1n
    xs.forEach((other, k) => {
      if (k === j) return
      numerator = mul(numerator, reduce(at - other))
      denominator = mul(denominator, reduce(x - other))
    })
    return mul(numerator, inverse(denominator))
  })
}

/** All subsets of {0, …, n − 1} of the given size, in lexicographic order. */
export function subsets(n: number, size: number): number[][] {
  if (size === 0) return [[]]
  const out: number[][] = []
  const extend = (from: number, chosen: number[]) => {
    if (chosen.length === size) {
      out.push(chosen)
      return
    }
    for (let i = from; i <= n - (size - chosen.length); i++) extend(i + 1, [...chosen, i])
  }
  extend(0, [])
  return out
}
