import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import type { NodeId } from './types.ts'

const NODE_ID = /^0x[0-9a-f]{40}$/

export function isNodeId(value: unknown): value is NodeId {
  return typeof value === 'string' && NODE_ID.test(value)
}

/** Lower-cases a checksummed address. Throws INVALID_ARGUMENT. */
export function parseNodeId(value: string): NodeId {
  const id = value.toLowerCase()
  if (!isNodeId(id)) throw new EnigmaError('INVALID_ARGUMENT', `not a node id: ${value.slice(0, 80)}`)
  return id
}

/** The Ethereum address of a secp256k1 public key (33 or 65 bytes). Throws INVALID_ARGUMENT. */
export function nodeIdFromPublicKey(publicKey: Uint8Array): NodeId {
  let uncompressed: Uint8Array
  try {
    uncompressed = secp256k1.Point.fromBytes(publicKey).toBytes(false)
  } catch (cause) {
    throw new EnigmaError('INVALID_ARGUMENT', 'not a secp256k1 public key', { cause })
  }
  return toHex(keccak_256(uncompressed.subarray(1)).subarray(12)) as NodeId
}

/** The node id of a 32-byte secp256k1 private key. Throws INVALID_ARGUMENT. */
export function nodeIdFromPrivateKey(privateKey: Uint8Array): NodeId {
  if (privateKey.length !== 32 || !secp256k1.utils.isValidSecretKey(privateKey))
    throw new EnigmaError('INVALID_ARGUMENT', 'not a secp256k1 private key')
  return nodeIdFromPublicKey(secp256k1.getPublicKey(privateKey, true))
}
