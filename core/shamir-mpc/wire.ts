import { createHash } from 'node:crypto'

/**
 * Every message is a 24-byte header and raw field elements (or the bytes of its kind):
 * version u8 · kind u8 · 0 u16 · round u32 · offset u32 · count u32 · session tag 8 bytes (little-endian).
 * Round, offset and count are what the receiver expects next or the message is refused, so that nothing can be
 * replayed, reordered or cut short.
 */
export const HEADER_BYTES = 24

export const KIND = {
  hello: 1,
  /** A chunk of sub-shares, masked products or opened values of the current round. */
  data: 2,
  open: 3,
  input: 4,
  king: 5,
  /** "I am alive and wait for someone else": keeps the blame on the party that is really silent. */
  wait: 6,
  abort: 7,
  bye: 8,
} as const
export type Kind = (typeof KIND)[keyof typeof KIND]

export interface Header {
  readonly version: number
  readonly kind: number
  readonly round: number
  readonly offset: number
  readonly count: number
}

/** Binds messages to their session: the first 8 bytes of SHA-256 of its id. */
export function sessionTag(id: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`enigma/shamir/session/${id}`).digest().subarray(0, 8))
}

export function encodeMessage(tag: Uint8Array, header: Header, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES + payload.length)
  const view = new DataView(out.buffer)
  out[0] = header.version
  out[1] = header.kind
  view.setUint32(4, header.round, true)
  view.setUint32(8, header.offset, true)
  view.setUint32(12, header.count, true)
  out.set(tag, 16)
  out.set(payload, HEADER_BYTES)
  return out
}

/** Undefined when the bytes are no message of this session. */
export function decodeMessage(
  tag: Uint8Array,
  bytes: Uint8Array,
): { header: Header; payload: Uint8Array } | undefined {
  if (bytes.length < HEADER_BYTES || bytes[2] !== 0 || bytes[3] !== 0) return undefined
  for (let i = 0; i < 8; i++) if (bytes[16 + i] !== tag[i]) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  return {
    header: {
      version: bytes[0]!,
      kind: bytes[1]!,
      round: view.getUint32(4, true),
      offset: view.getUint32(8, true),
      count: view.getUint32(12, true),
    },
    payload: bytes.subarray(HEADER_BYTES),
  }
}
