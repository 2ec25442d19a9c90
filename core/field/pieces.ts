import { turn } from '../base/turns.ts'
import type { FieldVector, PrimeField, VectorBuilder } from './types.ts'

/** Elements copied at a time: memory that was never touched costs some milliseconds. */
const COPIED = 16_384

/** Adds the elements from…to of a vector, letting the event loop turn. */
export async function appendInPieces(
  builder: VectorBuilder,
  v: FieldVector,
  from = 0,
  to = v.length,
): Promise<void> {
  for (let at = from; at < to; at += COPIED) {
    await turn()
    builder.append(v, at, Math.min(to, at + COPIED))
  }
}

/** `slice` of a whole vector, letting the event loop turn. */
export async function copyInPieces(field: PrimeField, v: FieldVector): Promise<FieldVector> {
  const copy = field.builder(v.length)
  await appendInPieces(copy, v)
  return copy.done()
}

/** One vector of several, letting the event loop turn. The parts are freed. */
export async function joinInPieces(field: PrimeField, parts: readonly FieldVector[]): Promise<FieldVector> {
  if (parts.length === 1) return parts[0]!
  const joined = field.builder(parts.reduce((n, { length }) => n + length, 0))
  for (const part of parts) {
    await appendInPieces(joined, part)
    part.free()
  }
  return joined.done()
}
