import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { concatBytes, utf8, wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { CHUNK_BYTES, TAG_BYTES } from './constants.ts'

const NONCE_BYTES = 12

/** HKDF-SHA256; `purpose` separates the uses of one key. The caller wipes the result. */
export function deriveKey(key: Uint8Array, salt: Uint8Array, purpose: string, length = 32): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, utf8(purpose), length))
}

/** AES-256-GCM: ciphertext ‖ tag. A (key, nonce) pair is used once; the caller sees to it. */
export function seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(aad)
  const body = cipher.update(plaintext)
  cipher.final()
  return concatBytes(body, cipher.getAuthTag())
}

/** The plaintext, or undefined when it does not authenticate; nothing unauthenticated is returned. */
export function unseal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  let body: Uint8Array | undefined
  try {
    body = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES))
    decipher.final()
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  } catch {
    wipe(body)
    return undefined
  }
}

function chunkNonce(index: number, final: boolean): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index))
  nonce[11] = final ? 1 : 0
  return nonce
}

/**
 * STREAM (Hoang–Reyhanitabar–Rogaway–Vizár, eprint 2015/189): AES-256-GCM chunks whose nonce holds a counter and a
 * final flag, so that chunks cannot be dropped, reordered, repeated or cut off. `key` belongs to this stream alone.
 */
export class StreamSealer {
  readonly #key: Uint8Array
  readonly #aad: Uint8Array
  readonly #buffer = new Uint8Array(CHUNK_BYTES)
  #filled = 0
  #index = 0

  constructor(key: Uint8Array, aad: Uint8Array) {
    this.#key = key.slice()
    this.#aad = aad
  }

  /** Complete chunks that became ready. The last one is held back until `finish`. */
  update(data: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = []
    let at = 0
    while (at < data.length) {
      if (this.#filled === CHUNK_BYTES) out.push(this.#emit(false))
      const n = Math.min(CHUNK_BYTES - this.#filled, data.length - at)
      this.#buffer.set(data.subarray(at, at + n), this.#filled)
      this.#filled += n
      at += n
    }
    return out
  }

  /** The final chunk (empty only for an empty stream). Wipes the key. */
  finish(): Uint8Array {
    const last = this.#emit(true)
    this.dispose()
    return last
  }

  dispose(): void {
    wipe(this.#key, this.#buffer)
  }

  #emit(final: boolean): Uint8Array {
    const sealed = seal(
      this.#key,
      chunkNonce(this.#index, final),
      this.#aad,
      this.#buffer.subarray(0, this.#filled),
    )
    this.#index++
    this.#filled = 0
    return sealed
  }
}

/** Seals a whole message as a stream. */
export function sealAll(key: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const sealer = new StreamSealer(key, aad)
  return concatBytes(...sealer.update(plaintext), sealer.finish())
}

/** Bytes of ciphertext for `plain` bytes of plaintext. */
export function sealedLength(plain: number): number {
  return plain + TAG_BYTES * Math.max(1, Math.ceil(plain / CHUNK_BYTES))
}

/**
 * Opens a stream of `length` bytes that starts at `start`. Each chunk is authenticated before it is yielded; a
 * stream that was cut, extended or changed throws VAULT_CORRUPT. Callers that must not act on a prefix collect all.
 */
export async function* openStream(
  key: Uint8Array,
  aad: Uint8Array,
  read: (length: number, position: number) => Promise<Uint8Array>,
  start: number,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const own = key.slice()
  const step = CHUNK_BYTES + TAG_BYTES
  const end = start + length
  try {
    let at = start
    for (let index = 0; ; index++) {
      const final = at + step >= end
      const size = final ? end - at : step
      const sealed = size < TAG_BYTES ? undefined : await read(size, at)
      const plain = sealed?.length === size ? unseal(own, chunkNonce(index, final), aad, sealed) : undefined
      if (plain === undefined || (plain.length === 0 && index > 0))
        throw new EnigmaError('VAULT_CORRUPT', `chunk ${index} does not authenticate`)
      yield plain
      at += size
      if (final) return
    }
  } finally {
    wipe(own)
  }
}
