import { EnigmaError } from '../base/errors.ts'
import type { Prg } from '../base/random.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import { reconstructAdditively, shareAdditively } from './additive.ts'
import { freeAll } from './batch.ts'
import { checkIndices, lagrangeCoefficients } from './shamir.ts'
import type { CoefficientCommitments, Pace, VerifiableShare } from './types.ts'
import { verifyShare } from './vss.ts'

/**
 * Recovery of the share of a lost holder for its replacement, without reconstructing the value (Herzberg et al.,
 * CRYPTO '95): t + 1 helpers split their term of q(target) additively among themselves; the sums each has received go to
 * the replacement, which learns its share and nothing else, since it sees one uniform sharing of it.
 *
 * A helper that lies makes the final check fail and cannot be named by it: try again with other helpers.
 */
export interface Recovery {
  /** Exactly t + 1 indices, the same list for everybody. */
  readonly helpers: readonly number[]
  /** The index whose share is rebuilt; not a helper. */
  readonly target: number
}

function check({ helpers, target }: Recovery): void {
  checkIndices([...helpers, target])
}

/** A helper's pieces: pieces[k] is for helpers[k] (its `index` says so). Throws SHARE_INDEX, SHARING_PARAMETERS. */
export function splitForRecovery(
  share: VerifiableShare,
  t: number,
  recovery: Recovery,
  prg?: Prg,
): VerifiableShare[] {
  check(recovery)
  const { helpers, target } = recovery
  if (helpers.length !== t + 1)
    throw new EnigmaError('SHARING_PARAMETERS', `${helpers.length} helpers; exactly ${t + 1} are needed`)
  const position = helpers.indexOf(share.index)
  if (position === -1) throw new EnigmaError('SHARE_INDEX', `party ${share.index} is not a helper`)
  const lambda = lagrangeCoefficients(field, helpers, target)[position]!
  const value = field.scale(share.values, lambda)
  const mask = field.scale(share.masks, lambda)
  const values = shareAdditively(field, value, helpers.length, prg)
  const masks = shareAdditively(field, mask, helpers.length, prg)
  freeAll([value, mask])
  return helpers.map((index, k) => ({ index, values: values[k]!, masks: masks[k]! }))
}

/**
 * The sum a helper sends to the replacement, from the pieces of all helpers (its own included, each once).
 * Throws SHARES_TOO_FEW, SHARE_INDEX, LENGTH_MISMATCH.
 */
export function sumForRecovery(
  index: number,
  pieces: readonly VerifiableShare[],
  recovery: Recovery,
): VerifiableShare {
  check(recovery)
  if (pieces.length !== recovery.helpers.length)
    throw new EnigmaError('SHARES_TOO_FEW', `${pieces.length} pieces of ${recovery.helpers.length} helpers`)
  if (pieces.some((p) => p.index !== index))
    throw new EnigmaError('SHARE_INDEX', `a piece is not for helper ${index}`)
  return { index, ...sum(pieces) }
}

/**
 * The replacement's share from the helpers' sums, checked against the commitments. Throws SHARES_TOO_FEW or SHARE_INDEX
 * if a helper's sum is missing or double, SHARE_INVALID if the result does not fit the commitments.
 */
export async function recoverShare(
  sums: readonly VerifiableShare[],
  recovery: Recovery,
  commitments: CoefficientCommitments,
  pace: Pace = {},
): Promise<VerifiableShare> {
  check(recovery)
  checkIndices(sums.map((s) => s.index))
  if (sums.length !== recovery.helpers.length || sums.some((s) => !recovery.helpers.includes(s.index)))
    throw new EnigmaError('SHARES_TOO_FEW', 'the sums are not those of all helpers')
  if (sums.some((s) => s.values.length !== commitments.length || s.masks.length !== commitments.length))
    throw new EnigmaError('LENGTH_MISMATCH', 'a sum has another length than the commitments')
  const share = { index: recovery.target, ...sum(sums) }
  if (await verifyShare(share, commitments, pace)) return share
  freeAll([share.values, share.masks])
  throw new EnigmaError(
    'SHARE_INVALID',
    `the rebuilt share of party ${recovery.target} does not fit the commitments`,
    {
      remedy: 'Try again with other helpers: one of these sent a wrong value.',
    },
  )
}

function sum(shares: readonly VerifiableShare[]) {
  return {
    values: reconstructAdditively(
      field,
      shares.map((s) => s.values),
    ),
    masks: reconstructAdditively(
      field,
      shares.map((s) => s.masks),
    ),
  }
}
