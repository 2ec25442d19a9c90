import { createHash } from 'node:crypto'
import { EnigmaError } from '../base/errors.ts'
import { Prg } from '../base/random.ts'
import type { Polynomial, RnsRing, WideIntegers } from '../kernel/ring.ts'
import { inAcceptedRange, maskWidth, uniformMasks } from './masks.ts'
import type { BgvParameters } from './parameters.ts'

const DIGEST = 32
/** A honest prover is rejected with probability below 0.1 each time. */
const MAX_ATTEMPTS = 200

export type WitnessKind = 'plaintext' | 'ternary' | 'error'

/**
 * A linear relation between short integers and polynomials: what is proven of keys and ciphertexts. `apply` is linear,
 * and statement_i = apply(witness_i).
 */
export interface Relation {
  /** Enters the challenge: which relation, under which key. */
  readonly domain: readonly Uint8Array[]
  readonly kinds: readonly WitnessKind[]
  /** Transformed polynomials. */
  apply(witness: readonly WideIntegers[]): Polynomial[]
}

/**
 * TopGear's amortised proof of short preimages (Baum, Cozzo and Smart, eprint 2019/035) for up to `batch` statements
 * at once: commitments A_v = apply(y_v), challenges W_vi = ±X^j, responses z_v = y_v + Σ_i W_vi·w_i. Made non-interactive by
 * hashing context, statements and commitments (Fiat–Shamir), so that one proof convinces every verifier, and
 * zero-knowledge by rejection sampling rather than by masks of 80 bits more: the responses' bounds, and with them all noise
 * downstream, are 56 bits smaller. Bytes: digest, then the responses of each row.
 */
export function prove(
  parameters: BgvParameters,
  ring: RnsRing,
  relation: Relation,
  statements: readonly Uint8Array[],
  witnesses: readonly (readonly WideIntegers[])[],
  context: Uint8Array,
  prg: Prg,
): Uint8Array {
  const { mask, margin } = parameters.noise
  const { rows, n } = parameters
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const masks = Array.from({ length: rows }, () =>
      relation.kinds.map((kind) => {
        const bytes = uniformMasks(prg, mask[kind], n)
        const integers = ring.integers(bytes, maskWidth(mask[kind]))
        bytes.fill(0)
        return integers
      }),
    )
    const hash = transcript(relation, statements, context)
    for (const row of masks) {
      for (const polynomial of relation.apply(row)) {
        hash.update(ring.encode(polynomial))
        polynomial.free()
      }
    }
    const digest = new Uint8Array(hash.digest())
    const powers = challenge(digest, rows, statements.length, n)
    const out: Uint8Array[] = [digest]
    for (const [v, row] of masks.entries())
      for (const [k, integers] of row.entries()) {
        witnesses.forEach((witness, i) => {
          ring.accumulateShifted(integers, witness[k]!, powers[v]![i]!)
        })
        const kind = relation.kinds[k]!
        const bytes = ring.toBytes(integers, maskWidth(mask[kind]))
        if (bytes !== undefined && inAcceptedRange(bytes, mask[kind], margin[kind])) out.push(bytes)
      }
    for (const row of masks) for (const integers of row) integers.free()
    if (out.length === 1 + rows * relation.kinds.length) return new Uint8Array(Buffer.concat(out))
  }
  throw new EnigmaError('INTERNAL', 'no proof was accepted: the witness is too large')
}

/** Bytes of a proof of a relation with these kinds of witnesses. */
export function proofLength(parameters: BgvParameters, kinds: readonly WitnessKind[]): number {
  const width = kinds.reduce((sum, kind) => sum + maskWidth(parameters.noise.mask[kind]), 0)
  return DIGEST + parameters.rows * parameters.n * width
}

/**
 * Whether the proof shows short witnesses of twice each statement. `images` are the statements as polynomials, in
 * coefficients. Throws PROOF_INVALID.
 */
export function verify(
  parameters: BgvParameters,
  ring: RnsRing,
  relation: Relation,
  statements: readonly Uint8Array[],
  images: readonly (readonly Polynomial[])[],
  proof: Uint8Array,
  context: Uint8Array,
): void {
  const { mask, margin } = parameters.noise
  const { rows, n } = parameters
  if (proof.length !== proofLength(parameters, relation.kinds))
    throw new EnigmaError('PROOF_INVALID', `a proof of ${proof.length} bytes has the wrong length`)
  const digest = proof.subarray(0, DIGEST)
  const powers = challenge(digest, rows, statements.length, n)
  const hash = transcript(relation, statements, context)
  let at = DIGEST
  for (let v = 0; v < rows; v++) {
    const responses = relation.kinds.map((kind) => {
      const width = maskWidth(mask[kind])
      const bytes = proof.subarray(at, at + width * n)
      at += width * n
      if (!inAcceptedRange(bytes, mask[kind], margin[kind]))
        throw new EnigmaError('PROOF_INVALID', 'a response of a proof is out of bounds')
      return ring.integers(bytes, width)
    })
    for (const [k, image] of relation.apply(responses).entries()) {
      // A_v = apply(z_v) − Σ_i W_vi·statement_i; −X^j = X^(j + N).
      ring.backward(image)
      images.forEach((statement, i) => {
        ring.accumulateShift(image, statement[k]!, (powers[v]![i]! + n) % (2 * n))
      })
      hash.update(ring.encode(ring.forward(ring.normalise(image))))
      image.free()
    }
    for (const integers of responses) integers.free()
  }
  if (!hash.digest().equals(digest))
    throw new EnigmaError('PROOF_INVALID', 'a proof of plaintext knowledge does not verify')
}

function transcript(relation: Relation, statements: readonly Uint8Array[], context: Uint8Array) {
  const hash = createHash('sha256')
  for (const part of [
    new TextEncoder().encode('enigma/bgv/proof/1'),
    ...relation.domain,
    context,
    ...statements,
  ]) {
    const length = new Uint8Array(8)
    new DataView(length.buffer).setBigUint64(0, BigInt(part.length))
    hash.update(length).update(part)
  }
  return hash
}

/** Exponents in [0, 2N), one for each row and statement. */
function challenge(digest: Uint8Array, rows: number, statements: number, n: number): number[][] {
  const bytes = new Prg(digest.slice()).bytes(4 * rows * statements)
  const view = new DataView(bytes.buffer)
  return Array.from({ length: rows }, (_, v) =>
    Array.from({ length: statements }, (_, i) => view.getUint32(4 * (v * statements + i)) % (2 * n)),
  )
}
