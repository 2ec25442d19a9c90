import { Children, type Figure, slowest } from './children.ts'
import type { Answer, Command } from './spdz-party.ts'
import { loopFigure } from './turns.ts'

const CASES = [
  { name: 'b1', batch: 1, rounds: 300, repeats: 3 },
  { name: 'b1e3', batch: 1000, rounds: 40, repeats: 3 },
  { name: 'b1e6', batch: 1_000_000, rounds: 1, repeats: 5 },
] as const
const BATCHES = 12
const SLOTS = 32_768
const COMPARISONS = 4000

/**
 * LowGear with full security, and the online phase of SPDZ over a dealer's material, every party a process of its own,
 * connected by libp2p over the loopback interface, encrypted. MAC and echo checks are inside the measured time. The
 * slowest party counts; medians of the repeats. `loop.*` is how long the event loop of a party is held at most. `only` is a name prefix.
 */
export async function* spdzBench(only = ''): AsyncGenerator<Figure> {
  const wanted = (...names: string[]) => names.some((name) => name.startsWith(only) || only.startsWith(name))
  for (const n of [2, 3]) {
    if (!wanted(`keygen.n${n}`, `triples.n${n}`, ...(n === 2 ? ['loop.triples'] : []))) continue
    yield* withParties(n, async function* (parties) {
      const setup = await parties.ask({ kind: 'gear' }, 'measured')
      if (n === 2) yield { name: 'keygen.n2.s', value: round(slowest(setup), 3), unit: 's' }
      const results = await parties.ask({ kind: 'triples', batches: BATCHES, repeats: 2 }, 'measured')
      const count = BATCHES * SLOTS
      yield { name: `triples.n${n}.per_s`, value: Math.round(count / slowest(results)), unit: '1/s' }
      const bytes = results.reduce((sum, r) => sum + r.bytesSent, 0) / (2 * count)
      yield { name: `triples.n${n}.bytes`, value: Math.round(bytes), unit: 'B' }
      if (n === 2) yield loopFigure('triples', [...setup, ...results])
    })
  }
  for (const n of [2, 3, 5]) {
    const cases = CASES.filter(({ name }) =>
      wanted(`spdz.n${n}.${name}`, ...(n === 3 && name === 'b1e6' ? ['loop.multiply'] : [])),
    )
    const extra = n === 3 && wanted('spdz.open', 'cmp64', 'loop.compare')
    if (cases.length === 0 && !extra) continue
    yield* withParties(n, async function* (parties) {
      await parties.ask({ kind: 'online' }, 'met')
      for (const { name, ...command } of cases) {
        const results = await parties.ask({ kind: 'multiply', ...command }, 'measured')
        const value = Math.round((command.batch * command.rounds) / slowest(results))
        yield { name: `spdz.n${n}.${name}.per_s`, value, unit: '1/s' }
        if (n === 3 && name === 'b1e6') yield loopFigure('multiply', results)
      }
      if (!extra) return
      const rounds = 500
      yield {
        name: 'spdz.open.us',
        value: Math.round((slowest(await parties.ask({ kind: 'open', rounds }, 'measured')) * 1e6) / rounds),
        unit: 'us',
      }
      const results = await parties.ask({ kind: 'compare', batch: COMPARISONS, repeats: 3 }, 'measured')
      yield { name: 'cmp64.n3.per_s', value: Math.round(COMPARISONS / slowest(results)), unit: '1/s' }
      yield loopFigure('compare', results)
    })
  }
}

type Parties = Children<Command, Answer>

async function* withParties(
  n: number,
  work: (parties: Parties) => AsyncGenerator<Figure>,
): AsyncGenerator<Figure> {
  const parties = await spdzParties(n)
  try {
    yield* work(parties)
  } finally {
    await parties.stop()
  }
}

/** n processes that know each other; the caller stops them. */
export async function spdzParties(n: number): Promise<Parties> {
  const parties: Parties = new Children('spdz-party.ts', n)
  try {
    const ready = await parties.next('ready')
    const [ids, addresses] = [ready.map((r) => r.id), ready.map((r) => r.addresses)]
    await parties.ask({ kind: 'meet', ids, addresses }, 'met')
    return parties
  } catch (error) {
    await parties.stop()
    throw error
  }
}

const round = (value: number, places: number) => Math.round(value * 10 ** places) / 10 ** places
