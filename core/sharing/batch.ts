import { Prg } from '../base/random.ts'
import { g1 } from '../commitments/g1.ts'
import type { CommitmentVector, PointVector } from '../commitments/types.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import type { FieldVector } from '../field/types.ts'
import { inSlices } from './pace.ts'
import type { Pace } from './types.ts'

/** Bits of the random coefficients of a batched check: something false passes with probability 2^-128. */
const CHECK_BITS = 128
/** Points multiplied between two turns of the event loop: some 7 ms, several times that before the engine has compiled it well. */
const CHECK_SLICE = 1024

/** `length` random coefficients below 2^CHECK_BITS. */
function checkCoefficients(length: number, prg: Prg): FieldVector {
  const bytes = new Uint8Array(32 * length)
  const random = prg.bytes((CHECK_BITS / 8) * length)
  for (let i = 0; i < length; i++) bytes.set(random.subarray(16 * i, 16 * i + 16), 32 * i)
  return field.fromBytes(bytes)
}

/**
 * One point for each row, all in one vector: Σ_i ρ_i·rows[k][i], with fresh coefficients ρ. `each` is given the
 * coefficients of every slice of positions. Work is done a row and a slice at a time.
 */
export async function combineRows(
  rows: readonly CommitmentVector[],
  pace: Pace,
  each: (rho: FieldVector, from: number, to: number) => void = () => {},
): Promise<PointVector> {
  const length = rows[0]!.length
  const prg = new Prg()
  const sums = rows.map(() => g1.zeros(1))
  let rho = field.zeros(0)
  const { signal, onProgress } = pace
  const units = {
    signal,
    onProgress: (done: number) =>
      onProgress?.(Math.min(length, Math.floor(done / rows.length) * CHECK_SLICE), length),
  }
  await inSlices(Math.ceil(length / CHECK_SLICE) * rows.length, 1, units, (unit) => {
    const k = unit % rows.length
    const from = Math.floor(unit / rows.length) * CHECK_SLICE
    const to = Math.min(length, from + CHECK_SLICE)
    if (k === 0) {
      rho.free()
      rho = checkCoefficients(to - from, prg)
      each(rho, from, to)
    }
    const part = g1.slice(rows[k]!, from, to)
    const term = g1.msm(part, rho, CHECK_BITS)
    const next = g1.add(sums[k]!, term)
    freeAll([part, term, sums[k]!])
    sums[k] = next
  })
  const combined = g1.concat(sums)
  freeAll(sums, [rho])
  return combined
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
