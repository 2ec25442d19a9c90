import { decode, decodeFirst } from 'cborg'
import { equalBytes } from '../base/bytes.ts'
import { CBOR, encodeCanonical, encodeInTurns } from '../base/cbor.ts'
import { EnigmaError, type ErrorCode } from '../base/errors.ts'
import { turn } from '../base/turns.ts'

/** Items of a list that are decoded at once. */
const SLICE = 250

/** Decodes canonical CBOR and nothing else: the bytes must be what re-encoding gives. Throws `code`. */
export function decodeCanonical(bytes: Uint8Array, code: ErrorCode = 'VAULT_CORRUPT'): unknown {
  let value: unknown
  try {
    value = decode(bytes, STRICT)
  } catch {
    throw malformed(code)
  }
  if (!equalBytes(encodeCanonical(value), bytes)) throw malformed(code)
  return value
}

/** The same as `decodeCanonical` for a value with long lists, between whose pieces the event loop turns. */
export async function decodeInTurns(bytes: Uint8Array, code: ErrorCode = 'VAULT_CORRUPT'): Promise<unknown> {
  const reader = new Reader(bytes, code)
  const fields = reader.head(CBOR.map)
  if (fields === undefined) return decodeCanonical(bytes, code)
  const value: Record<string, unknown> = {}
  for (let i = 0; i < fields; i++) {
    const name = reader.item()
    if (typeof name !== 'string' || Object.hasOwn(value, name)) throw malformed(code)
    const length = reader.head(CBOR.list)
    if (length === undefined) {
      value[name] = reader.item()
      continue
    }
    const list: unknown[] = []
    for (let k = 0; k < length; k++) {
      if (k % SLICE === 0) await turn()
      list.push(reader.item())
    }
    value[name] = list
  }
  if (!reader.done || !equalBytes(await encodeInTurns(value), bytes)) throw malformed(code)
  return value
}

/** Reads items one after the other. What it takes for more than it should is found when the value is encoded again. */
class Reader {
  #rest: Uint8Array
  readonly #code: ErrorCode

  constructor(bytes: Uint8Array, code: ErrorCode) {
    this.#rest = bytes
    this.#code = code
  }

  get done(): boolean {
    return this.#rest.length === 0
  }

  /** The length of the list or map that comes next; undefined when something else does. */
  head(type: number): number | undefined {
    const [first = 0, ...more] = this.#rest.subarray(0, 5)
    const extra = [0, 1, 2, 4][(first & 31) - 23] ?? 0
    if (first >> 5 !== type || (first & 31) > 26) return undefined
    if (more.length < extra) throw malformed(this.#code)
    this.#rest = this.#rest.subarray(1 + extra)
    return extra === 0 ? first & 31 : more.slice(0, extra).reduce((sum, byte) => sum * 256 + byte, 0)
  }

  item(): unknown {
    try {
      const [value, rest] = decodeFirst(this.#rest, STRICT)
      this.#rest = rest
      return value
    } catch {
      throw malformed(this.#code)
    }
  }
}

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
}

/** The library's message can quote content, so it is not kept. */
function malformed(code: ErrorCode): EnigmaError {
  return new EnigmaError(code, 'the data are not canonical CBOR')
}
