import type { Prg } from '../base/random.ts'
import { g1 } from '../commitments/g1.ts'
import type { CommitmentVector, PointVector } from '../commitments/types.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import type { FieldVector } from '../field/types.ts'

/** Bits of the random coefficients of a batched check: something false passes with probability 2^-128. */
export const CHECK_BITS = 128
/** Points multiplied between two turns of the event loop: some 20 ms. */
export const CHECK_SLICE = 4096

/** `length` random coefficients below 2^CHECK_BITS. */
export function checkCoefficients(length: number, prg: Prg): FieldVector {
  const bytes = new Uint8Array(32 * length)
  const random = prg.bytes((CHECK_BITS / 8) * length)
  for (let i = 0; i < length; i++) bytes.set(random.subarray(16 * i, 16 * i + 16), 32 * i)
  return field.fromBytes(bytes)
}

/** One point for each vector: Σ_i ρ_i·vectors[k][from + i]. */
export function combineRows(
  vectors: readonly CommitmentVector[],
  from: number,
  rho: FieldVector,
): PointVector {
  const sums = vectors.map((p) => {
    const part = g1.slice(p, from, from + rho.length)
    const sum = g1.msm(part, rho, CHECK_BITS)
    part.free()
    return sum
  })
  const row = g1.concat(sums)
  for (const s of sums) s.free()
  return row
}

/** Σ_k x^k·points_k for the points of one vector. */
export function evaluatePoints(points: PointVector, x: number): PointVector {
  const powers = Array.from({ length: points.length }, (_, k) => BigInt(x) ** BigInt(k))
  const bits = powers.at(-1)!.toString(2).length
  const scalars = field.fromBigints(powers)
  const sum = bits < 254 ? g1.msm(points, scalars, bits) : g1.msm(points, scalars)
  scalars.free()
  return sum
}

/** Frees each of several vectors of elements or points. */
export function freeAll(...lists: (readonly { free(): void }[])[]): void {
  for (const list of lists) for (const v of list) v.free()
}
