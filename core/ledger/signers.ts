import { getBytes, hexlify, SigningKey, Transaction, TypedDataEncoder, Wallet } from 'ethers'
import type { Address, Hex, NodeKey, Signer, TransactionToSign, TypedData } from './types.ts'

/** The 32-byte EIP-712 digest that a key signs. */
export function typedDataDigest(data: TypedData): Uint8Array {
  return getBytes(TypedDataEncoder.hash(data.domain, data.types, data.message))
}

/** The unsigned transaction as the chain serialises it. */
export function unsignedTransaction(tx: TransactionToSign): Transaction {
  return Transaction.from({ ...tx, type: 2 })
}

/**
 * A signer over a 32-byte secp256k1 key in memory: a node's hot key, or a test. ethers keeps the key as an
 * immutable string, which cannot be wiped (SECURITY.md).
 */
export function localSigner(privateKey: Uint8Array): Signer {
  const wallet = new Wallet(hexlify(privateKey))
  return {
    address: wallet.address.toLowerCase() as Address,
    signTransaction: async (tx) => (await wallet.signTransaction({ ...tx, type: 2 })) as Hex,
    signTypedData: async (data) => (await wallet.signTypedData(data.domain, data.types, data.message)) as Hex,
  }
}

/** The registry's view of a libp2p secp256k1 key. */
export function localNodeKey(privateKey: Uint8Array): NodeKey {
  const signer = localSigner(privateKey)
  const publicKey = getBytes(new SigningKey(hexlify(privateKey)).compressedPublicKey)
  return { address: signer.address, publicKey, signTypedData: signer.signTypedData }
}
