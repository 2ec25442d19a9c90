import { EnigmaError } from './errors.ts'

const OTHER_THAN_HEX = /[^0-9a-fA-F]/

/** Lower-case hex with 0x prefix, as the chain writes it. */
export function toHex(bytes: Uint8Array): `0x${string}` {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/** Parses hex with or without 0x. Throws INVALID_ARGUMENT on anything else, or when `length` (bytes) differs. */
export function fromHex(hex: string, length?: number): Uint8Array {
  const digits = hex.startsWith('0x') ? hex.slice(2) : hex
  if (digits.length % 2 !== 0 || OTHER_THAN_HEX.test(digits))
    throw new EnigmaError('INVALID_ARGUMENT', `not hexadecimal: ${hex.slice(0, 80)}`)
  const bytes = new Uint8Array(Buffer.from(digits, 'hex'))
  if (length !== undefined && bytes.length !== length)
    throw new EnigmaError('INVALID_ARGUMENT', `expected ${length} bytes, got ${bytes.length}`)
  return bytes
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const p of parts) length += p.length
  const out = new Uint8Array(length)
  let at = 0
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

/** Not constant time: for public values only. Secrets are compared with `crypto.timingSafeEqual`. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** Overwrites secret bytes; the garbage collector may still hold earlier copies (SECURITY.md). */
export function wipe(...secrets: (Uint8Array | undefined)[]): void {
  for (const s of secrets) s?.fill(0)
}
