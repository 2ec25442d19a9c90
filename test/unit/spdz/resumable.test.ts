import { afterEach, describe, expect, it } from 'vitest'
import { EnigmaError } from '../../../core/base/errors.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import { commitVector } from '../../../core/commitments/pedersen.ts'
import { STEP } from '../../../core/preprocessing/channel.ts'
import { ConsumeOnceStore } from '../../../core/preprocessing/store.ts'
import type { Amounts, AuthShare, MaterialSource, Ranges } from '../../../core/preprocessing/types.ts'
import { materialFor } from '../../../core/spdz/engine.ts'
import { reconstructOutput } from '../../../core/spdz/output.ts'
import { runResumable } from '../../../core/spdz/resumable.ts'
import { type Database, openDatabase } from '../../../core/storage/database.ts'
import { MATERIAL_MIGRATIONS, SqliteMaterialRecords } from '../../../core/storage/material.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import type { NodeId, Session } from '../../../core/transport/types.ts'
import { meddled } from '../../support/meddled.ts'
import { nodeId } from '../preprocessing/committee.ts'
import { bigints, field } from './committee.ts'
import { dealOne } from './dealer.ts'

const N = 3
const PARTIES = Array.from({ length: N }, (_, i) => nodeId(i))
const MEND_MS = 5
const fn = builtin('max')
const program = fn.build(fn.parseParams({}), [1, 1, 1])
const values = [-5n, 4n, 7n].map((v) => v * 1_000_000n)
const expected = evaluate(
  program.circuit,
  field.modulus,
  values.map((v) => [v]),
  program.params,
)

let databases: Database[] = []
afterEach(() => {
  for (const database of databases) database.close()
  databases = []
})

/** Stores of all parties, filled by a dealer that makes a new epoch when the parties do not have the same. */
class Stocks {
  readonly stores: ConsumeOnceStore[]
  /** Items that a try of a party took, by epoch and kind. */
  readonly claims: { party: number; epoch: string; ranges: Ranges }[] = []
  readonly #plans = new Map<string, { epoch: string; seed: number; ranges: Ranges }>()
  #seed = 1

  constructor() {
    this.stores = PARTIES.map(() => {
      const database = openDatabase(':memory:', MATERIAL_MIGRATIONS)
      databases.push(database)
      return new ConsumeOnceStore({ field }, { records: new SqliteMaterialRecords(database) })
    })
  }

  epochs(): (string | undefined)[] {
    return this.stores.map((store) => store.find(PARTIES)?.epoch.id)
  }

  async prepare(party: number, name: string, amounts: Amounts): Promise<MaterialSource> {
    const plan = this.#plans.get(name) ?? this.#plan(name, amounts)
    const store = this.stores[party]!
    const old = store.find(PARTIES)?.epoch.id
    if (old !== plan.epoch) {
      if (old !== undefined) store.destroy(old, 'replaced')
      await this.#fill(store, party, plan.seed)
    }
    this.claims.push({ party, epoch: plan.epoch, ranges: plan.ranges })
    return store.claim(plan.epoch, name, plan.ranges)
  }

  #plan(name: string, amounts: Amounts) {
    const [epoch, ...others] = this.epochs()
    const shared = epoch !== undefined && others.every((other) => other === epoch)
    if (!shared) this.#seed += 1
    const id = shared ? epoch : `test-${this.#seed}`
    const from = (kind: keyof Amounts) =>
      shared ? Math.max(...this.stores.map((store) => store.marks(id)[kind])) : 0
    const ranges: Ranges = Object.fromEntries(
      Object.entries(amounts)
        .filter(([, count]) => count > 0)
        .map(([kind, count]) => [kind, { from: from(kind as keyof Amounts), count }]),
    )
    const plan = { epoch: id, seed: this.#seed, ranges }
    this.#plans.set(name, plan)
    return plan
  }

  /** Enough for three runs. */
  async #fill(store: ConsumeOnceStore, party: number, seed: number): Promise<void> {
    const dealer = dealOne(PARTIES, party, seed)
    const flat = (...shares: AuthShare[]) => shares.flatMap(({ share, mac }) => [share, mac])
    const amounts = materialFor(program.circuit)
    const count = (kind: keyof Amounts) => 3 * (amounts[kind] ?? 0)
    store.open(dealer.epoch, dealer.macKey)
    const { a, b, c } = await dealer.triples(count('triple'))
    await store.append(dealer.epoch.id, 'triple', flat(a, b, c))
    await store.append(dealer.epoch.id, 'bit', flat(await dealer.bits(count('bit'))))
    await store.append(dealer.epoch.id, 'random', flat(await dealer.randoms(count('random'))))
    for (const owner of PARTIES.keys()) {
      const { shares, clear } = await dealer.masks(owner, count('mask'))
      await store.append(
        dealer.epoch.id,
        'mask',
        [...flat(shares), ...(clear === undefined ? [] : [clear])],
        owner,
      )
    }
  }
}

interface Watch {
  /** Of every message, before it leaves: what is sent instead, or nothing. */
  send?(party: number, session: string, message: Uint8Array, to: NodeId): Uint8Array | undefined
}

async function run(watch: Watch = {}, network = new MemoryNetwork()) {
  const stocks = new Stocks()
  const nodes = PARTIES.map((id) => network.join(id))
  // An additive sharing with commitments, as the holders make it.
  const parts = Array.from({ length: N - 1 }, () => field.random(3))
  parts.push(parts.reduce((a, b) => field.sub(a, b), field.fromBigints(values)))
  const masks = parts.map(() => field.random(3))
  const commitments = parts.map((p, i) => commitVector(p, masks[i]!))
  const sessions: string[] = []
  const resumed: (number | undefined)[][] = PARTIES.map(() => [])
  const results = await Promise.allSettled(
    PARTIES.map((self, index) =>
      runResumable({
        ...{ field, parties: PARTIES, index, program },
        inputs: { values: parts[index]!, masks: masks[index]!, commitments },
        context: Uint8Array.of(1, 2, 3),
        openSession: async (name) => {
          sessions.push(name)
          const session = await nodes[index]!.openSession(
            name,
            PARTIES.filter((id) => id !== self),
          )
          return watched(session, index, watch)
        },
        prepare: (name, amounts) => stocks.prepare(index, name, amounts),
        roundTimeoutMs: 1000,
        signal: new AbortController().signal,
        pausesMs: [10, 40],
        onResume: (layer) => resumed[index]!.push(layer),
      }),
    ),
  )
  const outputs = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []))
  const errors = results.flatMap((r) => (r.status === 'rejected' ? [EnigmaError.from(r.reason)] : []))
  const value = outputs.length === N ? bigints(reconstructOutput(field, outputs)) : undefined
  return { results, errors, value, sessions, resumed, stocks }
}

function watched(session: Session, party: number, watch: Watch): Session {
  return meddled(session, {
    send: async (to, message) => {
      const changed = watch.send === undefined ? message : watch.send(party, session.id, message, to)
      if (changed !== undefined) await session.send(to, changed)
    },
  })
}

/** Cuts the line between parties 1 and 2 for a moment when party 1 sends its `at`th message of the first try. */
function cutting(network: MemoryNetwork, at: number, rest: Watch = {}): Watch & { count: number } {
  const watch = {
    count: 0,
    send(party: number, session: string, message: Uint8Array, to: NodeId) {
      if (party === 1 && session === 'spdz' && watch.count++ === at) {
        network.cut(PARTIES[1]!, PARTIES[2]!)
        setTimeout(() => network.mend(PARTIES[1]!, PARTIES[2]!), MEND_MS)
      }
      return rest.send === undefined ? message : rest.send(party, session, message, to)
    },
  }
  return watch
}

/** Nobody took an item twice. */
function disjoint(stocks: Stocks): boolean {
  const taken = new Set<string>()
  for (const { party, epoch, ranges } of stocks.claims)
    for (const [kind, { from, count }] of Object.entries(ranges))
      for (let i = from; i < from + count; i++) {
        const item = `${party}/${epoch}/${kind}/${i}`
        if (taken.has(item)) return false
        taken.add(item)
      }
  return true
}

const flipped = (message: Uint8Array) => {
  const changed = message.slice()
  if (message[1] === STEP.collect || message[1] === STEP.result) changed[17]! ^= 1
  return changed
}

describe('a run under SPDZ whose connections are lost', () => {
  it('goes on from the last checkpoint, wherever it is cut, or from the inputs where a check was cut', {
    timeout: 120_000,
  }, async () => {
    const whole = cutting(new MemoryNetwork(), -1)
    expect((await run(whole)).value).toEqual(expected)
    const from = new Set<number | undefined>()
    for (let at = 0; at < whole.count; at += 6) {
      const network = new MemoryNetwork()
      const { value, errors, resumed, stocks } = await run(cutting(network, at), network)
      expect(errors).toEqual([])
      expect(value).toEqual(expected)
      expect(resumed).toEqual(PARTIES.map(() => resumed[0]))
      expect(resumed[0]).toHaveLength(1)
      expect(disjoint(stocks)).toBe(true)
      from.add(resumed[0]![0])
    }
    expect(from).toContain(undefined)
    expect(from).toContain(0)
    expect([...from].some((layer) => layer !== undefined && layer > 10)).toBe(true)
  })

  it('goes on after a second time, and not for ever', { timeout: 30_000 }, async () => {
    for (const cuts of [2, 3]) {
      const network = new MemoryNetwork()
      const at = new Map([
        ['spdz', 60],
        ['1/spdz', 4],
        ['2/spdz', 4],
      ])
      const counts = new Map<string, number>()
      const { value, resumed, errors, sessions } = await run(
        {
          send(party, session, message) {
            const count = (counts.get(session) ?? 0) + Number(party === 1)
            if (party === 1 && count === at.get(session) && counts.size < 2 * cuts) {
              network.cut(PARTIES[1]!, PARTIES[2]!)
              setTimeout(() => network.mend(PARTIES[1]!, PARTIES[2]!), MEND_MS)
            }
            counts.set(session, count)
            return message
          },
        },
        network,
      )
      expect(sessions).not.toContain('3/hello')
      expect(resumed[0]).toHaveLength(2)
      // The second try ended before it had a checkpoint of its own.
      expect(resumed[0]![0]).toBeGreaterThan(0)
      expect(resumed[0]![1]).toBe(resumed[0]![0])
      if (cuts === 2) expect(value).toEqual(expected)
      else {
        expect(errors).toHaveLength(N)
        for (const { details } of errors) expect(details).toMatchObject({ cut: true })
      }
    }
  })

  it('nothing is taken up after a failed MAC check, not even when the line goes too', async () => {
    const network = new MemoryNetwork()
    // In the products before anything is opened.
    const cut = cutting(network, 36)
    const plain = await run({ send: (party, _, message) => (party === 2 ? flipped(message) : message) })
    const later = await run(
      {
        send: (party, session, message, to) =>
          party === 2 && session === '1/spdz' ? flipped(message) : cut.send!(party, session, message, to),
      },
      network,
    )
    for (const [outcome, never] of [
      [plain, '1/hello'],
      [later, '2/hello'],
    ] as const) {
      expect(outcome.results.map((r) => r.status)).toEqual(PARTIES.map(() => 'rejected'))
      expect(outcome.sessions).not.toContain(never)
      expect(outcome.stocks.epochs().slice(0, 2)).toEqual([undefined, undefined])
    }
    expect(later.resumed.map((r) => r.length)).toEqual([1, 1, 1])
  })

  it('who tells two stories about its checkpoint stops the run, and nobody innocent is named', async () => {
    const network = new MemoryNetwork()
    const cut = cutting(network, 60)
    const { value, errors } = await run(
      {
        send(party, session, message, to) {
          const lie = party === 2 && session === '1/hello' && message[1] === STEP.hello && to === PARTIES[0]
          return lie ? message.slice().fill(0, 16) : cut.send!(party, session, message, to)
        },
      },
      network,
    )
    expect(value).toBeUndefined()
    expect(errors).toHaveLength(N)
    for (const { code, details } of errors)
      expect(code === 'MPC_PARTY_LOST' || ['ECHO', 'TOLD'].includes(String(details?.reason))).toBe(true)
  })

  it('who says again and again that it lost a connection is not waited for without end', async () => {
    const { errors, sessions } = await run({
      send(party, session, message) {
        if (party !== 2 || !session.endsWith('spdz')) return message
        const abort = message.slice(0, 16)
        abort[1] = 255
        abort[2] = 1
        return abort
      },
    })
    expect(errors).toHaveLength(N)
    expect(new Set(sessions)).toEqual(new Set(['spdz', '1/hello', '1/spdz', '2/hello', '2/spdz']))
    for (const { details } of errors.slice(0, 2)) expect(details).toMatchObject({ reason: 'TOLD', index: 2 })
  })

  it('who is gone for good is named by the one that lost it', async () => {
    const network = new MemoryNetwork()
    let count = 0
    const { errors } = await run(
      {
        send(party, session, message) {
          if (party === 2 && session === 'spdz' && ++count === 60) network.kill(PARTIES[2]!)
          return message
        },
      },
      network,
    )
    expect(errors).toHaveLength(N)
    for (const error of errors.slice(0, 2)) expect(error).toMatchObject({ details: { index: 2 } })
  })
})
