import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import type { Address } from './types.ts'

const VERSION = 1
const OVERHEAD = 1 + 12 + 16

/**
 * Client-side encryption of a record: AES-256-GCM, version ‖ nonce ‖ ciphertext ‖ tag, bound to its owner. The
 * nonce is random: one key seals at most 2³² records (NIST SP 800-38D §8.3).
 */
export function seal(key: Uint8Array, owner: Address, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', check(key), nonce)
  cipher.setAAD(aad(owner))
  const body = concatBytes(cipher.update(plaintext), cipher.final())
  return concatBytes(Uint8Array.of(VERSION), nonce, body, cipher.getAuthTag())
}

/** Throws RECORD_INVALID when the record was not sealed with this key for this owner. */
export function unseal(key: Uint8Array, owner: Address, sealed: Uint8Array): Uint8Array {
  if (sealed.length < OVERHEAD || sealed[0] !== VERSION)
    throw new EnigmaError('RECORD_INVALID', 'not an encrypted record of a known version')
  const decipher = createDecipheriv('aes-256-gcm', check(key), sealed.subarray(1, 13), { authTagLength: 16 })
  decipher.setAAD(aad(owner))
  decipher.setAuthTag(sealed.subarray(sealed.length - 16))
  try {
    return concatBytes(decipher.update(sealed.subarray(13, sealed.length - 16)), decipher.final())
  } catch (cause) {
    throw new EnigmaError('RECORD_INVALID', 'an encrypted record does not authenticate', { cause })
  }
}

function check(key: Uint8Array): Uint8Array {
  if (key.length !== 32) throw new EnigmaError('INVALID_ARGUMENT', 'an encryption key has 32 bytes')
  return key
}

function aad(owner: Address): Uint8Array {
  return utf8(`enigma/dht/sealed/1:${owner}`)
}
