import type { Predicate } from '../../../core/ipc/index.ts'
import { normalise } from '../predicates/model.ts'

/** The simple rule of the Share dialog: a few questions, joined by "and". */
export interface SimpleRule {
  recipients: 'anyone' | 'members' | 'named'
  accounts: string[]
  functions: string[]
  minimum: number
  approval: boolean
  until: number | undefined
  uses: number | undefined
}

export function toPredicate(rule: SimpleRule): Predicate {
  const of: Predicate[] = []
  if (rule.recipients === 'members') of.push({ kind: 'role', role: 'member' })
  if (rule.recipients === 'named') of.push({ kind: 'keys', accounts: rule.accounts })
  of.push({ kind: 'functions', functions: rule.functions })
  if (rule.minimum >= 2) of.push({ kind: 'cohort', minimum: rule.minimum })
  if (rule.approval) of.push({ kind: 'approval' })
  if (rule.until !== undefined) of.push({ kind: 'expiry', until: rule.until })
  if (rule.uses !== undefined) of.push({ kind: 'uses', count: rule.uses })
  return normalise({ kind: 'and', of })
}

/** Numbers of holders on offer, and how many of n may fail or collude: t < n/2. */
export const HOLDERS = [3, 5, 7, 9, 11, 15, 21, 32] as const
export const maxThreshold = (n: number): number => Math.min(15, Math.floor((n - 1) / 2))
