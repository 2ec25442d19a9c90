import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { Prg } from '../base/random.ts'
import { payloadDigest } from '../commitments/rounds.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'

const CONTEXT = utf8('enigma/audit/context/1')
const COMMITMENTS = utf8('enigma/audit/commitments/1')
const KEY = utf8('enigma/audit/anchor/1')

/** Purposes of public randomness, each with a stream of its own. */
export type Purpose = 'sacrifice' | 'triples' | 'bits' | 'openings' | 'outputs' | 'flips' | 'randoms'

/** Public random elements that follow from `seed` (32 bytes): Fiat and Shamir's challenge (CRYPTO '86). */
export function challenge(
  field: PrimeField,
  seed: Uint8Array,
  purpose: Purpose,
  length: number,
): FieldVector {
  return field.random(length, new Prg(keccak_256(concatBytes(utf8(`enigma/audit/${purpose}/1`), seed))))
}

/**
 * Public randomness that is added to the committed bits and random elements, so that they are random even if all parties
 * chose them: b becomes b·sign + flip, which is b xor flip; r becomes r + shift.
 */
export interface Rerandomiser {
  readonly flips: FieldVector
  readonly signs: FieldVector
  readonly shifts: FieldVector
}

export function rerandomiser(
  field: PrimeField,
  seed: Uint8Array,
  bits: number,
  randoms: number,
): Rerandomiser {
  const coins = field.toBytes(challenge(field, seed, 'flips', bits))
  const flips = new Uint8Array(coins.length)
  for (let i = 0; i < bits; i++) flips[32 * i] = coins[32 * i]! & 1
  const c = field.fromBytes(flips)
  return {
    flips: c,
    signs: bits === 0 ? field.zeros(0) : field.mulAdd(c, field.fromBigints([-2n]), field.fromBigints([1n])),
    shifts: challenge(field, seed, 'randoms', randoms),
  }
}

/** 32 bytes: all that the parties are committed to before the challenge of the sacrifice is drawn. */
export function commitmentsDigest(
  run: Uint8Array,
  parties: readonly string[],
  inputs: readonly Uint8Array[],
  material: readonly Uint8Array[],
): Uint8Array {
  const digests = [...inputs, ...material].map(payloadDigest)
  return keccak_256(concatBytes(COMMITMENTS, run, keccak_256(utf8(parties.join(','))), ...digests))
}

/** The key of the dictionary under which the digest of a run's commitments is posted. */
export function anchorKey(run: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(KEY, run))
}

/** What the parties' signatures start from: the commitments, and the block that came after them. */
export function runContext(context: Uint8Array, commitments: Uint8Array, blockHash: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(CONTEXT, keccak_256(context), commitments, blockHash))
}
