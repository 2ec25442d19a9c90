import { decode, encode } from 'cborg'
import { EnigmaError } from '../base/errors.ts'
import { MAX_ERROR_BYTES, MAX_PROTOCOL_NAME } from './constants.ts'

/*
 * Request: u8 name length | protocol name | u32 id | u32 payload length | payload
 * Answer:  u8 status (0 answer, 1 error) | u32 id | u32 payload length | payload
 * Session: u8 id length | session id, then messages: u32 length | bytes; length 0xffffffff ends the channel.
 * Integers are big-endian.
 */

export const ANSWER = 0
export const ERROR = 1
export const END = 0xffffffff

const ASCII = /^[\x21-\x7e]*$/

function name(text: string, limit: number): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length === 0 || bytes.length > limit || !ASCII.test(text))
    throw new EnigmaError('INVALID_ARGUMENT', `not a name of 1 to ${limit} printable characters`)
  return bytes
}

export function requestHeader(protocol: string, id: number, length: number): Uint8Array {
  const bytes = name(protocol, MAX_PROTOCOL_NAME)
  const out = Buffer.allocUnsafe(bytes.length + 9)
  out[0] = bytes.length
  out.set(bytes, 1)
  out.writeUInt32BE(id, 1 + bytes.length)
  out.writeUInt32BE(length, 5 + bytes.length)
  return out
}

export function answerHeader(status: number, id: number, length: number): Uint8Array {
  const out = Buffer.allocUnsafe(9)
  out[0] = status
  out.writeUInt32BE(id, 1)
  out.writeUInt32BE(length, 5)
  return out
}

export function sessionHeader(id: string, limit: number): Uint8Array {
  const bytes = name(id, limit)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

export function messageHeader(length: number): Uint8Array {
  const out = Buffer.allocUnsafe(4)
  out.writeUInt32BE(length)
  return out
}

/** An error as it travels: CBOR of its plain form, bounded. */
export function encodeError(error: EnigmaError): Uint8Array {
  const object = error.toObject()
  const bytes = encode({ ...object, message: object.message.slice(0, 1024) })
  if (bytes.length <= MAX_ERROR_BYTES) return bytes
  return encode({ code: object.code, message: object.message.slice(0, 1024) })
}

/** Whatever a peer sent as an error becomes an EnigmaError with bounded text. */
export function decodeError(bytes: Uint8Array): EnigmaError {
  try {
    const o = decode(bytes, { allowIndefinite: false, allowUndefined: false, strict: true }) as Record<
      string,
      unknown
    >
    if (typeof o.message === 'string') o.message = o.message.slice(0, 1024)
    if (typeof o.remedy === 'string') o.remedy = o.remedy.slice(0, 1024)
    if (typeof o.details === 'object' && o.details !== null) {
      const plain = Object.entries(o.details).filter(
        ([k, v]) => k !== '__proto__' && ['string', 'number', 'boolean'].includes(typeof v),
      )
      o.details = Object.fromEntries(plain.slice(0, 32))
    }
    return EnigmaError.fromObject(o)
  } catch {
    return new EnigmaError('FRAME_INVALID', 'the other node sent an error that cannot be read')
  }
}

/** Reads a stream of parts of any size as fields of known length, copying each byte at most once. */
export class FrameReader {
  #parts: Uint8Array[] = []
  #head = 0
  #available = 0
  #want = 0
  #big: Uint8Array | undefined
  #filled = 0
  #done: ((bytes: Uint8Array) => void) | undefined
  #fail: ((error: EnigmaError) => void) | undefined
  #ended: EnigmaError | undefined

  /** Bytes received and not asked for. */
  get buffered(): number {
    return this.#available
  }

  push(part: Uint8Array): void {
    if (this.#ended || part.length === 0) return
    if (this.#big && this.#parts.length === this.#head) {
      const n = Math.min(part.length, this.#want - this.#filled)
      this.#big.set(n === part.length ? part : part.subarray(0, n), this.#filled)
      this.#filled += n
      if (n < part.length) this.#keep(part.subarray(n))
    } else this.#keep(part)
    this.#advance()
  }

  /** No more parts; what waits rejects with `error`, what is buffered can be read. */
  end(error: EnigmaError): void {
    this.#ended ??= error
    const fail = this.#fail
    this.#done = undefined
    this.#fail = undefined
    this.#big = undefined
    fail?.(this.#ended)
  }

  /** The next `length` bytes, in memory of their own. One reader at a time. */
  read(length: number): Promise<Uint8Array> {
    if (length <= this.#available) {
      // Large enough lengths come as a fresh allocation, filled as parts arrive; the pages of a length that a
      // peer only claims are never touched.
      const out = Buffer.allocUnsafeSlow(length)
      this.#take(out, 0, length)
      return Promise.resolve(out)
    }
    if (this.#ended) return Promise.reject(this.#ended)
    this.#want = length
    this.#big = Buffer.allocUnsafeSlow(length)
    this.#filled = this.#take(this.#big, 0, this.#available)
    return new Promise((resolve, reject) => {
      this.#done = resolve
      this.#fail = reject
    })
  }

  #keep(part: Uint8Array): void {
    this.#parts.push(part)
    this.#available += part.length
  }

  #advance(): void {
    if (!this.#big || !this.#done || this.#filled < this.#want) return
    const done = this.#done
    const bytes = this.#big
    this.#big = undefined
    this.#done = undefined
    this.#fail = undefined
    done(bytes)
  }

  #take(out: Uint8Array, at: number, length: number): number {
    let left = length
    while (left > 0) {
      const part = this.#parts[this.#head]!
      const n = Math.min(left, part.length)
      out.set(n === part.length ? part : part.subarray(0, n), at)
      at += n
      left -= n
      if (n === part.length) this.#parts[this.#head++] = undefined as never
      else this.#parts[this.#head] = part.subarray(n)
    }
    this.#available -= length
    if (this.#head === this.#parts.length) {
      this.#parts = []
      this.#head = 0
    }
    return length
  }
}
