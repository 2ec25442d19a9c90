type Hex = `0x${string}`

/** An EIP-1559 transaction as it is shown and signed. `chainId` > 0 (EIP-155). */
export interface TransactionFields {
  chainId: number
  nonce: number
  to: Hex
  value: bigint
  data: Hex
  gasLimit: bigint
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
}

/** EIP-712 typed data. */
export interface TypedDataFields {
  domain: { name: string; version: string; chainId: number; verifyingContract: Hex }
  primaryType: string
  types: Record<string, { name: string; type: string }[]>
  message: Record<string, unknown>
}

/**
 * One secp256k1 account. The private key stays inside; after the keystore is locked every method throws
 * VAULT_LOCKED.
 */
export interface AccountSigner {
  /** 20 bytes, lower case. */
  readonly address: Hex
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array
  /** Signs a 32-byte digest as it is; 65 bytes r‖s‖v, v ∈ {27, 28}, s in the lower half (EIP-2). */
  signDigest(digest: Uint8Array): Uint8Array
  /** EIP-191 personal message; 65 bytes r‖s‖v. */
  signMessage(message: Uint8Array | string): Uint8Array
  /** The raw signed transaction, 0x-hex, ready for eth_sendRawTransaction. */
  signTransaction(transaction: TransactionFields): Promise<Hex>
  /** EIP-712; 65 bytes r‖s‖v as 0x-hex. Throws INVALID_ARGUMENT when `primaryType` is not the root of `types`. */
  signTypedData(data: TypedDataFields): Promise<Hex>
  /** Opens what was sealed to `publicKey` with `sealTo`. Throws RECORD_INVALID when it does not authenticate. */
  open(sealed: Uint8Array, aad?: Uint8Array): Uint8Array
  /** Lends the 32-byte private key to `use` and wipes the copy afterwards. For key agreement in the transport only. */
  withPrivateKey<T>(use: (key: Uint8Array) => T): T
}

/** Accounts derived from the recovery phrase. */
export interface WalletKeys {
  /** m/44'/60'/0'/0/i; account 0 is the main pseudonym. `index` in [0, 2^31). */
  signer(index?: number): AccountSigner
  /** m/44'/60'/1'/0/0: holds the node's deposit and fees. */
  deposit(): AccountSigner
  /** A key per job, so that a restored vault can open the results of old jobs. `jobId` is any text. */
  resultKey(jobId: string): AccountSigner
  /** 32 bytes bound to `label` (domain separation), for symmetric keys that must survive a restore. */
  deriveSecret(label: string): Uint8Array
  /** Wipes every key; idempotent. */
  dispose(): void
}
