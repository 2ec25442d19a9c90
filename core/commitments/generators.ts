import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { BN254_B, BN254_PRIME } from './g1.ts'

export interface AffinePoint {
  x: bigint
  y: bigint
}

/** G, the generator of EIP-196. */
export const GENERATOR_G: AffinePoint = { x: 1n, y: 2n }

export const GENERATOR_H_LABEL = 'enigma-vault/pedersen/bn254-g1/h/v1'

/**
 * H = deriveGenerator(GENERATOR_H_LABEL), written out so that contracts can carry the same constant; a test
 * derives it again.
 */
export const GENERATOR_H: AffinePoint = {
  x: 19465640118052058194706560154754930709771034061331429286003840118498668793738n,
  y: 3447484961235021844386428498719682572819592740851264624639440825336437916897n,
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let e = exponent, b = base; e > 0n; e >>= 1n, b = (b * b) % BN254_PRIME)
    if (e & 1n) result = (result * b) % BN254_PRIME
  return result
}

/**
 * A point whose logarithm nobody knows, by try-and-increment: x = keccak256(label ‖ counter) mod p with the counter
 * as four big-endian bytes from 0 until x³ + 3 is a square; y is the smaller root. Time depends on the label, which
 * is public. (Hashing to the curve per RFC 9380 defines no suite for BN254.)
 */
export function deriveGenerator(label: string): AffinePoint {
  for (let counter = 0; ; counter++) {
    const suffix = new Uint8Array(4)
    new DataView(suffix.buffer).setUint32(0, counter)
    const x =
      BigInt(`0x${Buffer.from(keccak_256(concatBytes(utf8(label), suffix))).toString('hex')}`) % BN254_PRIME
    const square = (x ** 3n + BN254_B) % BN254_PRIME
    const root = power(square, (BN254_PRIME + 1n) / 4n)
    if ((root * root) % BN254_PRIME !== square) continue
    return { x, y: 2n * root < BN254_PRIME ? root : BN254_PRIME - root }
  }
}

/** 64 bytes, x ‖ y, big-endian. */
export function encodeAffine({ x, y }: AffinePoint): Uint8Array {
  const hex = (v: bigint) => v.toString(16).padStart(64, '0')
  return new Uint8Array(Buffer.from(hex(x) + hex(y), 'hex'))
}
