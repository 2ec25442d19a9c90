import type { ErrorCode } from '../base/errors.ts'
import type { Predicate, PredicateContext, PredicateOutcome, PredicateRefusal, RolesOf } from './types.ts'

type Kind = Predicate['kind']

/** Conditions that something other than who asks can meet, in the order in which they are blamed. */
const CONDITIONS: readonly [Kind, PredicateRefusal][] = [
  ['expiry', 'expired'],
  ['uses', 'usedUp'],
  ['functions', 'functionNotAllowed'],
  ['cohort', 'cohortTooSmall'],
  ['approval', 'approvalMissing'],
]

/** The error code that stands for each refusal. */
export const REFUSAL_CODES: Record<PredicateRefusal, ErrorCode> = {
  denied: 'PERMISSION_DENIED',
  expired: 'PREDICATE_EXPIRED',
  usedUp: 'PREDICATE_USED_UP',
  functionNotAllowed: 'FUNCTION_NOT_ALLOWED',
  cohortTooSmall: 'COHORT_TOO_SMALL',
  approvalMissing: 'APPROVAL_MISSING',
}

/**
 * CheckPermission (Alg. 2), exactly as the contract evaluates it. The reason of a refusal is the first
 * condition without which the rest would not do, supposing all the others were met.
 */
export function evaluatePredicate(
  predicate: Predicate,
  context: PredicateContext,
  rolesOf: RolesOf,
): PredicateOutcome {
  const holds = (assumed: ReadonlySet<Kind>) => truth(predicate, context, rolesOf, assumed)
  if (holds(new Set())) return { allowed: true }
  const all = new Set(CONDITIONS.map(([kind]) => kind))
  if (!holds(all)) return { allowed: false, reason: 'denied' }
  for (const [kind, reason] of CONDITIONS) {
    const others = new Set(all)
    others.delete(kind)
    if (!holds(others)) return { allowed: false, reason }
  }
  return { allowed: false, reason: 'denied' }
}

function truth(
  p: Predicate,
  context: PredicateContext,
  rolesOf: RolesOf,
  assumed: ReadonlySet<Kind>,
): boolean {
  switch (p.kind) {
    case 'and':
      return p.of.every((part) => truth(part, context, rolesOf, assumed))
    case 'or':
      return p.of.some((part) => truth(part, context, rolesOf, assumed))
    case 'not':
      return !truth(p.of, context, rolesOf, assumed)
    default:
      return assumed.has(p.kind) || isMet(p, context, rolesOf)
  }
}

/** One condition on its own; connectives by their parts. */
export function isMet(p: Predicate, context: PredicateContext, rolesOf: RolesOf): boolean {
  switch (p.kind) {
    case 'anyone':
      return true
    case 'owner':
      return same(context.account, context.owner)
    case 'keys':
      return p.accounts.some((account) => same(account, context.account))
    case 'role':
      return (rolesOf(p.identity ?? context.identity, context.account) & p.mask) === p.mask
    case 'expiry':
      return context.now < p.before
    case 'uses':
      return context.uses < p.max
    case 'functions':
      return p.ids.some((id) => same(id, context.functionId))
    case 'cohort':
      return context.cohort >= p.min
    case 'approval':
      return context.approved
    default:
      return truth(p, context, rolesOf, new Set())
  }
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
