import type { DegreeReduction } from '../../core/shamir-mpc/types.ts'
import { Child, type Figure, median } from './children.ts'
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
    const children = Array.from({ length: n }, () => new Child<Command, Answer>('mpc-party.ts'))
    try {
      const ready = await Promise.all(children.map((c) => c.next('ready')))
      const { degreeReduction, chunk } = options
      const join: Command = {
        kind: 'join',
        ids: ready.map((r) => r.id),
        addresses: ready.map((r) => r.addresses),
        threshold: t,
        ...(degreeReduction ? { degreeReduction } : {}),
        ...(chunk ? { chunk } : {}),
      }
      for (const c of children) c.send(join)
      await Promise.all(children.map((c) => c.next('joined')))
      for (const { name, batch, rounds, repeats } of cases) {
        for (const c of children) c.send({ kind: 'measure', batch, rounds, repeats })
        const results = await Promise.all(children.map((c) => c.next('measured')))
        const slowest = Array.from({ length: repeats }, (_, i) =>
          Math.max(...results.map((r) => r.seconds[i]!)),
        )
        const value = Math.round((batch * rounds) / median(slowest))
        yield { name: `shamir.n${n}.${name}.per_s`, value, unit: '1/s' }
        if (!options.detail) continue
        const all = batch * rounds * repeats
        const mean = (f: (r: (typeof results)[number]) => number) =>
          results.reduce((s, r) => s + f(r), 0) / n / all
        yield { name: `shamir.n${n}.${name}.cpu`, value: mean((r) => r.cpuSeconds) * 1e9, unit: 'ns' }
        yield { name: `shamir.n${n}.${name}.sent`, value: mean((r) => r.bytesSent), unit: 'B' }
      }
    } finally {
      await Promise.all(children.map((c) => c.stop()))
    }
  }
}
