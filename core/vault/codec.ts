import { decode, decodeFirst, encode } from 'cborg'
import { concatBytes, equalBytes } from '../base/bytes.ts'
import { EnigmaError, type ErrorCode } from '../base/errors.ts'
import { turn } from '../base/turns.ts'

/** Items of a list that are encoded or decoded at once. */
const SLICE = 250

const LIST = 4
const MAP = 5

/** Canonical CBOR (RFC 7049 §3.9: shortest forms, keys sorted by length, then bytes). No undefined, no NaN. */
export function encodeCanonical(value: unknown): Uint8Array {
  return encode(value, { ignoreUndefinedProperties: true })
}

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

/** The same as `encodeCanonical` for a value with long lists, between whose pieces the event loop turns. */
export async function encodeInTurns(value: unknown): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for (const piece of encodedPieces(value)) {
    pieces.push(piece)
    await turn()
  }
  return concatBytes(...pieces)
}

/** The same as `decodeCanonical` for a value with long lists, between whose pieces the event loop turns. */
export async function decodeInTurns(bytes: Uint8Array, code: ErrorCode = 'VAULT_CORRUPT'): Promise<unknown> {
  const reader = new Reader(bytes, code)
  const fields = reader.head(MAP)
  if (fields === undefined) return decodeCanonical(bytes, code)
  const value: Record<string, unknown> = {}
  for (let i = 0; i < fields; i++) {
    const name = reader.item()
    if (typeof name !== 'string' || Object.hasOwn(value, name)) throw malformed(code)
    const length = reader.head(LIST)
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

function* encodedPieces(value: unknown): Generator<Uint8Array> {
  if (Array.isArray(value) && value.length > SLICE) {
    yield head(LIST, value.length)
    for (let from = 0; from < value.length; from += SLICE) {
      const slice = value.slice(from, from + SLICE)
      yield encodeCanonical(slice).subarray(head(LIST, slice.length).length)
    }
  } else if (
    value !== null &&
    typeof value === 'object' &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [encodeCanonical(name), field] as const)
      .sort(([a], [b]) => a.length - b.length || Buffer.compare(a, b))
    yield head(MAP, fields.length)
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
