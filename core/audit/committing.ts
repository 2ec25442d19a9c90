import { setImmediate } from 'node:timers/promises'
import { concatBytes, wipe } from '../base/bytes.ts'
import { g1 } from '../commitments/g1.ts'
import { commitVector } from '../commitments/pedersen.ts'
import type { CommitVector } from '../commitments/types.ts'
import { bn254Scalar } from '../field/fields.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'

/** Commitments made between two turns of the event loop, about 25 ms. */
const SLICE = 1024

/** Uncompressed commitments, 64 bytes each, made in slices. */
export const commitInSlices: CommitVector = async (values, masks, signal) => {
  const parts: Uint8Array[] = []
  for (let at = 0; at < values.length; at += SLICE) {
    const to = Math.min(values.length, at + SLICE)
    const [v, m] = [bn254Scalar.slice(values, at, to), bn254Scalar.slice(masks, at, to)]
    const points = commitVector(v, m)
    parts.push(g1.toBytes(points))
    for (const part of [v, m, points]) part.free()
    await setImmediate()
    signal?.throwIfAborted()
  }
  return concatBytes(...parts)
}

/** Commitments that exist already to the shares from `at` on: masks and points, encoded. The masks are wiped when used. */
export interface ReadyPart {
  readonly at: number
  readonly masks: Uint8Array
  readonly points: Uint8Array
}

/** Commitments to all `shares`, 64 bytes each, and their masks: those that are ready, and the others made by `commit`. */
export async function completeCommitments(
  field: PrimeField,
  shares: FieldVector,
  ready: readonly ReadyPart[],
  commit: CommitVector,
  signal?: AbortSignal,
): Promise<{ masks: FieldVector; commitments: Uint8Array }> {
  const ordered = [...ready].sort((p, q) => p.at - q.at)
  const gaps: { from: number; to: number }[] = []
  let at = 0
  for (const { at: from, masks } of ordered) {
    if (from > at) gaps.push({ from: at, to: from })
    at = from + masks.length / field.byteLength
  }
  if (at < shares.length) gaps.push({ from: at, to: shares.length })
  const slices = gaps.map(({ from, to }) => field.slice(shares, from, to))
  const missing = field.concat(slices)
  for (const slice of slices) slice.free()
  const fresh = field.random(missing.length)
  const made = missing.length === 0 ? new Uint8Array() : await commit(missing, fresh, signal)
  missing.free()

  const encoded = new Uint8Array(shares.length * field.byteLength)
  const commitments = new Uint8Array(shares.length * g1.byteLength)
  const freshMasks = field.toBytes(fresh)
  fresh.free()
  let used = 0
  const gapParts = gaps.map(({ from, to }) => {
    const [first, last] = [used, used + to - from]
    used = last
    return {
      at: from,
      masks: freshMasks.subarray(first * field.byteLength, last * field.byteLength),
      points: made.subarray(first * g1.byteLength, last * g1.byteLength),
    }
  })
  for (const part of [...ordered, ...gapParts]) {
    encoded.set(part.masks, part.at * field.byteLength)
    commitments.set(part.points, part.at * g1.byteLength)
    wipe(part.masks)
  }
  const masks = field.fromBytes(encoded)
  wipe(encoded)
  return { masks, commitments }
}
