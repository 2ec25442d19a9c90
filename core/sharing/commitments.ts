import { keccak_256 } from '@noble/hashes/sha3.js'
import { EnigmaError } from '../base/errors.ts'
import { g1 } from '../commitments/g1.ts'
import type { CommitmentVector } from '../commitments/types.ts'
import { inSlices } from './pace.ts'
import { checkIndices } from './shamir.ts'
import { type CoefficientCommitments, MAX_INDEX, type Pace } from './types.ts'

const MAGIC = 0x45564331 // 'EVC1'
const HEADER = 10
const POINT = 64
/** Points encoded or decoded between two turns of the event loop. */
const CODE_SLICE = 8192
/** Bytes hashed between two turns of the event loop. */
const HASH_SLICE = 1 << 18
/** Most secrets in one dealing. */
export const MAX_SECRETS = 1 << 20

/** Bytes of encoded commitments to `length` secrets shared with degree t. */
export function encodedLength(t: number, length: number): number {
  return HEADER + POINT * (t + 1) * length
}

/**
 * 'EVC1' ‖ t (2 bytes) ‖ number of secrets (4 bytes), big-endian, then 64 bytes a point, all constant terms first,
 * then all linear ones, and so on. There is one encoding of each value.
 */
export async function encodeCommitments(c: CoefficientCommitments): Promise<Uint8Array> {
  const out = new Uint8Array(encodedLength(c.t, c.length))
  const view = new DataView(out.buffer)
  view.setUint32(0, MAGIC)
  view.setUint16(4, c.t)
  view.setUint32(6, c.length)
  for (const [k, points] of c.points.entries())
    await inSlices(c.length, CODE_SLICE, {}, (from, to) => {
      const part = g1.slice(points, from, to)
      out.set(g1.toBytes(part), HEADER + POINT * (k * c.length + from))
      part.free()
    })
  return out
}

/**
 * Strict inverse of `encodeCommitments`. The expected t and number of secrets, where they are known, are checked
 * before anything is allocated. Throws SHARE_INVALID on a wrong header or length, POINT_INVALID, CANCELLED.
 */
export async function decodeCommitments(
  bytes: Uint8Array,
  expected: { t?: number; length?: number } = {},
  pace: Pace = {},
): Promise<CoefficientCommitments> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER || view.getUint32(0) !== MAGIC)
    throw new EnigmaError('SHARE_INVALID', 'not encoded commitments')
  const t = view.getUint16(4)
  const length = view.getUint32(6)
  if (t >= MAX_INDEX || length < 1 || length > MAX_SECRETS || bytes.length !== encodedLength(t, length))
    throw new EnigmaError(
      'SHARE_INVALID',
      `commitments with t = ${t} to ${length} secrets in ${bytes.length} bytes`,
    )
  if ((expected.t ?? t) !== t || (expected.length ?? length) !== length)
    throw new EnigmaError(
      'SHARE_INVALID',
      `commitments with t = ${t} to ${length} secrets are not the expected ones`,
    )
  const points: CommitmentVector[] = []
  try {
    for (let k = 0; k <= t; k++) {
      const before = k * length
      const vector = g1.zeros(length)
      points.push(vector)
      const onProgress = (done: number) => pace.onProgress?.(before + done, (t + 1) * length)
      await inSlices(length, CODE_SLICE, { ...pace, onProgress }, (from, to) => {
        const [first, end] = [before + from, before + to]
        const part = g1.fromBytes(bytes.subarray(HEADER + POINT * first, HEADER + POINT * end))
        g1.set(vector, from, part)
        part.free()
      })
    }
  } catch (error) {
    for (const p of points) p.free()
    throw error
  }
  return { t, length, points }
}

/** keccak256 of the encoding: what the ledger keeps and can compute again. 1 MB takes some 30 ms: see `hashCommitments`. */
export function digestCommitments(encoded: Uint8Array): Uint8Array {
  return keccak_256(encoded)
}

/** The same digest, without blocking the event loop for long encodings. Throws CANCELLED. */
export async function hashCommitments(encoded: Uint8Array, pace: Pace = {}): Promise<Uint8Array> {
  const hash = keccak_256.create()
  await inSlices(encoded.length, HASH_SLICE, pace, (from, to) => {
    hash.update(encoded.subarray(from, to))
  })
  return hash.digest()
}

/** 64 bytes: the sum of the value commitments C_0 of all secrets (C_0 itself for one secret). */
export function sumOfConstants(c: CoefficientCommitments): Uint8Array {
  const sum = g1.sum(c.points[0]!)
  try {
    return g1.toBytes(sum)
  } finally {
    sum.free()
  }
}

/**
 * Commitments to the shares of party `index`, for the secrets from…to: Σ_k index^k·points[k], by Horner's rule.
 * Throws SHARE_INDEX.
 */
export function shareCommitments(
  c: CoefficientCommitments,
  index: number,
  from = 0,
  to = c.length,
): CommitmentVector {
  checkIndices([index])
  let sum = g1.slice(c.points[c.t]!, from, to)
  for (let k = c.t - 1; k >= 0; k--) {
    const scaled = g1.scale(sum, BigInt(index))
    const term = g1.slice(c.points[k]!, from, to)
    sum.free()
    sum = g1.add(scaled, term)
    scaled.free()
    term.free()
  }
  return sum
}

/** 64 bytes: the commitment to party `index`'s share of secret k. */
export function shareCommitment(c: CoefficientCommitments, index: number, k: number): Uint8Array {
  if (!Number.isInteger(k) || k < 0 || k >= c.length)
    throw new EnigmaError('INVALID_ARGUMENT', `no secret ${k} among ${c.length}`)
  const point = shareCommitments(c, index, k, k + 1)
  try {
    return g1.toBytes(point)
  } finally {
    point.free()
  }
}

/** Commitments to the sum of dealings of one shape. Throws LENGTH_MISMATCH. */
export function addCommitments(all: readonly CoefficientCommitments[]): CoefficientCommitments {
  const first = all[0]
  if (first === undefined || all.some((c) => c.t !== first.t || c.length !== first.length))
    throw new EnigmaError('LENGTH_MISMATCH', 'commitments of different shapes cannot be added')
  const points = first.points.map((p, k) => {
    let sum = g1.slice(p, 0, p.length)
    for (const c of all.slice(1)) {
      const next = g1.add(sum, c.points[k]!)
      sum.free()
      sum = next
    }
    return sum
  })
  return { t: first.t, length: first.length, points }
}

export function freeCommitments(c: CoefficientCommitments): void {
  for (const p of c.points) p.free()
}
