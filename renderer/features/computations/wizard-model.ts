import type { ComputeFunction, ComputeProtocol, Predicate, Reference } from '../../../core/ipc/index.ts'
import { isGroup, positive } from '../predicates/model.ts'

export const STEPS = ['function', 'data', 'params', 'committee', 'review'] as const
export type Step = (typeof STEPS)[number]

export const MAX_REFERENCES = 5000
const DECIMAL = /^-?\d{1,30}(\.\d{1,30})?$/

export const PROTOCOLS = [
  'honest-majority',
  'spdz',
  'spdz-audited',
] as const satisfies readonly ComputeProtocol[]

/** Committees on offer: n nodes, of which t may collude: less than half, or with SPDZ all but one. */
export function committees(protocol: ComputeProtocol): readonly { n: number; t: number }[] {
  return protocol === 'honest-majority'
    ? [3, 5, 7, 9].map((n) => ({ n, t: (n - 1) / 2 }))
    : [2, 3, 5].map((n) => ({ n, t: n - 1 }))
}

export interface Request {
  fn: ComputeFunction | undefined
  refs: readonly string[]
  /** As typed; lists are split when they are sent. */
  params: Record<string, string>
  protocol: ComputeProtocol
  n: number
  t: number
  label: string
}

export const newRequest = (): Request => ({
  fn: undefined,
  refs: [],
  params: {},
  protocol: 'honest-majority',
  n: 3,
  t: 1,
  label: '',
})

/** Whether the function can take this reference at all. */
export function suits(fn: ComputeFunction | undefined, reference: Pick<Reference, 'length'>): boolean {
  if (fn?.input === 'scalar') return reference.length === 1
  if (fn?.input === 'pairs') return reference.length % 2 === 0
  return true
}

export function splitNumbers(text: string): string[] {
  return text.split(/[\s,;，；]+/).filter((part) => part !== '')
}

export type ParamProblem =
  | { kind: 'required' | 'decimal' | 'decimals' | 'reference' }
  | { kind: 'weightsCount'; needed: number; count: number }
  | { kind: 'lengthMismatch'; length: number }

/** What is wrong with one parameter, given the references that were chosen. */
export function paramProblem(
  fn: ComputeFunction,
  name: string,
  text: string,
  chosen: readonly (Pick<Reference, 'length'> & Partial<Pick<Reference, 'ref'>>)[],
): ParamProblem | undefined {
  const param = fn.params.find((p) => p.name === name)
  if (param === undefined) return undefined
  if (text.trim() === '') return param.required ? { kind: 'required' } : undefined
  if (param.kind === 'reference')
    return chosen.some((r) => r.ref === text && r.length === 1) ? undefined : { kind: 'reference' }
  if (param.kind === 'decimal') return DECIMAL.test(text.trim()) ? undefined : { kind: 'decimal' }
  if (param.kind !== 'decimals') return undefined
  const numbers = splitNumbers(text)
  if (!numbers.every((n) => DECIMAL.test(n))) return { kind: 'decimals' }
  if (name !== 'weights') return undefined
  if (fn.input === 'weights') {
    const other = chosen.find((r) => r.length !== numbers.length)
    return other && { kind: 'lengthMismatch', length: other.length }
  }
  const needed = chosen.reduce((sum, r) => sum + r.length, 0)
  return numbers.length === needed ? undefined : { kind: 'weightsCount', needed, count: numbers.length }
}

/** Parameters in the form of the contract: decimals stay exact strings; what was left out stays out. */
export function toParams(request: Request): Record<string, unknown> {
  const params: Record<string, unknown> = {}
  for (const param of request.fn?.params ?? []) {
    const text = (request.params[param.name] ?? '').trim()
    if (text === '') continue
    params[param.name] = param.kind === 'decimals' ? splitNumbers(text) : text
  }
  return params
}

/** Conditions that must hold whatever else does: those joined by "and" from the top. */
function required(rule: Predicate): Predicate[] {
  const { of, negated } = positive(rule)
  if (negated) return []
  if (!isGroup(of)) return [of]
  return of.kind === 'and' || of.of.length === 1 ? of.of.flatMap(required) : []
}

/** What the owners' rules ask for: the largest minimum of people, and whether somebody has to approve. */
export function demands(chosen: readonly Reference[]): { minimum: number; approval: boolean } {
  const all = chosen.flatMap((r) => (r.predicate === undefined ? [] : required(r.predicate)))
  return {
    minimum: Math.max(0, ...all.map((c) => (c.kind === 'cohort' ? c.minimum : 0))),
    approval: all.some((c) => c.kind === 'approval'),
  }
}

export const ownersOf = (chosen: readonly Reference[]): number => new Set(chosen.map((r) => r.owner)).size
