import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, toHex, utf8 } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { bn254Scalar } from '../field/fields.ts'
import { g1 } from './g1.ts'
import type { AffinePoint } from './generators.ts'
import { commitVector } from './pedersen.ts'

/** EIP-712 type of a signed opening; contracts compute the same. */
export const OPENING_TYPE =
  'Opening(bytes32 run,uint32 round,uint32 position,uint256 x,uint256 y,uint256 value,uint256 mask)'

/** A party's statement that g^value·h^mask is the point (x, y), at a place of a run. */
export interface Opening extends AffinePoint {
  readonly round: number
  readonly position: number
  readonly value: bigint
  readonly mask: bigint
}

/** The EIP-712 struct hash of an opening (32 bytes), to be signed under the ledger's domain. Throws INVALID_ARGUMENT. */
export function openingDigest(run: Uint8Array, o: Opening): Uint8Array {
  if (run.length !== 32) throw new EnigmaError('INVALID_ARGUMENT', `a run has 32 bytes, not ${run.length}`)
  const words = [o.round, o.position, o.x, o.y, o.value, o.mask].map((v) => uint256(BigInt(v)))
  return keccak_256(concatBytes(keccak_256(utf8(OPENING_TYPE)), run, ...words))
}

/** The commitment to one value: g^value·h^mask. */
export function commitPoint(value: bigint, mask: bigint): AffinePoint {
  const [v, m] = [bn254Scalar.fromBigints([value]), bn254Scalar.fromBigints([mask])]
  const point = commitVector(v, m)
  const bytes = g1.toBytes(point)
  for (const part of [v, m, point]) part.free()
  return { x: BigInt(toHex(bytes.subarray(0, 32))), y: BigInt(toHex(bytes.subarray(32))) }
}

function uint256(value: bigint): Uint8Array {
  if (value < 0n || value >> 256n !== 0n) throw new EnigmaError('INVALID_ARGUMENT', 'not a 256-bit number')
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))
}
