import { createHash } from 'node:crypto'
import { decode, encode, encodeInto, rfc8949EncodeOptions } from 'cborg'
import type { z } from 'zod'
import { equalBytes, toHex, wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { KiB, MiB } from '../base/units.ts'
import type { Hash } from './types.ts'

/** Canonical CBOR (RFC 8949 §4.2). */
export function encodeCanonical(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions)
}

/** Messages from this size on are encoded again in memory that stays: in fresh memory that takes several times as long. */
const LARGE = 64 * KiB
const MAX_SCRATCH = 8 * MiB
let scratch = new Uint8Array(0)

function scratchOf(size: number): Uint8Array {
  if (size > MAX_SCRATCH) return new Uint8Array(size)
  if (scratch.length < size) scratch = new Uint8Array(size)
  return scratch.subarray(0, size)
}

/** Whether `bytes` are the canonical encoding of `value`; throws if that is longer. */
function isCanonical(value: unknown, bytes: Uint8Array): boolean {
  if (bytes.length < LARGE) return equalBytes(encodeCanonical(value), bytes)
  const again = scratchOf(bytes.length)
  try {
    const { written } = encodeInto(value, again, rfc8949EncodeOptions)
    return written === bytes.length && equalBytes(again, bytes)
  } finally {
    wipe(again)
  }
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
    if (!isCanonical(value, bytes)) throw new Error('not canonical')
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
