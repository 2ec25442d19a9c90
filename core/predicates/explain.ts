import { isMet } from './evaluate.ts'
import type { Predicate, PredicateContext, RolesOf } from './types.ts'

/** A predicate with the truth of each of its parts, for people. */
export interface Explanation {
  /** The condition or connective; for connectives `parts` holds what it joins. */
  kind: Predicate['kind']
  met: boolean
  /** Public facts to put into a sentence: what is asked for, and what is there. */
  facts: Record<string, string | number | boolean | string[]>
  parts: Explanation[]
}

/** What a predicate asks for, part by part, and whether the context meets it. */
export function explainPredicate(p: Predicate, context: PredicateContext, rolesOf: RolesOf): Explanation {
  const parts = (p.kind === 'and' || p.kind === 'or' ? p.of : p.kind === 'not' ? [p.of] : []).map((part) =>
    explainPredicate(part, context, rolesOf),
  )
  return { kind: p.kind, met: isMet(p, context, rolesOf), facts: factsOf(p, context), parts }
}

function factsOf(p: Predicate, context: PredicateContext): Explanation['facts'] {
  switch (p.kind) {
    case 'owner':
      return { owner: context.owner, account: context.account }
    case 'keys':
      return { accounts: p.accounts, account: context.account }
    case 'role':
      return { identity: p.identity ?? context.identity, mask: p.mask.toString(), account: context.account }
    case 'expiry':
      return { before: p.before, now: context.now }
    case 'uses':
      return { max: p.max, uses: context.uses, remaining: Math.max(0, p.max - context.uses) }
    case 'functions':
      return { functions: p.ids, function: context.functionId }
    case 'cohort':
      return { min: p.min, cohort: context.cohort }
    case 'approval':
      return { approved: context.approved }
    default:
      return {}
  }
}

/** Conditions of one kind anywhere in a predicate: what a list of permissions shows and filters by. */
export function conditionsOf<K extends Predicate['kind']>(
  p: Predicate,
  kind: K,
): Extract<Predicate, { kind: K }>[] {
  const below = p.kind === 'and' || p.kind === 'or' ? p.of : p.kind === 'not' ? [p.of] : []
  const rest = below.flatMap((part) => conditionsOf(part, kind))
  return p.kind === kind ? [p as Extract<Predicate, { kind: K }>, ...rest] : rest
}
