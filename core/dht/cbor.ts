import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import type { z } from 'zod'
import { equalBytes, toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import type { Hash } from './types.ts'

/** Canonical CBOR (RFC 8949 §4.2). */
export function encodeCanonical(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions)
}

const UINT = 0
const NEGINT = 1
const BYTES = 2
const TEXT = 3
const LIST = 4
const MAP = 5
const SIMPLE = 7
const FALSE = 20
const NULL = 22
const HALF = 25
const DOUBLE = 27
const MAX_DEPTH = 64

/**
 * Where the item that begins at `at` ends; throws unless it is in the form that encoding it again would give: shortest heads,
 * keys in order. Looks only at heads, so that megabytes of content cost nothing.
 */
function endOfCanonical(bytes: Uint8Array, at: number, depth = 0): number {
  const refuse = (): never => {
    throw new Error('not canonical')
  }
  const first = bytes[at] ?? refuse()
  const [type, info] = [first >> 5, first & 31]
  if (type === SIMPLE) {
    if (info >= FALSE && info <= NULL) return at + 1
    if (info < HALF || info > DOUBLE) return refuse()
    const number = bytes.subarray(at, at + 1 + 2 ** (info - 24))
    if (!equalBytes(encodeCanonical(decode(number)), number)) refuse()
    return at + number.length
  }
  const extra = info < 24 ? 0 : info <= DOUBLE ? 2 ** (info - 24) : refuse()
  let argument = extra === 0 ? info : 0
  for (let i = 1; i <= extra; i++) argument = argument * 256 + (bytes[at + i] ?? refuse())
  // The smallest number that takes so many bytes.
  if (extra > 0 && argument < (extra === 1 ? 24 : 2 ** (4 * extra))) refuse()
  let end = at + 1 + extra
  if (type === UINT || type === NEGINT) return end
  if (type === BYTES || type === TEXT) {
    if (argument > bytes.length - end) refuse()
    if (type === TEXT && !isUtf8(bytes.subarray(end, end + argument))) refuse()
    return end + argument
  }
  if ((type !== LIST && type !== MAP) || depth === MAX_DEPTH) refuse()
  let before: Uint8Array | undefined
  for (let i = 0; i < argument; i++) {
    if (type === MAP) {
      const name = bytes.subarray(end, endOfCanonical(bytes, end, depth + 1))
      if (before !== undefined && Buffer.compare(before, name) >= 0) refuse()
      before = name
      end += name.length
    }
    end = endOfCanonical(bytes, end, depth + 1)
  }
  return end
}

/** Decodes, refuses any but the one canonical encoding, and validates. Throws RECORD_INVALID. */
export function decodeCanonical<T>(bytes: Uint8Array, schema: z.ZodType<T>): T {
  let value: unknown
  try {
    value = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowNaN: false,
      allowInfinity: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
    if (endOfCanonical(bytes, 0) !== bytes.length) throw new Error('not canonical')
  } catch (cause) {
    throw new EnigmaError('RECORD_INVALID', 'a message is not canonical CBOR', { cause })
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new EnigmaError(
      'RECORD_INVALID',
      `a message has an invalid field: ${issue?.path.map(String).join('.').slice(0, 80) || '(root)'}`,
    )
  }
  return parsed.data
}

/** SHA-256 of raw bytes. */
export function hashBytes(...parts: Uint8Array[]): Hash {
  const hash = createHash('sha256')
  for (const p of parts) hash.update(p)
  return toHex(hash.digest()) as Hash
}

/** SHA-256 of the canonical encoding, under a domain of its own. */
export function digestOf(domain: string, value: unknown): Uint8Array {
  return createHash('sha256')
    .update(encodeCanonical([domain, value]))
    .digest()
}
