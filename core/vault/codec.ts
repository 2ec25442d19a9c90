import { decode, encode } from 'cborg'
import { equalBytes } from '../base/bytes.ts'
import { EnigmaError, type ErrorCode } from '../base/errors.ts'
import { turn } from '../base/turns.ts'

/** Canonical CBOR (RFC 7049 §3.9: shortest forms, keys sorted by length, then bytes). No undefined, no NaN. */
export function encodeCanonical(value: unknown): Uint8Array {
  return encode(value, { ignoreUndefinedProperties: true })
}

/** Decodes canonical CBOR and nothing else: the bytes must be what re-encoding gives. Throws `code`. */
export function decodeCanonical(bytes: Uint8Array, code: ErrorCode = 'VAULT_CORRUPT'): unknown {
  const value = decodeStrict(bytes, code)
  checkCanonical(value, bytes, code)
  return value
}

/** The same for what may be long: the event loop turns in between. */
export async function decodeInTurns(bytes: Uint8Array, code: ErrorCode = 'VAULT_CORRUPT'): Promise<unknown> {
  await turn()
  const value = decodeStrict(bytes, code)
  await turn()
  checkCanonical(value, bytes, code)
  return value
}

function decodeStrict(bytes: Uint8Array, code: ErrorCode): unknown {
  try {
    return decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
  } catch {
    // The library's message can quote content, so it is not kept.
    throw new EnigmaError(code, 'the data are not canonical CBOR')
  }
}

function checkCanonical(value: unknown, bytes: Uint8Array, code: ErrorCode): void {
  if (!equalBytes(encodeCanonical(value), bytes))
    throw new EnigmaError(code, 'the data are not canonical CBOR')
}
