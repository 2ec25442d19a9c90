import { concatBytes, wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { bn254Scalar } from '../field/fields.ts'
import type { FieldVector } from '../field/types.ts'
import type { FixedBases } from '../kernel/types.ts'
import { g1, g1Kernel } from './g1.ts'
import { encodeAffine, GENERATOR_G, GENERATOR_H } from './generators.ts'
import type { CommitmentVector, PedersenScheme } from './types.ts'

/** Window of the tables: 24 windows of 1,024 points for each generator, 3.1 MB together, made in some 20 ms. */
const WINDOW = 11
let tables: FixedBases | undefined

/** Makes the tables in turns, before a first commitment makes them at once. */
export async function prepareCommitments(): Promise<void> {
  for (const base of [0, 1]) {
    await turn()
    fixedBases().prepare(base)
  }
}

/** Of G and H. */
function fixedBases(): FixedBases {
  if (tables === undefined) {
    const bases = g1.fromBytes(concatBytes(encodeAffine(GENERATOR_G), encodeAffine(GENERATOR_H)))
    tables = g1Kernel.fixedBases(bases, WINDOW)
    bases.free()
  }
  return tables
}

/**
 * C_i = values_i·G + masks_i·H (Pedersen, CRYPTO '91). Perfectly hiding for uniform masks; binding under the discrete
 * logarithm in BN254 G1 (about 100 bits). Values and masks are vectors of `bn254Scalar` of one length; otherwise
 * LENGTH_MISMATCH. Not constant time: see core/kernel/assembly/curve.ts.
 */
export function commitVector(values: FieldVector, masks: FieldVector): CommitmentVector {
  if (values.length !== masks.length)
    throw new EnigmaError('LENGTH_MISMATCH', `${values.length} values and ${masks.length} masks`)
  const scalars = [bn254Scalar.toBytes(values), bn254Scalar.toBytes(masks)]
  try {
    return fixedBases().combine(scalars)
  } finally {
    wipe(...scalars)
  }
}

/** Pedersen commitments on BN254 G1. */
export const pedersen: PedersenScheme = {
  group: g1,
  commitVector,
  mismatches(commitments, values, masks) {
    const expected = commitVector(values, masks)
    try {
      return g1.differences(commitments, expected)
    } finally {
      expected.free()
    }
  },
}
