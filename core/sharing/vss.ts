import { EnigmaError } from '../base/errors.ts'
import { Prg } from '../base/random.ts'
import { turn } from '../base/turns.ts'
import { g1 } from '../commitments/g1.ts'
import { commitVector, pedersen } from '../commitments/pedersen.ts'
import type { CommitmentVector } from '../commitments/types.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import type { FieldVector } from '../field/types.ts'
import { combineRows, evaluatePoints, freeAll } from './batch.ts'
import { MAX_SECRETS, shareCommitments } from './commitments.ts'
import { inSlices } from './pace.ts'
import { checkIndices, checkParameters, lagrangeCoefficients } from './shamir.ts'
import type { CoefficientCommitments, Pace, SharingParameters, VerifiableShare } from './types.ts'

/** Commitments made between two turns of the event loop: some 8 ms. */
const COMMIT_SLICE = 512

export interface Dealing {
  readonly commitments: CoefficientCommitments
  /** shares[i − 1] is for the holder with index i. */
  readonly shares: readonly VerifiableShare[]
}

/**
 * Pedersen's verifiable secret sharing (CRYPTO '91; paper Alg. 4) of a vector of `bn254Scalar`: two uniform polynomials
 * of degree t for each secret, value and mask, whose constant terms are the secret and `masks` (uniform when left out),
 * and commitments to their coefficients. Throws SHARING_PARAMETERS, LENGTH_MISMATCH, CANCELLED.
 */
export async function deal(
  secrets: FieldVector,
  parameters: SharingParameters,
  options: { prg?: Prg; masks?: FieldVector } & Pace = {},
): Promise<Dealing> {
  checkParameters(parameters)
  const { n, t } = parameters
  const length = secrets.length
  if (length < 1 || length > MAX_SECRETS)
    throw new EnigmaError(
      'SHARING_PARAMETERS',
      `${length} secrets in one sharing; 1 to ${MAX_SECRETS} are possible`,
    )
  if (options.masks !== undefined && options.masks.length !== length)
    throw new EnigmaError('LENGTH_MISMATCH', `${options.masks.length} masks for ${length} secrets`)
  const prg = options.prg ?? new Prg()
  const points: CommitmentVector[][] = Array.from({ length: t + 1 }, () => [])
  const values: FieldVector[][] = Array.from({ length: n }, () => [])
  const masks: FieldVector[][] = Array.from({ length: n }, () => [])
  try {
    await inSlices(length, Math.max(1, Math.floor(COMMIT_SLICE / (t + 1))), options, (from, to) => {
      const random = () => field.random(to - from, prg)
      const value = [field.slice(secrets, from, to), ...Array.from({ length: t }, random)]
      const mask = [
        options.masks === undefined ? random() : field.slice(options.masks, from, to),
        ...Array.from({ length: t }, random),
      ]
      const rows = [field.concat(value), field.concat(mask)] as const
      const committed = commitVector(...rows)
      for (let k = 0; k <= t; k++)
        points[k]!.push(g1.slice(committed, k * (to - from), (k + 1) * (to - from)))
      for (let i = 0; i < n; i++) {
        values[i]!.push(field.evaluate(value, BigInt(i + 1)))
        masks[i]!.push(field.evaluate(mask, BigInt(i + 1)))
      }
      freeAll(value, mask, rows, [committed])
    })
    const commitments = { t, length, points: [] as CommitmentVector[] }
    for (const parts of points) {
      await turn()
      commitments.points.push(g1.concat(parts))
    }
    const shares: VerifiableShare[] = []
    for (const [i, parts] of values.entries()) {
      await turn()
      shares.push({ index: i + 1, values: field.concat(parts), masks: field.concat(masks[i]!) })
    }
    return { commitments, shares }
  } finally {
    freeAll(...values, ...masks, ...points)
  }
}

function checkShape(share: VerifiableShare, commitments: CoefficientCommitments): void {
  checkIndices([share.index])
  if (share.values.length !== commitments.length || share.masks.length !== commitments.length)
    throw new EnigmaError(
      'LENGTH_MISMATCH',
      `a share of ${share.values.length} of ${commitments.length} secrets`,
    )
}

/**
 * Which of several holders' shares fit the commitments, for whole vectors at once: a random linear combination with
 * coefficients nobody could foresee, computed once for all holders, then one opening each. A false share passes with
 * probability 2^-128. Throws SHARE_INDEX, LENGTH_MISMATCH, CANCELLED.
 */
export async function verifyShares(
  shares: readonly VerifiableShare[],
  commitments: CoefficientCommitments,
  pace: Pace = {},
): Promise<boolean[]> {
  for (const share of shares) checkShape(share, commitments)
  // The combinations of values and masks, a pair for each share.
  let openings = field.zeros(2 * shares.length)
  const vectors = shares.flatMap((s) => [s.values, s.masks])
  const combined = await combineRows(commitments.points, pace, (rho, from, to) => {
    const parts = vectors.map((v) => field.slice(v, from, to))
    const inner = parts.map((v) => field.inner(v, rho))
    const pairs = field.concat(inner)
    const next = field.add(openings, pairs)
    freeAll([pairs, openings], parts, inner)
    openings = next
  })
  const results = shares.map((share, i) => {
    const value = field.slice(openings, 2 * i, 2 * i + 1)
    const mask = field.slice(openings, 2 * i + 1, 2 * i + 2)
    const expected = commitVector(value, mask)
    const actual = evaluatePoints(combined, share.index)
    const valid = g1.equal(expected, actual)
    freeAll([value, mask, expected, actual])
    return valid
  })
  freeAll([combined, openings])
  return results
}

/** Whether one holder's share fits the commitments: `verifyShares` for a single one. */
export async function verifyShare(
  share: VerifiableShare,
  commitments: CoefficientCommitments,
  pace: Pace = {},
): Promise<boolean> {
  const [valid] = await verifyShares([share], commitments, pace)
  return valid === true
}

/** The positions of the secrets whose shares do not fit, each checked by itself; slower than `verifyShare`. */
export async function findBadShares(
  share: VerifiableShare,
  commitments: CoefficientCommitments,
  pace: Pace = {},
): Promise<number[]> {
  checkShape(share, commitments)
  const bad: number[] = []
  const size = Math.max(16, Math.floor(2048 / (commitments.t + 1)))
  await inSlices(commitments.length, size, pace, (from, to) => {
    const expected = shareCommitments(commitments, share.index, from, to)
    const value = field.slice(share.values, from, to)
    const mask = field.slice(share.masks, from, to)
    for (const k of pedersen.mismatches(expected, value, mask)) bad.push(from + k)
    expected.free()
    freeAll([value, mask])
  })
  return bad
}

export interface Reconstruction {
  readonly secrets: FieldVector
  readonly masks: FieldVector
  /** Indices whose shares did not fit the commitments and were ignored. */
  readonly bad: readonly number[]
}

/**
 * The secrets from at least t + 1 shares that fit the commitments; others are ignored and named. Every share is checked.
 * Throws SHARES_TOO_FEW (details: have, need, bad), SHARE_INDEX, LENGTH_MISMATCH, CANCELLED.
 */
export async function reconstructVerified(
  shares: readonly VerifiableShare[],
  commitments: CoefficientCommitments,
  pace: Pace = {},
): Promise<Reconstruction> {
  checkIndices(shares.map((s) => s.index))
  const shaped = shares.filter(
    (s) => s.values.length === commitments.length && s.masks.length === commitments.length,
  )
  const fits = await verifyShares(shaped, commitments, pace)
  const good = shaped.filter((_, i) => fits[i] === true)
  const bad = shares.filter((s) => !good.includes(s)).map((s) => s.index)
  const need = commitments.t + 1
  if (good.length < need)
    throw new EnigmaError('SHARES_TOO_FEW', `${good.length} valid shares, ${need} are needed`, {
      details: { have: good.length, need, bad: bad.join(',') },
    })
  const used = good.slice(0, need)
  const lambda = lagrangeCoefficients(
    field,
    used.map((s) => s.index),
  )
  return {
    secrets: field.linear(
      lambda,
      used.map((s) => s.values),
    ),
    masks: field.linear(
      lambda,
      used.map((s) => s.masks),
    ),
    bad,
  }
}

export function freeShare(share: VerifiableShare): void {
  freeAll([share.values, share.masks])
}
