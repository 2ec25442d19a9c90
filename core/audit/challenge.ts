import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { Prg } from '../base/random.ts'
import { payloadDigest } from '../commitments/rounds.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'

const CONTEXT = utf8('enigma/audit/context/1')
const COMMITMENTS = utf8('enigma/audit/commitments/1')
const KEY = utf8('enigma/audit/anchor/1')

/** Purposes of public randomness, each with a stream of its own. */
export type Purpose = 'sacrifice' | 'triples' | 'bits' | 'openings' | 'outputs'

/** Public random elements that follow from `seed` (32 bytes): Fiat and Shamir's challenge (CRYPTO '86). */
export function challenge(
  field: PrimeField,
  seed: Uint8Array,
  purpose: Purpose,
  length: number,
): FieldVector {
  return field.random(length, new Prg(keccak_256(concatBytes(utf8(`enigma/audit/${purpose}/1`), seed))))
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
