/** What a party of the SPDZ benches computes, in a thread of its process (spdz-party.ts) as in a node. */
import { setImmediate } from 'node:timers/promises'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { owned } from '../../core/base/thread.ts'
import { minute } from '../../core/base/units.ts'
import { standardParameters } from '../../core/bgv/parameters.ts'
import { BgvThread } from '../../core/bgv/thread.ts'
import { CircuitBuilder } from '../../core/circuits/builder.ts'
import { cost } from '../../core/circuits/cost.ts'
import { lessThan } from '../../core/circuits/gadgets/compare.ts'
import { runCircuit } from '../../core/circuits/run.ts'
import { bn254Scalar as field } from '../../core/field/fields.ts'
import { freeAuth } from '../../core/preprocessing/auth.ts'
import { LowGear } from '../../core/preprocessing/lowgear.ts'
import type { AuthShare, MaterialSource, Triples } from '../../core/preprocessing/types.ts'
import { BATCH } from '../../core/spdz/constants.ts'
import { spdzEngine } from '../../core/spdz/engine.ts'
import { joinSpdz } from '../../core/spdz/party.ts'
import type { SpdzParty } from '../../core/spdz/types.ts'
import { RelayedSession } from '../../core/transport/relay.ts'
import type { NodeId } from '../../core/transport/types.ts'
import { LocalSigner } from '../../core/wallet/signer.ts'
import { dealOne, unnoted } from '../unit/spdz/dealer.ts'
import { type JobOrder, type JobOutcome, prepareJob } from './job.ts'

export type Command =
  | { kind: 'meet'; ids: NodeId[]; addresses: string[][] }
  | { kind: 'online' }
  | { kind: 'multiply'; batch: number; rounds: number; repeats: number }
  | { kind: 'open'; rounds: number }
  | { kind: 'compare'; batch: number; repeats: number }
  | { kind: 'gear' }
  | { kind: 'triples'; batches: number; repeats: number }
  | { kind: 'prepare'; job: JobOrder }
  | { kind: 'run' }
  | { kind: 'stop' }
export type Answer =
  | { kind: 'met' }
  | { kind: 'measured'; seconds: number[]; bytesSent: number }
  | { kind: 'done'; outcome: JobOutcome }
  | { kind: 'failed'; message: string }
  | { kind: 'stopped' }
/** Wants a session, lent over the port. */
export type Opening = { kind: 'open'; id: string; peers: NodeId[]; port: MessagePort }

const { self, privateKey } = workerData as { self: NodeId; privateKey: Uint8Array }
const answer = (a: Answer) => parentPort?.postMessage(a, owned(a, 3))
const key = new LocalSigner(privateKey)
let parties: NodeId[] = []
let party: SpdzParty | undefined
let material: MaterialSource | undefined
let dealer: MaterialSource | undefined
const stocked: Triples[] = []
/** Triples for rounds of many sizes, handed out in order. */
let pool: { triples: Triples; at: number } | undefined
let gear: LowGear | undefined
let thread: BgvThread | undefined
let job: (() => Promise<JobOutcome>) | undefined

async function open(id: string): Promise<RelayedSession> {
  const { port1, port2 } = new MessageChannel()
  const peers = parties.filter((p) => p !== self)
  parentPort?.postMessage({ kind: 'open', id, peers, port: port2 } satisfies Opening, [port2])
  return new RelayedSession(id, self, peers, port1)
}

/** Correct material from a dealer that all parties know, dealt before the clock runs: this measures the online phase. */
async function online(): Promise<void> {
  dealer = dealOne(parties, parties.indexOf(self))
  const deal = (count: number) => dealer!.triples(count)
  material = Object.assign(Object.create(dealer) as MaterialSource, {
    triples: async (count: number) => {
      const next = stocked[0]?.a.share.length === count ? stocked.shift() : undefined
      if (next !== undefined || pool === undefined) return next ?? deal(count)
      const from = pool.at
      pool.at += count
      const part = ({ share, mac }: AuthShare) => ({
        share: field.slice(share, from, from + count),
        mac: field.slice(mac, from, from + count),
      })
      return { a: part(pool.triples.a), b: part(pool.triples.b), c: part(pool.triples.c) }
    },
  })
  party = await joinSpdz({
    ...{ field, parties, material },
    session: await open('online'),
    // All deal a million triples on the same cores in between.
    roundTimeoutMs: 5 * minute,
  })
}

async function multiply(p: SpdzParty, batch: number, rounds: number, repeats: number): Promise<void> {
  const own = p.index === 0
  const [x, y] = [field.random(batch), field.random(batch)]
  const a = await p.input(0, own ? x : batch)
  const b = await p.input(0, own ? y : batch)
  const seconds: number[] = []
  for (let i = 0; i < repeats; i++) {
    // In the pieces in which the party asks for them.
    for (let k = 0; k < rounds; k++)
      for (let at = 0; at < batch; at += BATCH) {
        stocked.push(await dealer!.triples(Math.min(BATCH, batch - at)))
        // Connections live on answers in time.
        await setImmediate()
      }
    await p.check()
    let value: AuthShare = { share: field.slice(a.share, 0, batch), mac: field.slice(a.mac, 0, batch) }
    await setImmediate()
    const start = performance.now()
    for (let k = 0; k < rounds; k++) {
      const { products } = await p.round([{ op: 'mul', a: value, b }], [])
      freeAuth(value)
      value = products[0]!
    }
    await p.check()
    seconds.push((performance.now() - start) / 1000)
    if (i === 0) {
      // A figure for a wrong product is none.
      const { opened } = await p.round(
        [],
        [value, a, b].map((v) => ({ share: field.slice(v.share, 0, 1), mac: field.slice(v.mac, 0, 1) })),
      )
      await p.check()
      const [product, first, second] = opened.map((v) => field.toBigints(v)[0]!) as [bigint, bigint, bigint]
      let expected = first
      for (let k = 0; k < rounds; k++) expected = field.scalar.mul(expected, second)
      if (expected !== product) throw new Error('the product is wrong')
    }
    freeAuth(value)
  }
  answer({ kind: 'measured', seconds, bytesSent: p.traffic().bytesSent })
}

async function openings(p: SpdzParty, rounds: number): Promise<void> {
  const a = await p.input(0, p.index === 0 ? field.random(1) : 1)
  const start = performance.now()
  for (let k = 0; k < rounds; k++) await p.round([], [a])
  answer({ kind: 'measured', seconds: [(performance.now() - start) / 1000], bytesSent: 0 })
}

async function compare(p: SpdzParty, batch: number, repeats: number): Promise<void> {
  const b = new CircuitBuilder()
  const [x, y] = [b.input(batch), b.input(batch)]
  b.output(lessThan(b, x, y, 65, field.modulus))
  const circuit = b.build()
  const values = [0, 1].map(() => Array.from({ length: batch }, (_, i) => BigInt((i * 7919) % 1000) - 500n))
  const inputs: AuthShare[] = []
  for (const v of values) inputs.push(await p.input(0, p.index === 0 ? field.fromBigints(v) : batch))
  const seconds: number[] = []
  for (let i = 0; i < repeats; i++) {
    // Bits and triples are dealt before; what the program asks for comes in the same pieces.
    const { bits, multiplications } = cost(circuit)
    const dealt: Triples = await material!.triples(multiplications)
    pool = { triples: dealt, at: 0 }
    const prepared = await material!.bits(bits)
    let used = 0
    const engine = spdzEngine(p, {
      ...material!,
      macKey: material!.macKey,
      bits: async (count: number) => {
        used += count
        return {
          share: field.slice(prepared.share, used - count, used),
          mac: field.slice(prepared.mac, used - count, used),
        }
      },
    } as MaterialSource)
    await p.check()
    const start = performance.now()
    const out = await runCircuit(engine, circuit, inputs)
    await p.check()
    seconds.push((performance.now() - start) / 1000)
    freeAuth(out, prepared, dealt.a, dealt.b, dealt.c)
    pool = undefined
  }
  answer({ kind: 'measured', seconds, bytesSent: p.traffic().bytesSent })
}

async function startGear(): Promise<void> {
  thread = new BgvThread(standardParameters())
  // The thread's tables are made when it starts: not part of key generation.
  await thread.bgv.toSlots(new Uint8Array(32 * standardParameters().n))
  const session = await open('gear')
  const start = performance.now()
  const { bgv } = thread
  gear = await LowGear.start({
    ...{ field, session, parties, bgv },
    checks: () => unnoted,
    slots: standardParameters().n,
    index: parties.indexOf(self),
  })
  const { bytesSent } = gear
  answer({ kind: 'measured', seconds: [(performance.now() - start) / 1000], bytesSent })
}

async function triples(g: LowGear, batches: number, repeats: number): Promise<void> {
  const seconds: number[] = []
  const before = g.bytesSent
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    const value = await g.triples(batches)
    seconds.push((performance.now() - start) / 1000)
    freeAuth(value.a, value.b, value.c)
  }
  answer({ kind: 'measured', seconds, bytesSent: g.bytesSent - before })
}

async function stop(): Promise<void> {
  await party?.close()
  await gear?.close()
  await thread?.close()
  answer({ kind: 'stopped' })
}

parentPort?.on('message', (message) => {
  const command = message as Command
  const run = async () => {
    switch (command.kind) {
      case 'meet':
        parties = command.ids
        answer({ kind: 'met' })
        return
      case 'online':
        await online()
        answer({ kind: 'met' })
        return
      case 'multiply':
        return multiply(party!, command.batch, command.rounds, command.repeats)
      case 'open':
        return openings(party!, command.rounds)
      case 'compare':
        return compare(party!, command.batch, command.repeats)
      case 'gear':
        return startGear()
      case 'triples':
        return triples(gear!, command.batches, command.repeats)
      case 'prepare': {
        const index = parties.indexOf(self)
        job = await prepareJob({ parties, index, key, open }, command.job)
        answer({ kind: 'met' })
        return
      }
      case 'run': {
        answer({ kind: 'done', outcome: await job!() })
        return
      }
      case 'stop':
        return stop()
    }
  }
  run().catch((error: unknown) =>
    answer({ kind: 'failed', message: String((error as Error).stack ?? error) }),
  )
})
