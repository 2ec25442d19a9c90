import { EnigmaError } from '../base/errors.ts'
import type { Prg } from '../base/random.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'

/** n vectors that add up to `secrets`; any n − 1 of them are uniform. Throws SHARING_PARAMETERS unless n ≥ 1. */
export function shareAdditively(
  field: PrimeField,
  secrets: FieldVector,
  n: number,
  prg?: Prg,
): FieldVector[] {
  if (!Number.isInteger(n) || n < 1)
    throw new EnigmaError('SHARING_PARAMETERS', `cannot share additively among ${n}`)
  const shares = Array.from({ length: n - 1 }, () => field.random(secrets.length, prg))
  const last = field.linear([1n, ...shares.map(() => -1n)], [secrets, ...shares])
  return [last, ...shares]
}

/** The sum of the shares; all must have one length (LENGTH_MISMATCH), and there must be one (SHARES_TOO_FEW). */
export function reconstructAdditively(field: PrimeField, shares: readonly FieldVector[]): FieldVector {
  if (shares.length === 0) throw new EnigmaError('SHARES_TOO_FEW', 'no shares')
  if (shares.some((s) => s.length !== shares[0]!.length))
    throw new EnigmaError('LENGTH_MISMATCH', 'additive shares of different lengths')
  return field.linear(
    shares.map(() => 1n),
    shares,
  )
}
