import type { Prg } from '../base/random.ts'

/** Bytes of an integer in [−2^k, 2^k), Y = 2^k. */
export function maskWidth(y: bigint): number {
  return Math.ceil(y.toString(2).length / 8)
}

/** n integers uniform in [−Y, Y), Y a power of two, little-endian two's complement of `maskWidth(Y)` bytes. */
export function uniformMasks(prg: Prg, y: bigint, n: number): Uint8Array {
  const width = maskWidth(y)
  const shift = 32 - (y.toString(2).length - 8 * (width - 1))
  const bytes = prg.bytes(width * n)
  for (let at = width - 1; at < bytes.length; at += width) bytes[at] = (bytes[at]! << shift) >> shift
  return bytes
}

/**
 * Whether all integers lie in a set [−Y + margin', Y − margin') with margin' ≥ margin. Responses that do are
 * distributed independently of what they hide, as long as that is at most `margin` (rejection sampling, Lyubashevsky
 * 2009); to a verifier the same set is the bound.
 */
export function inAcceptedRange(bytes: Uint8Array, y: bigint, margin: bigint): boolean {
  const width = maskWidth(y)
  const unit = 1n << BigInt(8 * Math.max(0, width - 4))
  const low = Number((-y + margin + unit - 1n) / unit)
  const high = Number((y - margin) / unit)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = width - 4; at < bytes.length; at += width) {
    const top = view.getInt32(at, true)
    if (top < low || top >= high) return false
  }
  return true
}
