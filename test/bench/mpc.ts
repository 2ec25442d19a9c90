import type { DegreeReduction } from '../../core/shamir-mpc/types.ts'
import { Children, type Figure, slowest } from './children.ts'
import type { Answer, Command } from './mpc-party.ts'

interface Case {
  readonly name: string
  readonly batch: number
  readonly rounds: number
  readonly repeats: number
}

const CASES: readonly Case[] = [
  { name: 'b1', batch: 1, rounds: 400, repeats: 5 },
  { name: 'b1e3', batch: 1000, rounds: 60, repeats: 5 },
  { name: 'b1e6', batch: 1_000_000, rounds: 1, repeats: 5 },
]
const COMMITTEES = [
  { n: 3, t: 1 },
  { n: 5, t: 2 },
] as const

export interface MpcBenchOptions {
  degreeReduction?: DegreeReduction
  chunk?: number
  /** Also yields CPU time and traffic per multiplication and party. */
  detail?: boolean
}

/**
 * Multiplications per second of the networked honest-majority protocol: every party is a process of its own,
 * connected by libp2p over the loopback interface, encrypted. b1: dependent single multiplications; b1e3 and
 * b1e6: batches of 10^3 and 10^6. The slowest party counts; medians of five runs. `only` is a name prefix.
 */
export async function* mpcBench(only = '', options: MpcBenchOptions = {}): AsyncGenerator<Figure> {
  for (const { n, t } of COMMITTEES) {
    const cases = CASES.filter((c) => `shamir.n${n}.${c.name}.per_s`.startsWith(only))
    if (cases.length === 0) continue
    const children = await mpcParties(n, t, options)
    try {
      for (const { name, batch, rounds, repeats } of cases) {
        const results = await children.ask({ kind: 'measure', batch, rounds, repeats }, 'measured')
        const value = Math.round((batch * rounds) / slowest(results))
        yield { name: `shamir.n${n}.${name}.per_s`, value, unit: '1/s' }
        if (!options.detail) continue
        const all = batch * rounds * repeats
        const mean = (f: (r: (typeof results)[number]) => number) =>
          results.reduce((s, r) => s + f(r), 0) / n / all
        yield { name: `shamir.n${n}.${name}.cpu`, value: mean((r) => r.cpuSeconds) * 1e9, unit: 'ns' }
        yield { name: `shamir.n${n}.${name}.sent`, value: mean((r) => r.bytesSent), unit: 'B' }
      }
    } finally {
      await children.stop()
    }
  }
}

/** A committee of n processes with threshold t that has joined; the caller stops it. */
export async function mpcParties(
  n: number,
  t: number,
  { degreeReduction, chunk }: MpcBenchOptions = {},
): Promise<Children<Command, Answer>> {
  const children = new Children<Command, Answer>('mpc-party.ts', n)
  try {
    const ready = await children.next('ready')
    const join: Command = {
      kind: 'join',
      ids: ready.map((r) => r.id),
      addresses: ready.map((r) => r.addresses),
      threshold: t,
      ...(degreeReduction ? { degreeReduction } : {}),
      ...(chunk ? { chunk } : {}),
    }
    await children.ask(join, 'joined')
    return children
  } catch (error) {
    await children.stop()
    throw error
  }
}
