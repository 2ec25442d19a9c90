import { concatBytes, wipe } from '../base/bytes.ts'
import { turn } from '../base/turns.ts'
import { g1 } from '../commitments/g1.ts'
import { commitVector } from '../commitments/pedersen.ts'
import type { CommitVector } from '../commitments/types.ts'
import { bn254Scalar } from '../field/fields.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'

/** Commitments made between two turns of the event loop, about 15 ms. */
const SLICE = 512

/** Uncompressed commitments, 64 bytes each, made in slices. */
export const commitInSlices: CommitVector = async (values, masks, signal) => {
  const parts: Uint8Array[] = []
  for (let at = 0; at < values.length; at += SLICE) {
    await turn()
    signal?.throwIfAborted()
    const to = Math.min(values.length, at + SLICE)
    const [v, m] = [bn254Scalar.slice(values, at, to), bn254Scalar.slice(masks, at, to)]
    const points = commitVector(v, m)
    parts.push(g1.toBytes(points))
    for (const part of [v, m, points]) part.free()
  }
  return concatBytes(...parts)
}

/** Commitments that exist already to the shares from `at` on: masks and points, encoded. The masks are wiped when used. */
export interface ReadyPart {
  readonly at: number
  readonly masks: Uint8Array
  readonly points: Uint8Array
}

/**
 * Commitments to all `shares`, 64 bytes each, and their masks: those that are ready (parts do not overlap), and the others
 * made by `commit`.
 */
export async function completeCommitments(
  field: PrimeField,
  shares: FieldVector,
  ready: readonly ReadyPart[],
  commit: CommitVector,
  signal?: AbortSignal,
): Promise<{ masks: FieldVector; commitments: Uint8Array }> {
  const parts: { at: number; length: number; ready?: ReadyPart }[] = []
  let end = 0
  for (const part of [...ready].sort((p, q) => p.at - q.at)) {
    if (part.at > end) parts.push({ at: end, length: part.at - end })
    const length = part.masks.length / field.byteLength
    parts.push({ at: part.at, length, ready: part })
    end = part.at + length
  }
  if (end < shares.length) parts.push({ at: end, length: shares.length - end })

  const gaps = parts.filter((p) => p.ready === undefined)
  await turn()
  const slices = gaps.map(({ at, length }) => field.slice(shares, at, at + length))
  const missing = field.concat(slices)
  await turn()
  const fresh = field.random(missing.length)
  const made = missing.length === 0 ? new Uint8Array() : await commit(missing, fresh, signal)

  const size = g1.byteLength
  const commitments = new Uint8Array(shares.length * size)
  let used = 0
  const pieces: FieldVector[] = []
  for (const { at, length, ready: part } of parts) {
    await turn()
    if (part === undefined) {
      const from = used
      used += length
      commitments.set(made.subarray(from * size, used * size), at * size)
      pieces.push(field.slice(fresh, from, used))
      continue
    }
    commitments.set(part.points, at * size)
    pieces.push(field.fromBytes(part.masks))
    wipe(part.masks)
  }
  const masks = field.concat(pieces)
  for (const v of [...slices, missing, fresh, ...pieces]) v.free()
  return { masks, commitments }
}
