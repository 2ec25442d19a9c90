import { EnigmaError } from '../base/errors.ts'
import type { Prg } from '../base/random.ts'
import { g1 } from '../commitments/g1.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import { combineRows, evaluatePoints, freeAll } from './batch.ts'
import { addCommitments } from './commitments.ts'
import { lagrangeCoefficients } from './shamir.ts'
import type { CoefficientCommitments, Pace, SharingParameters, VerifiableShare } from './types.ts'
import { type Dealing, deal, verifyShare } from './vss.ts'

/**
 * Verifiable re-sharing (Desmedt–Jajodia 1997; protocols of Herzberg et al., CRYPTO '95): the holders `from` (t + 1 of
 * them or more) hand a value to a committee with its own n and t without reconstructing it. Each deals λ_i·s_i with the
 * mask λ_i·ρ_i; the committee adds the dealings up and holds the same secret under the same value commitments.
 */
export interface Resharing {
  /** Indices of the holders that take part. All of them, and the committee, use the same list. */
  readonly from: readonly number[]
  /** The committee's parameters. */
  readonly to: SharingParameters
}

function weight({ from }: Resharing, index: number): bigint {
  const position = from.indexOf(index)
  if (position === -1)
    throw new EnigmaError('SHARE_INDEX', `party ${index} does not take part in the re-sharing`)
  return lagrangeCoefficients(field, from)[position]!
}

/**
 * A holder's contribution. Throws SHARE_INDEX if the holder is not in `from`, SHARING_PARAMETERS if `from` has fewer than
 * sourceT + 1 members, CANCELLED.
 */
export async function reshare(
  share: VerifiableShare,
  sourceT: number,
  resharing: Resharing,
  options: { prg?: Prg } & Pace = {},
): Promise<Dealing> {
  if (resharing.from.length <= sourceT)
    throw new EnigmaError(
      'SHARING_PARAMETERS',
      `${resharing.from.length} holders cannot re-share with t = ${sourceT}`,
    )
  const lambda = weight(resharing, share.index)
  const secrets = field.scale(share.values, lambda)
  const masks = field.scale(share.masks, lambda)
  try {
    return await deal(secrets, resharing.to, { ...options, masks })
  } finally {
    freeAll([secrets, masks])
  }
}

/**
 * Whether the constant terms of a contribution are λ_i times the commitments to holder i's share: a random linear
 * combination of all secrets at once. Anyone can check it; only holder `sender` can have made a contribution that fails.
 */
export async function verifyConstants(
  sender: number,
  contribution: CoefficientCommitments,
  source: CoefficientCommitments,
  resharing: Resharing,
  pace: Pace = {},
): Promise<boolean> {
  const lambda = weight(resharing, sender)
  if (contribution.length !== source.length || contribution.t !== resharing.to.t) return false
  const combined = await combineRows([...source.points, contribution.points[0]!], pace)
  const sourceRow = g1.slice(combined, 0, source.t + 1)
  const shareRow = evaluatePoints(sourceRow, sender)
  const expected = g1.scale(shareRow, lambda)
  const actual = g1.slice(combined, source.t + 1, source.t + 2)
  const valid = g1.equal(expected, actual)
  freeAll([combined, sourceRow, shareRow, expected, actual])
  return valid
}

/** One piece as a committee member received it. */
export interface Piece {
  readonly sender: number
  readonly share: VerifiableShare
  readonly commitments: CoefficientCommitments
}

/**
 * Checks the pieces of member `index` and returns the senders whose piece is missing, ill-formed, does not fit its own
 * commitments, or whose constants are not those of the sender's share. Empty: `combinePieces` may follow.
 */
export async function findBadPieces(
  index: number,
  pieces: readonly Piece[],
  source: CoefficientCommitments,
  resharing: Resharing,
  pace: Pace = {},
): Promise<number[]> {
  const bad: number[] = []
  for (const sender of resharing.from) {
    const own = pieces.filter((p) => p.sender === sender)
    const piece = own[0]
    const valid =
      piece !== undefined &&
      own.length === 1 &&
      piece.share.index === index &&
      piece.share.values.length === source.length &&
      piece.share.masks.length === source.length &&
      (await verifyConstants(sender, piece.commitments, source, resharing, pace)) &&
      (await verifyShare(piece.share, piece.commitments, pace))
    if (!valid) bad.push(sender)
  }
  return bad
}

/** The member's share of the re-shared vector: the sum of one checked piece of every holder in `from`. Throws SHARES_TOO_FEW. */
export function combinePieces(pieces: readonly Piece[], resharing: Resharing): VerifiableShare {
  const used = resharing.from.map((sender) => {
    const piece = pieces.find((p) => p.sender === sender)
    if (piece === undefined)
      throw new EnigmaError('SHARES_TOO_FEW', `the piece of holder ${sender} is missing`)
    return piece.share
  })
  const index = used[0]!.index
  if (used.some((s) => s.index !== index))
    throw new EnigmaError('SHARE_INDEX', 'pieces of different committee members cannot be added')
  return { index, ...addShares(used) }
}

/** Commitments of the re-shared vector; their constant terms are the source's. Order follows `from`. */
export function combineCommitments(contributions: readonly CoefficientCommitments[]): CoefficientCommitments {
  return addCommitments(contributions)
}

function addShares(shares: readonly VerifiableShare[]) {
  const ones = shares.map(() => 1n)
  const values = field.linear(
    ones,
    shares.map((s) => s.values),
  )
  const masks = field.linear(
    ones,
    shares.map((s) => s.masks),
  )
  return { values, masks }
}

/**
 * Proactive refresh (Herzberg et al., CRYPTO '95): a dealing of zeros with zero masks, whose constant commitments are the
 * point at infinity. Added to every share it makes older shares useless without changing the secret or C_0.
 */
export async function dealZero(
  length: number,
  parameters: SharingParameters,
  options: { prg?: Prg } & Pace = {},
): Promise<Dealing> {
  const zero = field.zeros(length)
  try {
    return await deal(zero, parameters, { ...options, masks: zero })
  } finally {
    zero.free()
  }
}

/** Whether a refresh dealing really shares zero: otherwise it would change the secret. */
export function sharesZero(commitments: CoefficientCommitments): boolean {
  return g1.isZero(commitments.points[0]!)
}

/** The share after a refresh: the old one plus the checked shares of zero. Throws SHARE_INDEX, LENGTH_MISMATCH. */
export function addToShare(share: VerifiableShare, updates: readonly VerifiableShare[]): VerifiableShare {
  if (updates.some((u) => u.index !== share.index))
    throw new EnigmaError('SHARE_INDEX', 'shares of different parties cannot be added')
  if (updates.some((u) => u.values.length !== share.values.length || u.masks.length !== share.masks.length))
    throw new EnigmaError('LENGTH_MISMATCH', 'shares of different lengths cannot be added')
  return { index: share.index, ...addShares([share, ...updates]) }
}
