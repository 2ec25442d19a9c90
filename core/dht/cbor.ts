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
    if (!equalBytes(encodeCanonical(value), bytes)) throw new Error('not canonical')
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
