import { EnigmaError } from '../base/errors.ts'
import type { BgvOptions } from './parameters.ts'
import { bgvParameters } from './parameters.ts'
import { Bgv } from './scheme.ts'
import type { Ciphertext, PublicKey, SecretKey } from './types.ts'

/** Names an object that lives in the thread of the scheme. */
export type Handle = number

interface Kinds {
  key: PublicKey
  secret: SecretKey
  ciphertext: Ciphertext
}

type Entry = { [K in keyof Kinds]: { readonly kind: K; readonly value: Kinds[K] } }[keyof Kinds]

/**
 * `Bgv` for another thread: bytes and handles in, bytes and handles out. Errors are those of `Bgv`, and
 * INVALID_ARGUMENT for a handle that names nothing of the right kind.
 */
export class BgvService {
  readonly #bgv: Bgv
  readonly #entries = new Map<Handle, Entry>()
  #next = 1

  constructor(options: BgvOptions) {
    this.#bgv = new Bgv(bgvParameters(options))
  }

  /** One's own keys: the public key as others see it, and as one uses it. */
  generateKeys(context: Uint8Array): {
    secret: Handle
    key: Handle
    publicKey: Uint8Array
    proof: Uint8Array
  } {
    const { secret, publicKey, proof } = this.#bgv.generateKeys(context)
    const key = this.importKey(publicKey, proof, context)
    return { secret: this.#keep({ kind: 'secret', value: secret }), key, publicKey, proof }
  }

  importKey(bytes: Uint8Array, proof: Uint8Array, context: Uint8Array): Handle {
    return this.#keep({ kind: 'key', value: this.#bgv.importKey(bytes, proof, context) })
  }

  encrypt(
    key: Handle,
    plaintexts: readonly Uint8Array[],
    context: Uint8Array,
  ): { ciphertexts: Uint8Array[]; proof: Uint8Array } {
    return this.#bgv.encrypt(this.#get(key, 'key'), plaintexts, context)
  }

  importCiphertexts(
    key: Handle,
    encodings: readonly Uint8Array[],
    proof: Uint8Array,
    context: Uint8Array,
  ): Handle[] {
    return this.#bgv
      .importCiphertexts(this.#get(key, 'key'), encodings, proof, context)
      .map((value) => this.#keep({ kind: 'ciphertext', value }))
  }

  multiplyAndMask(key: Handle, ciphertext: Handle, factor: Uint8Array, mask: Uint8Array): Uint8Array {
    return this.#bgv.multiplyAndMask(this.#get(key, 'key'), this.#get(ciphertext, 'ciphertext'), factor, mask)
  }

  decryptReply(secret: Handle, reply: Uint8Array): Uint8Array {
    return this.#bgv.decryptReply(this.#get(secret, 'secret'), reply)
  }

  toSlots(coefficients: Uint8Array): Uint8Array {
    return this.#bgv.toSlots(coefficients)
  }

  toCoefficients(slots: Uint8Array): Uint8Array {
    return this.#bgv.toCoefficients(slots)
  }

  release(handles: readonly Handle[]): void {
    for (const handle of handles) {
      const entry = this.#entries.get(handle)
      this.#entries.delete(handle)
      if (entry?.kind === 'key') this.#bgv.freeKey(entry.value)
      if (entry?.kind === 'secret') this.#bgv.freeSecret(entry.value)
      if (entry?.kind === 'ciphertext') this.#bgv.freeCiphertext(entry.value)
    }
  }

  #keep(entry: Entry): Handle {
    this.#entries.set(this.#next, entry)
    return this.#next++
  }

  #get<K extends keyof Kinds>(handle: Handle, kind: K): Kinds[K] {
    const entry = this.#entries.get(handle)
    if (entry?.kind !== kind)
      throw new EnigmaError('INVALID_ARGUMENT', `handle ${handle} does not name a ${kind}`)
    return entry.value as Kinds[K]
  }
}
