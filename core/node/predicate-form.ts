import { EnigmaError } from '../base/errors.ts'
import type { Predicate as FormPredicate, Role } from '../ipc/index.ts'
import type { Predicate } from '../predicates/types.ts'

/** Bits of the access list, by the names that people see. Higher roles include what the lower ones may. */
export const ROLE_BITS: Record<Role, bigint> = { viewer: 1n, member: 2n, manager: 4n, owner: 8n }
const ORDER: Role[] = ['viewer', 'member', 'manager', 'owner']

/** The access list entry of a role: its bit and those of every lower role. */
export function rolesOf(role: Role): bigint {
  let bits = 0n
  for (const name of ORDER.slice(0, ORDER.indexOf(role) + 1)) bits |= ROLE_BITS[name]
  return bits
}

/** The highest role in an access list entry. */
export function roleName(bits: bigint): Role {
  return [...ORDER].reverse().find((name) => (bits & ROLE_BITS[name]) !== 0n) ?? 'viewer'
}

/** From the form that people build to the one that goes on chain. */
export function toChain(form: FormPredicate): Predicate {
  switch (form.kind) {
    case 'owner':
    case 'approval':
      return { kind: form.kind }
    case 'keys':
      return { kind: 'keys', accounts: form.accounts as `0x${string}`[] }
    case 'role':
      return { kind: 'role', mask: ROLE_BITS[form.role] }
    case 'expiry':
      return { kind: 'expiry', before: Math.floor(form.until / 1000) }
    case 'uses':
      return { kind: 'uses', max: form.count }
    case 'functions':
      return { kind: 'functions', ids: form.functions as `0x${string}`[] }
    case 'cohort':
      return { kind: 'cohort', min: form.minimum }
    case 'not':
      return { kind: 'not', of: toChain(form.of) }
    case 'and':
    case 'or':
      return form.of.length === 1
        ? toChain(form.of[0] as FormPredicate)
        : { kind: form.kind, of: form.of.map(toChain) }
  }
}

/** The way back. Conditions the form has no words for throw UNSUPPORTED. */
export function fromChain(predicate: Predicate): FormPredicate {
  switch (predicate.kind) {
    case 'owner':
    case 'approval':
      return { kind: predicate.kind }
    case 'keys':
      return { kind: 'keys', accounts: predicate.accounts }
    case 'role':
      if (predicate.identity !== undefined)
        throw new EnigmaError('UNSUPPORTED', 'a role in another identity has no sentence yet')
      return { kind: 'role', role: roleName(predicate.mask) }
    case 'expiry':
      return { kind: 'expiry', until: predicate.before * 1000 }
    case 'uses':
      return { kind: 'uses', count: predicate.max }
    case 'functions':
      return { kind: 'functions', functions: predicate.ids }
    case 'cohort':
      return { kind: 'cohort', minimum: predicate.min }
    case 'not':
      return { kind: 'not', of: fromChain(predicate.of) }
    case 'and':
    case 'or':
      return { kind: predicate.kind, of: predicate.of.map(fromChain) }
    case 'anyone':
      throw new EnigmaError('UNSUPPORTED', 'a rule that admits everyone has no sentence yet')
  }
}

/** Every condition in the rule at any depth, what is negated left out. */
export function conditions(form: FormPredicate): FormPredicate[] {
  if (form.kind === 'and' || form.kind === 'or') return form.of.flatMap(conditions)
  return form.kind === 'not' ? [] : [form]
}
