import { wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { deriveKey } from './aead.ts'

const NO_SALT = new Uint8Array(0)

export function lockedError(): EnigmaError {
  return new EnigmaError('VAULT_LOCKED', 'the vault is locked', { remedy: 'Unlock the vault.' })
}

/**
 * The keys of an unlocked vault: the file key, which the slots of vault.enigma wrap and a new password replaces,
 * and the content key inside it, from which everything beside that file derives. Once closed, nothing derives:
 * a wiped key must never be used as if it were one.
 */
export class KeyRing {
  #fileKey: Uint8Array
  readonly #contentKey: Uint8Array
  #closed = false

  /** Takes ownership of both keys (32 bytes each). */
  constructor(fileKey: Uint8Array, contentKey: Uint8Array) {
    this.#fileKey = fileKey
    this.#contentKey = contentKey
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Throws VAULT_LOCKED once closed. */
  check(): void {
    if (this.#closed) throw lockedError()
  }

  get fileKey(): Uint8Array {
    this.check()
    return this.#fileKey
  }

  get contentKey(): Uint8Array {
    this.check()
    return this.#contentKey
  }

  /** 32 bytes for one purpose; the caller wipes them. */
  derive(purpose: string, salt: Uint8Array = NO_SALT): Uint8Array {
    return deriveKey(this.contentKey, salt, `enigma/vault/${purpose}/v1`)
  }

  replaceFileKey(fileKey: Uint8Array): void {
    this.check()
    wipe(this.#fileKey)
    this.#fileKey = fileKey
  }

  close(): void {
    this.#closed = true
    wipe(this.#fileKey, this.#contentKey)
  }
}
