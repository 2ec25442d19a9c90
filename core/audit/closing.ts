import { concatBytes, toHex } from '../base/bytes.ts'
import { turn } from '../base/turns.ts'
import { g1 } from '../commitments/g1.ts'
import { encodeAffine } from '../commitments/generators.ts'
import { commitPoint, type Opening, openingDigest } from '../commitments/openings.ts'
import { commitVector } from '../commitments/pedersen.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { challenge } from './challenge.ts'
import { ANSWER_ROUND, OUTPUT_ROUND } from './constants.ts'
import type { Layout } from './layout.ts'
import type { Replayed } from './replay.ts'
import type { Adjoint } from './tape.ts'

const SIGNATURE_BYTES = 65
/** Point ‖ value ‖ mask ‖ signature of the opening. */
const ANSWER_BYTES = 64 + 32 + 32 + SIGNATURE_BYTES

/** The verifier's random combination of everything opened and output, and what it asks of each party. */
export interface Question {
  readonly adjoint: Adjoint
  /** Of each output element. */
  readonly outputWeights: FieldVector
  /** By party: Σ χ_k·d_k over the shares that it opened. */
  readonly values: readonly FieldVector[]
  /** By party: the constant that its commitments lack. */
  readonly constants: readonly FieldVector[]
}

/**
 * Draws χ from `seed`, the chain value after the parties are committed to their parts of the output, and runs the program
 * backwards: for party i, Π_leaf C_i^coefficient·g^constant_i = g^value_i·h^R_i·Π_k Y_i,k^weight_k with R_i its answer.
 */
export async function ask(
  field: PrimeField,
  layout: Layout,
  replayed: Replayed,
  seed: Uint8Array,
): Promise<Question> {
  const { tape, output, shares, offsets } = replayed
  const total = tape.opened.reduce((n, s) => n + s.length, 0)
  const chi = challenge(field, seed, 'openings', total)
  await turn()
  const outputWeights = challenge(field, seed, 'outputs', layout.outputs)
  let at = 0
  const weights = tape.opened.map(({ length }) => {
    at += length
    return field.slice(chi, at - length, at)
  })
  const secrets = [...tape.opened]
  if (output !== undefined) {
    secrets.push(output)
    weights.push(outputWeights)
  }
  const adjoint = await tape.backward(secrets, weights)
  const inner = (a: FieldVector, b: FieldVector) => (a.length === 0 ? field.zeros(1) : field.inner(a, b))
  return {
    adjoint,
    outputWeights,
    values: shares.map((s) => inner(chi, s)),
    constants: offsets.map((given, i) => {
      const moved = inner(adjoint.offsets, given)
      return i === 0 ? field.add(moved, adjoint.constant) : moved
    }),
  }
}

/** A party's answer to the question: R_i, and g^value·h^R_i as it claims it, to be signed. */
export function answer(
  field: PrimeField,
  question: Question,
  index: number,
  blinding: FieldVector,
  outputMasks: FieldVector | undefined,
): Opening {
  const whole = field.inner(question.adjoint.coefficients, blinding)
  const mask =
    outputMasks === undefined ? whole : field.sub(whole, field.inner(question.outputWeights, outputMasks))
  const value = field.toBigints(question.values[index]!)[0]!
  const opening = field.toBigints(mask)[0]!
  return { round: ANSWER_ROUND, position: 0, ...commitPoint(value, opening), value, mask: opening }
}

/** What a round is signed as, by its place in a transcript of `total` rounds: the last two are the closing ones. */
export function roundNumber(place: number, total: number): number {
  return place < total - 2 ? place : OUTPUT_ROUND + place - (total - 2)
}

/** The payload of the last round. */
export async function encodeAnswer(
  field: PrimeField,
  run: Uint8Array,
  opening: Opening,
  sign: (structHash: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const numbers = field.fromBigints([opening.value, opening.mask])
  const signature = await sign(openingDigest(run, opening))
  return concatBytes(encodeAffine(opening), field.toBytes(numbers), signature)
}

/** Undefined when the bytes are no answer. */
export function decodeAnswer(
  field: PrimeField,
  bytes: Uint8Array,
): { opening: Opening; signature: Uint8Array } | undefined {
  if (bytes.length !== ANSWER_BYTES) return undefined
  try {
    g1.fromBytes(bytes.subarray(0, 64)).free()
    const [value, mask] = field.toBigints(field.fromBytes(bytes.subarray(64, 128)))
    const coordinate = (from: number) => BigInt(toHex(bytes.subarray(from, from + 32)))
    const point = { x: coordinate(0), y: coordinate(32) }
    return {
      opening: { round: ANSWER_ROUND, position: 0, ...point, value: value!, mask: mask! },
      signature: bytes.slice(128),
    }
  } catch {
    return undefined
  }
}

/** Whether the answer opens the point that the party claims. */
export function fits({ x, y, value, mask }: Opening): boolean {
  const point = commitPoint(value, mask)
  return point.x === x && point.y === y
}

/** Whether every party committed to its parts of the output: otherwise the run has no result. */
export function hasOutputs(layout: Layout, payloads: readonly Uint8Array[]): boolean {
  return payloads.every((p) => p.length === g1.byteLength * layout.outputs)
}

/** Commitments to a party's parts of the output, 64 bytes each. */
export function commitOutputs(parts: FieldVector, masks: FieldVector): Uint8Array {
  const points = commitVector(parts, masks)
  const bytes = g1.toBytes(points)
  points.free()
  return bytes
}
