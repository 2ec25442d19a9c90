import { type Predicate, predicate as predicateSchema } from '../../../core/ipc/index.ts'

export type Group = Extract<Predicate, { kind: 'and' | 'or' }>
export type Clause = Exclude<Predicate, { kind: 'and' | 'or' | 'not' }>
export type ClauseKind = Clause['kind']
/** Where a part of the rule stands: the indices from the root group down. */
export type Path = readonly number[]

export const CLAUSE_KINDS: readonly ClauseKind[] = [
  'approval',
  'functions',
  'cohort',
  'keys',
  'role',
  'expiry',
  'uses',
  'owner',
]

const day = 86_400_000
export const MAX_DEPTH = 3

/** A clause as it is added: complete where a sensible default exists, else to be filled in. */
export function newClause(kind: ClauseKind, now = Date.now()): Clause {
  switch (kind) {
    case 'keys':
      return { kind, accounts: [] }
    case 'role':
      return { kind, role: 'member' }
    case 'expiry':
      return { kind, until: endOfDay(now + 90 * day) }
    case 'uses':
      return { kind, count: 10 }
    case 'functions':
      return { kind, functions: [] }
    case 'cohort':
      return { kind, minimum: 5 }
    default:
      return { kind }
  }
}

/** The last second of the local day (chains count seconds), so that "until 3 May" includes the 3rd. */
export function endOfDay(at: number): number {
  const date = new Date(at)
  date.setHours(23, 59, 59, 0)
  return date.getTime()
}

export const isGroup = (p: Predicate): p is Group => p.kind === 'and' || p.kind === 'or'

/** The clause without its negation. */
export function positive(p: Predicate): { of: Exclude<Predicate, { kind: 'not' }>; negated: boolean } {
  let of = p
  let negated = false
  while (of.kind === 'not') {
    of = of.of
    negated = !negated
  }
  return { of, negated }
}

/** The builder edits a group; a single clause becomes a group of one. */
export function asGroup(p: Predicate): Group {
  return isGroup(p) ? p : { kind: 'and', of: [p] }
}

/** What goes on chain: no groups of one, no group directly inside one of its kind, no double negation. */
export function normalise(p: Predicate): Predicate {
  if (p.kind === 'not') {
    const inner = normalise(p.of)
    return inner.kind === 'not' ? inner.of : { kind: 'not', of: inner }
  }
  if (!isGroup(p)) return p
  const of = p.of.map(normalise).flatMap((q) => (q.kind === p.kind ? q.of : [q]))
  return of.length === 1 ? of[0]! : { kind: p.kind, of }
}

/** Replaces, or with undefined removes, the part at `path`. */
export function edit(root: Group, path: Path, change: (part: Predicate) => Predicate | undefined): Group {
  const [index, ...rest] = path
  if (index === undefined) return asGroup(change(root) ?? { kind: root.kind, of: [] })
  const of = root.of.flatMap((part, i) => {
    if (i !== index) return [part]
    if (rest.length === 0) return change(part) ?? []
    const { of: inner, negated } = positive(part)
    if (!isGroup(inner)) return [part]
    const next = edit(inner, rest, change)
    return [negated ? ({ kind: 'not', of: next } as const) : next]
  })
  return { kind: root.kind, of }
}

export type Problem = 'empty' | 'accounts' | 'functions' | 'past' | 'invalid'

/** What keeps the rule from being published, or undefined. */
export function problemOf(root: Predicate, now = Date.now()): Problem | undefined {
  const part = positive(root).of
  if (isGroup(part)) {
    if (part.of.length === 0) return 'empty'
    for (const child of part.of) {
      const problem = problemOf(child, now)
      if (problem !== undefined) return problem
    }
  }
  if (part.kind === 'keys' && part.accounts.length === 0) return 'accounts'
  if (part.kind === 'functions' && part.functions.length === 0) return 'functions'
  if (part.kind === 'expiry' && part.until <= now) return 'past'
  return predicateSchema.safeParse(root).success ? undefined : 'invalid'
}

export interface Template {
  id: 'average' | 'partner' | 'team' | 'once'
  build(codeHashes: Map<string, string>, now?: number): Group
}

const named = (codeHashes: Map<string, string>, ids: string[]): Clause => ({
  kind: 'functions',
  functions: ids.flatMap((id) => codeHashes.get(id) ?? []),
})

/** Starting points; `codeHashes` maps a built-in function to the hash of its code. */
export const TEMPLATES: readonly Template[] = [
  {
    id: 'average',
    build: (hashes) => ({
      kind: 'and',
      of: [named(hashes, ['mean', 'sum']), { kind: 'cohort', minimum: 5 }, { kind: 'approval' }],
    }),
  },
  {
    id: 'partner',
    build: (hashes, now = Date.now()) => ({
      kind: 'and',
      of: [
        { kind: 'keys', accounts: [] },
        named(hashes, ['mean', 'variance']),
        { kind: 'cohort', minimum: 3 },
        { kind: 'expiry', until: endOfDay(now + 90 * day) },
        { kind: 'uses', count: 10 },
      ],
    }),
  },
  {
    id: 'team',
    build: () => ({
      kind: 'and',
      of: [
        { kind: 'role', role: 'member' },
        { kind: 'cohort', minimum: 3 },
      ],
    }),
  },
  {
    id: 'once',
    build: () => ({ kind: 'and', of: [{ kind: 'approval' }, { kind: 'uses', count: 1 }] }),
  },
]
