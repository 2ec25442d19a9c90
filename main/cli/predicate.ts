import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { day, hour, minute } from '../../core/base/units.ts'
import { EnigmaError, type Predicate, predicate, role } from '../../core/ipc/index.ts'
import type { NodeClient } from '../host/client.ts'

export interface PredicateOptions {
  predicate?: string
  minCohort?: number
  approval?: boolean
  function?: string[]
  expires?: number
  uses?: number
  allow?: string[]
  role?: string
}

const UNITS: Record<string, number> = { m: minute, h: hour, d: day, w: 7 * day }

/** "30d", "12h", or a date: milliseconds since the epoch. */
export function parseExpiry(text: string, now = Date.now()): number {
  const [, amount, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? []
  const until = amount === undefined ? Date.parse(text) : now + Number(amount) * (UNITS[unit ?? ''] ?? 0)
  if (!Number.isFinite(until) || until <= now)
    throw new InvalidArgumentError('Give a time from now (30d, 12h, 45m, 2w) or a date in the future.')
  return until
}

export function parseCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}

export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value]
}

/** The flags that build a rule; several must all hold. */
export function withPredicate(command: Command): Command {
  return command
    .option('--predicate <file|json>', 'the rule as JSON, instead of the flags below')
    .option('--min-cohort <n>', 'at least so many people in a computation', parseCount)
    .option('--approval', 'you approve each computation')
    .option('--function <name>', 'only this function: sum, mean, … (repeatable)', collect)
    .option('--expires <time>', 'until then: 30d, 12h, or a date', (text) => parseExpiry(text))
    .option('--uses <n>', 'at most so many computations', parseCount)
    .option('--allow <account>', 'only this account (repeatable)', collect)
    .option('--role <role>', `only members of the identity with this role: ${role.options.join(', ')}`)
}

/** The rule of the flags; undefined when none was given. Function names become code hashes. */
export async function buildPredicate(
  options: PredicateOptions,
  client: NodeClient,
): Promise<Predicate | undefined> {
  if (options.predicate !== undefined) return parsePredicate(options.predicate)
  const all: Predicate[] = []
  if (options.allow) all.push({ kind: 'keys', accounts: options.allow.map((a) => a.toLowerCase()) })
  if (options.role !== undefined) all.push({ kind: 'role', role: options.role as never })
  if (options.expires !== undefined) all.push({ kind: 'expiry', until: options.expires })
  if (options.uses !== undefined) all.push({ kind: 'uses', count: options.uses })
  if (options.function) all.push({ kind: 'functions', functions: await hashes(options.function, client) })
  if (options.minCohort !== undefined) all.push({ kind: 'cohort', minimum: options.minCohort })
  if (options.approval) all.push({ kind: 'approval' })
  const first = all[0]
  if (first === undefined) return undefined
  return checked(all.length === 1 ? first : { kind: 'and', of: all })
}

/** JSON given as it is, or in a file. */
export function parsePredicate(text: string): Predicate {
  let json = text
  if (!text.trimStart().startsWith('{')) {
    try {
      json = readFileSync(text, 'utf8')
    } catch (error) {
      throw new EnigmaError(
        'INVALID_ARGUMENT',
        `cannot read ${text}: ${(error as NodeJS.ErrnoException).code}`,
      )
    }
  }
  try {
    return checked(JSON.parse(json))
  } catch (error) {
    if (error instanceof SyntaxError) throw new EnigmaError('PREDICATE_INVALID', 'the predicate is not JSON')
    throw error
  }
}

function checked(value: unknown): Predicate {
  const parsed = predicate.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new EnigmaError('PREDICATE_INVALID', `${issue?.path.join('.') || 'predicate'}: ${issue?.message}`)
}

async function hashes(names: string[], client: NodeClient): Promise<string[]> {
  const { functions } = await client.call('compute.functions', {})
  return names.map((name) => {
    if (/^0x[0-9a-f]{64}$/.test(name)) return name
    const found = functions.find((f) => f.id === name)
    if (found) return found.codeHash
    throw new EnigmaError('INVALID_ARGUMENT', `no function ${name}`, {
      remedy: `There are: ${functions.map((f) => f.id).join(', ')}.`,
    })
  })
}
