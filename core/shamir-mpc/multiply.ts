import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import type { Reducer } from './reduction.ts'
import type { Product } from './types.ts'

/** Elements of an inner product between two turns of the event loop. */
const INNER_CHUNK = 1 << 16

/**
 * All products of one layer in one round. An inner product is added up locally while its degree is 2t, so it
 * costs one element of traffic whatever its length. Throws LENGTH_MISMATCH.
 */
export async function multiplyProducts(
  field: PrimeField,
  reducer: Reducer,
  products: readonly Product[],
): Promise<FieldVector[]> {
  if (products.length === 0) return []
  for (const { a, b } of products)
    if (a.length !== b.length || a.length === 0)
      throw new EnigmaError('LENGTH_MISMATCH', `a product of ${a.length} and ${b.length} values`)
  const inners: (FieldVector | undefined)[] = []
  for (const p of products) inners.push(p.op === 'inner' ? await inner(field, p.a, p.b) : undefined)

  const starts: number[] = []
  let total = 0
  for (const p of products) {
    starts.push(total)
    total += p.op === 'inner' ? 1 : p.a.length
  }
  /** The segment that holds element `at`: the last that starts at or before it. */
  const segment = (at: number) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return low
  }
  const reduced = await reducer.reduce(total, (from, to) => {
    const parts: FieldVector[] = []
    for (let k = segment(from); k < products.length && starts[k]! < to; k++) {
      const start = starts[k]!
      const { a, b } = products[k]!
      const whole = inners[k]
      if (whole) {
        parts.push(field.slice(whole, 0, 1))
        continue
      }
      const low = Math.max(0, from - start)
      const high = Math.min(a.length, to - start)
      if (low === 0 && high === a.length) {
        parts.push(field.mul(a, b))
        continue
      }
      const left = field.slice(a, low, high)
      const right = field.slice(b, low, high)
      parts.push(field.mul(left, right))
      left.free()
      right.free()
    }
    return join(field, parts)
  })
  for (const i of inners) i?.free()
  if (products.length === 1) return [reduced]
  const out = products.map((_, k) => field.slice(reduced, starts[k]!, starts[k + 1] ?? total))
  reduced.free()
  return out
}

async function inner(field: PrimeField, a: FieldVector, b: FieldVector): Promise<FieldVector> {
  if (a.length <= INNER_CHUNK) return field.inner(a, b)
  const parts: FieldVector[] = []
  for (let from = 0; from < a.length; from += INNER_CHUNK) {
    await turn()
    const to = Math.min(a.length, from + INNER_CHUNK)
    const left = field.slice(a, from, to)
    const right = field.slice(b, from, to)
    parts.push(field.inner(left, right))
    left.free()
    right.free()
  }
  const all = join(field, parts)
  const out = field.sum(all)
  all.free()
  return out
}

function join(field: PrimeField, parts: FieldVector[]): FieldVector {
  if (parts.length === 1) return parts[0]!
  const out = field.concat(parts)
  for (const p of parts) p.free()
  return out
}
