import { createField } from './field.ts'

/** r, the order of BN254's G1: the field of shared values (EIP-196/197; protocols use it by default). */
export const BN254_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
/** n, the order of secp256k1's group (SEC 2, §2.4.1): the field of threshold signing keys. */
export const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

export const bn254Scalar = createField({ name: 'bn254', modulus: BN254_ORDER })
export const secp256k1Scalar = createField({ name: 'secp256k1', modulus: SECP256K1_ORDER })
