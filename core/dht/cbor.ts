import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { decode } from 'cborg'
import type { z } from 'zod'
import { equalBytes, toHex } from '../base/bytes.ts'
import { CBOR, encodeCanonical } from '../base/cbor.ts'
import { EnigmaError } from '../base/errors.ts'
import { KiB } from '../base/units.ts'
import type { Hash } from './types.ts'

const FALSE = 20
const TRUE = 21
const NULL = 22
const HALF = 25
const DOUBLE = 27
const MAX_DEPTH = 64
/** Bytes of a byte string that is not copied: it stays a view of the message. */
const LONG_BYTES = 64 * KiB

interface Item {
  readonly value: unknown
  readonly end: number
}

/**
 * The item that begins at `at`, and where it ends; throws unless it is in the form that encoding it again would give: shortest
 * heads, keys in order. Megabytes of content cost nothing.
 */
function read(bytes: Uint8Array, at: number, depth = 0): Item {
  const first = bytes[at] ?? refuse()
  const [type, info] = [first >> 5, first & 31]
  if (type === CBOR.simple) return readSimple(bytes, at, info)
  const extra = info < 24 ? 0 : info <= DOUBLE ? 2 ** (info - 24) : refuse()
  let argument = extra === 0 ? info : 0
  for (let i = 1; i <= extra; i++) argument = argument * 256 + (bytes[at + i] ?? refuse())
  // The smallest number that takes so many bytes.
  if (extra > 0 && argument < (extra === 1 ? 24 : 2 ** (4 * extra))) refuse()
  const begin = at + 1 + extra
  switch (type) {
    case CBOR.uint:
      return { value: safe(argument), end: begin }
    case CBOR.negint:
      return { value: safe(-1 - safe(argument)), end: begin }
    case CBOR.bytes:
    case CBOR.text: {
      if (argument > bytes.length - begin) refuse()
      const content = new Uint8Array(bytes.buffer, bytes.byteOffset + begin, argument)
      const end = begin + argument
      if (type === CBOR.bytes) return { value: argument < LONG_BYTES ? content.slice() : content, end }
      if (!isUtf8(content)) refuse()
      return { value: Buffer.from(content.buffer, content.byteOffset, argument).toString(), end }
    }
  }
  if ((type !== CBOR.list && type !== CBOR.map) || depth === MAX_DEPTH) refuse()
  return type === CBOR.list
    ? readList(bytes, begin, argument, depth + 1)
    : readMap(bytes, begin, argument, depth + 1)
}

function readSimple(bytes: Uint8Array, at: number, info: number): Item {
  if (info === FALSE || info === TRUE) return { value: info === TRUE, end: at + 1 }
  if (info === NULL) return { value: null, end: at + 1 }
  if (info < HALF || info > DOUBLE) refuse()
  const number = bytes.subarray(at, at + 1 + 2 ** (info - 24))
  const value: unknown = decode(number, { allowNaN: false, allowInfinity: false })
  if (!equalBytes(encodeCanonical(value), number)) refuse()
  return { value, end: at + number.length }
}

function readList(bytes: Uint8Array, begin: number, length: number, depth: number): Item {
  const value: unknown[] = []
  let end = begin
  for (let i = 0; i < length; i++) {
    const item = read(bytes, end, depth)
    value.push(item.value)
    end = item.end
  }
  return { value, end }
}

function readMap(bytes: Uint8Array, begin: number, length: number, depth: number): Item {
  const fields: [string, unknown][] = []
  let end = begin
  let before: Uint8Array | undefined
  for (let i = 0; i < length; i++) {
    const name = read(bytes, end, depth)
    if (typeof name.value !== 'string') refuse()
    const encoded = bytes.subarray(end, name.end)
    if (before !== undefined && Buffer.compare(before, encoded) >= 0) refuse()
    before = encoded
    const field = read(bytes, name.end, depth)
    fields.push([name.value as string, field.value])
    end = field.end
  }
  // Also of a field with the name __proto__ this makes a field.
  return { value: Object.fromEntries(fields), end }
}

function safe(integer: number): number {
  return Number.isSafeInteger(integer) ? integer : refuse()
}

function refuse(): never {
  throw new Error('not canonical')
}

/**
 * Decodes, refuses any but the one canonical encoding, and validates. Long byte strings are views of `bytes`. Throws
 * RECORD_INVALID.
 */
export function decodeCanonical<T>(bytes: Uint8Array, schema: z.ZodType<T>): T {
  let value: unknown
  try {
    const item = read(bytes, 0)
    if (item.end !== bytes.length) refuse()
    value = item.value
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
