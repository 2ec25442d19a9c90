import type { FieldVector, PrimeField } from '../field/types.ts'
import { point } from './interpolate.ts'

/**
 * A fresh Shamir sharing of degree t of every element (paper §5.1.1, formulas 1–3); share j belongs to the
 * party at x = j + 1. The caller frees the shares.
 */
export function shamirShares(field: PrimeField, values: FieldVector, n: number, t: number): FieldVector[] {
  const random = Array.from({ length: t }, () => field.random(values.length))
  const shares = Array.from({ length: n }, (_, j) => field.evaluate([values, ...random], point(j)))
  for (const r of random) r.free()
  return shares
}
