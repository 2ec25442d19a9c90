import { secp256k1 } from '@noble/curves/secp256k1.js'
import { computeAddress, hashMessage, Transaction, TypedDataEncoder } from 'ethers'
import { fromHex, toHex, wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { open } from './ecies.ts'
import type { AccountSigner, TransactionFields, TypedDataFields } from './types.ts'

type Hex = `0x${string}`

/** The 33-byte compressed key of a 32-byte private key. Throws INVALID_ARGUMENT outside [1, n−1]. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  if (!secp256k1.utils.isValidSecretKey(privateKey))
    throw new EnigmaError('INVALID_ARGUMENT', 'not a secp256k1 private key')
  return secp256k1.getPublicKey(privateKey, true)
}

/** The address (20 bytes, lower case) of a compressed (33 bytes) or uncompressed (65 bytes) public key. */
export function addressOf(publicKey: Uint8Array): Hex {
  if (!secp256k1.utils.isValidPublicKey(publicKey))
    throw new EnigmaError('INVALID_ARGUMENT', 'not a secp256k1 public key')
  return computeAddress(toHex(publicKey)).toLowerCase() as Hex
}

/** The address that made a 65-byte signature r‖s‖v over `digest`. Throws INVALID_ARGUMENT on a malformed or high-s one. */
export function recoverAddress(digest: Uint8Array, signature: Uint8Array): Hex {
  const v = signature[64]
  if (signature.length !== 65 || digest.length !== 32 || (v !== 27 && v !== 28))
    throw new EnigmaError('INVALID_ARGUMENT', 'not a recoverable signature')
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
    if (parsed.hasHighS()) throw new Error('high s')
    return addressOf(
      parsed
        .addRecoveryBit(v - 27)
        .recoverPublicKey(digest)
        .toBytes(true),
    )
  } catch {
    throw new EnigmaError('INVALID_ARGUMENT', 'not a recoverable signature')
  }
}

/** An account whose key lives in this process. Takes ownership of `privateKey` and wipes it on `dispose`. */
export class LocalSigner implements AccountSigner {
  readonly address: Hex
  readonly publicKey: Uint8Array
  readonly #key: Uint8Array
  #disposed = false

  constructor(privateKey: Uint8Array) {
    this.publicKey = publicKeyOf(privateKey)
    this.address = addressOf(this.publicKey)
    this.#key = privateKey
  }

  signDigest(digest: Uint8Array): Uint8Array {
    if (digest.length !== 32) throw new EnigmaError('INVALID_ARGUMENT', 'a digest has 32 bytes')
    // noble puts the recovery bit first; the EVM wants it last, plus 27.
    const signed = secp256k1.sign(digest, this.#use(), { prehash: false, lowS: true, format: 'recovered' })
    const out = new Uint8Array(65)
    out.set(signed.subarray(1), 0)
    out[64] = 27 + signed[0]!
    return out
  }

  signMessage(message: Uint8Array | string): Uint8Array {
    return this.signDigest(fromHex(hashMessage(message), 32))
  }

  async signTransaction(fields: TransactionFields): Promise<Hex> {
    // Without a chain id the transaction could be replayed on any chain (EIP-155).
    if (!Number.isSafeInteger(fields.chainId) || fields.chainId <= 0)
      throw new EnigmaError('INVALID_ARGUMENT', 'a transaction needs a chain id')
    const { chainId, nonce, to, value, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = fields
    const transaction = Transaction.from({
      type: 2,
      ...{ chainId, nonce, to, value, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas },
    })
    transaction.signature = toHex(this.signDigest(fromHex(transaction.unsignedHash, 32)))
    return transaction.serialized as Hex
  }

  async signTypedData(data: TypedDataFields): Promise<Hex> {
    const { EIP712Domain: _, ...types } = data.types
    const encoder = TypedDataEncoder.from(types)
    // The person is shown `primaryType`; what is hashed must be the same.
    if (encoder.primaryType !== data.primaryType)
      throw new EnigmaError(
        'INVALID_ARGUMENT',
        `the typed data describe ${encoder.primaryType}, not ${data.primaryType}`,
      )
    return toHex(this.signDigest(fromHex(TypedDataEncoder.hash(data.domain, types, data.message), 32)))
  }

  open(sealed: Uint8Array, aad?: Uint8Array): Uint8Array {
    return open(this.#use(), sealed, aad)
  }

  withPrivateKey<T>(use: (key: Uint8Array) => T): T {
    const copy = this.#use().slice()
    try {
      return use(copy)
    } finally {
      wipe(copy)
    }
  }

  dispose(): void {
    this.#disposed = true
    wipe(this.#key)
  }

  /** Keeps the key out of inspection and of JSON by accident. */
  toJSON(): { address: string } {
    return { address: this.address }
  }

  #use(): Uint8Array {
    if (this.#disposed)
      throw new EnigmaError('VAULT_LOCKED', 'the vault is locked', { remedy: 'Unlock the vault.' })
    return this.#key
  }
}
