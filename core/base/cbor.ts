import { encode } from 'cborg'
import { isLongList, slices } from './slices.ts'
import { turn } from './turns.ts'
import { KiB, MiB } from './units.ts'

/** Bytes that are copied at once, and from how many on they are copied only once. */
const COPY_BYTES = MiB
const LONG_BYTES = 64 * KiB

/** Major types (RFC 8949 §3.1). */
export const CBOR = { uint: 0, negint: 1, bytes: 2, text: 3, list: 4, map: 5, simple: 7 } as const

/**
 * Canonical CBOR (RFC 8949 §4.2: shortest forms, keys in order; with keys that are texts the same as RFC 7049 §3.9). No
 * undefined, no NaN.
 */
export function encodeCanonical(value: unknown): Uint8Array {
  return encode(value, { ignoreUndefinedProperties: true })
}

/** The same for a value with long lists or byte strings, between whose pieces the event loop turns. */
export async function encodeInTurns(value: unknown): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for (const piece of encodedPieces(value)) {
    pieces.push(piece)
    length += piece.length
    await turn()
  }
  const out = new Uint8Array(length)
  let at = 0
  for (const piece of pieces)
    for (let from = 0; from < piece.length; from += COPY_BYTES) {
      await turn()
      const part = piece.subarray(from, from + COPY_BYTES)
      out.set(part, at)
      at += part.length
    }
  return out
}

function* encodedPieces(value: unknown): Generator<Uint8Array> {
  if (value instanceof Uint8Array && value.length > LONG_BYTES) {
    yield head(CBOR.bytes, value.length)
    yield value
  } else if (isLongList(value)) {
    yield head(CBOR.list, value.length)
    for (const slice of slices(value))
      yield encodeCanonical(slice).subarray(head(CBOR.list, slice.length).length)
  } else if (
    value !== null &&
    typeof value === 'object' &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [encodeCanonical(name), field] as const)
      .sort(([a], [b]) => Buffer.compare(a, b))
    yield head(CBOR.map, fields.length)
    for (const [name, field] of fields) {
      yield name
      yield* encodedPieces(field)
    }
  } else yield encodeCanonical(value)
}

/** Type and length of an item in the shortest form; lengths below 2^32. */
function head(type: number, length: number): Uint8Array {
  const start = type << 5
  if (length < 24) return Uint8Array.of(start | length)
  if (length < 0x100) return Uint8Array.of(start | 24, length)
  if (length < 0x10000) return Uint8Array.of(start | 25, length >> 8, length & 0xff)
  return Uint8Array.of(
    start | 26,
    length >>> 24,
    (length >>> 16) & 0xff,
    (length >>> 8) & 0xff,
    length & 0xff,
  )
}
