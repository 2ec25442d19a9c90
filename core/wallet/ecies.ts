import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, utf8, wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'

const VERSION = 1
const POINT = 33
const TAG = 16
const INFO = utf8('enigma/ecies-secp256k1-hkdf-sha256-aes256gcm/v1')

/** Bytes that sealing adds: version, ephemeral key, tag. */
export const SEAL_OVERHEAD = 1 + POINT + TAG

function keys(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array) {
  // Both public keys are part of the derivation, so a message cannot be re-bound to another key (SEC 1 §5.1, HPKE).
  const okm = new Uint8Array(
    hkdfSync('sha256', shared, new Uint8Array(0), concatBytes(INFO, ephemeral, recipient), 44),
  )
  wipe(shared)
  return { key: okm.subarray(0, 32), nonce: okm.subarray(32), okm }
}

/**
 * Encrypts to a compressed secp256k1 key (33 bytes): ephemeral ECDH, HKDF-SHA256, AES-256-GCM. Returns
 * version ‖ ephemeral key ‖ ciphertext ‖ tag. `aad` is authenticated, not sent. The key and nonce come from a
 * fresh ephemeral key, so each is used once. Throws INVALID_ARGUMENT when `publicKey` is not a point.
 */
export function sealTo(
  publicKey: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array = new Uint8Array(0),
): Uint8Array {
  if (publicKey.length !== POINT || !secp256k1.utils.isValidPublicKey(publicKey, true))
    throw new EnigmaError('INVALID_ARGUMENT', 'the recipient key is not a compressed secp256k1 point')
  const secret = secp256k1.utils.randomSecretKey()
  const ephemeral = secp256k1.getPublicKey(secret, true)
  const { key, nonce, okm } = keys(
    secp256k1.getSharedSecret(secret, publicKey).slice(1),
    ephemeral,
    publicKey,
  )
  try {
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    cipher.setAAD(aad)
    const body = cipher.update(plaintext)
    cipher.final()
    return concatBytes(new Uint8Array([VERSION]), ephemeral, body, cipher.getAuthTag())
  } finally {
    wipe(secret, okm)
  }
}

/** Opens what `sealTo` made for the key of `privateKey` (32 bytes). Throws RECORD_INVALID on anything else. */
export function open(
  privateKey: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const refuse = () =>
    new EnigmaError('RECORD_INVALID', 'the sealed message does not authenticate under this key')
  if (sealed.length < SEAL_OVERHEAD || sealed[0] !== VERSION) throw refuse()
  const ephemeral = sealed.slice(1, 1 + POINT)
  if (!secp256k1.utils.isValidPublicKey(ephemeral, true)) throw refuse()
  const recipient = secp256k1.getPublicKey(privateKey, true)
  const { key, nonce, okm } = keys(
    secp256k1.getSharedSecret(privateKey, ephemeral).slice(1),
    ephemeral,
    recipient,
  )
  let body: Uint8Array | undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce)
    decipher.setAAD(aad)
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
    body = decipher.update(sealed.subarray(1 + POINT, sealed.length - TAG))
    decipher.final()
    return new Uint8Array(body)
  } catch {
    wipe(body)
    throw refuse()
  } finally {
    wipe(okm)
  }
}
