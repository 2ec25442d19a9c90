import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { signedRound } from '../../../core/audit/evidence.ts'
import type { RoundView, RunView, SignedRound } from '../../../core/audit/types.ts'
import { fromHex } from '../../../core/base/bytes.ts'
import { systemClock } from '../../../core/base/clock.ts'
import { EnigmaError } from '../../../core/base/errors.ts'
import { silentLog } from '../../../core/base/log.ts'
import { day, hour, second } from '../../../core/base/units.ts'
import { roundDigest, runId } from '../../../core/commitments/rounds.ts'
import type { LedgerClient } from '../../../core/ledger/client.ts'
import { evidenceDigest } from '../../../core/ledger/evidence.ts'
import { localNodeKey } from '../../../core/ledger/signers.ts'
import type { Hex, Signer } from '../../../core/ledger/types.ts'
import { decodeMessage, encodeMessage, PROTOCOLS } from '../../../core/node/compute/messages.ts'
import { Views } from '../../../core/node/compute/views.ts'
import { Witness } from '../../../core/node/compute/witness.ts'
import type { NodeContext } from '../../../core/node/context.ts'
import { LedgerIndex } from '../../../core/node/ledger-index.ts'
import { Registry } from '../../../core/node/registry.ts'
import { type NodeStorage, openNodeStorage } from '../../../core/storage/node-storage.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import type { RequestHandler } from '../../../core/transport/types.ts'
import { LocalSigner } from '../../../core/wallet/signer.ts'
import { until } from '../../system/network.ts'
import * as support from '../ledger/support.ts'

const N = 3
const NAMED = { code: 'MPC_ABORTED', details: { reason: 'EQUIVOCATION' } }

let chain: support.TestChain
let ledger: LedgerClient
let directory: string
let requester: Signer
/** Nodes with an account of their own; the first three are the parties of all runs here. */
let keys: LocalSigner[]
let parties: Hex[]
let jobId: Hex
let nonce: Hex
let network: MemoryNetwork
let nodes: Node[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'enigma-witness-'))
  chain = await support.startChain({ unbondingSeconds: 0 })
  ledger = await chain.client({ pollMs: 10 })
  keys = [1, 2, 3, 4].map((n) => new LocalSigner(fromHex(n.toString(16).padStart(64, '7'), 32)))
  parties = keys.slice(0, N).map((key) => key.address)
  const deposit = await ledger.minimumDeposit()
  for (const [i, key] of keys.entries()) {
    await ledger.faucet(key.address)
    const proof = localNodeKey(fromHex((i + 1).toString(16).padStart(64, '7'), 32))
    await ledger.registerNode(key, proof, { hint: '', capacity: 1, deposit })
  }
  requester = await support.fundedSigner(ledger)
})
afterAll(async () => {
  await chain?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

beforeEach(async () => {
  const owner = await support.fundedSigner(ledger)
  const identity = await support.pseudonym(ledger, owner)
  const anyone = await support.publish(ledger, owner, { kind: 'anyone' })
  const input = support.referenceInput(identity, anyone)
  await ledger.createReference(owner, input)
  const { timestamp } = await ledger.head()
  const refs = [ledger.referenceId(identity, input.xRef)]
  ;({ jobId } = await ledger.requestJob(
    requester,
    support.jobRequest(refs, { deadline: timestamp + (2 * hour) / second }),
  ))
  nonce = support.randomWord()
  network = new MemoryNetwork()
  nodes = keys.map((key) => new Node(key))
  for (const node of nodes) await node.start()
})
afterEach(() => Promise.all(nodes.map((node) => node.stop())))

/** What a witness needs of a node: its database, its index and its place in the network. */
class Node {
  readonly key: LocalSigner
  readonly #storage: NodeStorage
  #index: LedgerIndex | undefined
  #client: LedgerClient | undefined
  witness!: Witness
  context!: NodeContext
  running = false
  /** Until then only the first of a committee has its turn. */
  readonly turn = Promise.withResolvers<void>()

  constructor(key: LocalSigner) {
    this.key = key
    this.#storage = openNodeStorage(join(directory, `${support.randomWord()}.db`))
  }

  async start(): Promise<void> {
    this.running = true
    const { kv, cursors, outbox } = this.#storage
    const client = await chain.client({ pollMs: 10 }, { cursors, outbox })
    client.useSigner(this.key)
    const index = new LedgerIndex({ ledger: client, store: kv, log: silentLog })
    await index.start()
    const transport = network.join(this.key.address)
    this.context = {
      clock: { ...systemClock, sleep: () => this.turn.promise },
      ...{ log: silentLog, kv, ledger: client, index, transport, nodeKey: this.key },
      registry: new Registry(client, index),
      serve: (protocol: string, handler: RequestHandler) => transport.handle(protocol, handler),
    } as unknown as NodeContext
    this.#client = client
    this.#index = index
    this.witness = new Witness(this.context)
    await this.witness.demands.resume()
  }

  /** Without a word; `start` goes on with the same database. */
  async halt(): Promise<void> {
    this.running = false
    this.witness.stop()
    network.kill(this.key.address)
    await this.#index?.stop()
    await this.#client?.stop()
  }

  async stop(): Promise<void> {
    await this.halt()
    this.#storage.close()
  }

  /** No transaction is under way. */
  async idle(): Promise<boolean> {
    return (await this.context.ledger.pending()).length === 0
  }

  record(rounds: readonly RoundView[]): void {
    const add = this.witness.views.recorder({ jobId, nonce }, parties)
    for (const round of rounds) add(round)
  }

  examine(error: unknown): Promise<unknown> {
    return this.witness.examine({ jobId, nonce }, parties, error)
  }
}

/** A party's broadcast in a round; histories and payloads are numbers here. */
function statement(i: number, round: number, previous: number, payload: number): SignedRound {
  const [before, bytes] = [new Uint8Array(32).fill(previous), Uint8Array.of(payload)]
  const run = runId(fromHex(jobId), fromHex(nonce))
  const sign = (structHash: Uint8Array) => keys[i]!.signDigest(evidenceDigest(ledger.deployment, structHash))
  return signedRound(before, bytes, sign(roundDigest(run, round, before, bytes)))
}

/** Rounds 0 to `count` as all parties sign them; `odd` puts something else for one party in one round. */
function rounds(count: number, odd?: { round: number; party: number; signed: SignedRound }): RoundView[] {
  return Array.from({ length: count }, (_, round) => ({
    round,
    signed: parties.map((_party, i) =>
      odd?.round === round && odd.party === i ? odd.signed : statement(i, round, round, i),
    ),
  }))
}

const accused = (i: number, more = {}) =>
  new EnigmaError('MPC_ABORTED', 'did not sign', {
    details: { party: parties[i]!, index: i, reason: 'BAD_SIGNATURE', ...more },
  })
const lost = (i: number) =>
  new EnigmaError('MPC_PARTY_LOST', 'silent', { details: { party: parties[i]!, index: i } })
const kinds = async (i: number) => (await ledger.verdicts(jobId, parties[i]!)).map((v) => v.kind)
const sent = async (i: number) => Number(await chain.rpc('eth_getTransactionCount', [parties[i], 'latest']))
async function pass(seconds: number): Promise<void> {
  await chain.rpc('evm_increaseTime', [seconds])
  await chain.rpc('evm_mine')
}
/** All nodes have seen the newest block, and what they do about it is done. */
async function settled(): Promise<void> {
  const running = nodes.filter((node) => node.running)
  for (const { context } of running) await context.index.caughtUp()
  await until(async () => (await Promise.all(running.map((n) => n.idle()))).every(Boolean) || undefined)
}

describe('two stories about a run', () => {
  it('convict the party that signed both, and nobody it made look guilty', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    bob.record(rounds(3, { round: 2, party: 2, signed: statement(2, 2, 2, 77) }))
    for (const [node, blamed] of [
      [alice, 1],
      [bob, 0],
    ] as const)
      expect(await node.examine(accused(blamed))).toMatchObject({
        ...NAMED,
        details: { party: parties[2], index: 2, reason: 'EQUIVOCATION' },
      })
    await until(async () => (await kinds(2)).length > 0 || undefined)
    expect([await kinds(0), await kinds(1), await kinds(2)]).toEqual([[], [], ['equivocation']])
  })

  it('may both be told by others', async () => {
    const [alice, bob, cheater] = nodes as [Node, Node, Node]
    alice.record(rounds(2))
    bob.record(rounds(3))
    cheater.record(rounds(3, { round: 2, party: 2, signed: statement(2, 2, 2, 77) }))
    expect(await alice.examine(lost(2))).toMatchObject(NAMED)
  })

  it('are found by members whose leader ended the attempt', async () => {
    const [, bob, carol] = nodes as [Node, Node, Node]
    bob.record(rounds(3))
    carol.record(rounds(3, { round: 2, party: 0, signed: statement(0, 2, 2, 77) }))
    const ended = new EnigmaError('CANCELLED', 'the attempt is over')
    expect(await bob.examine(ended)).toMatchObject(NAMED)
    await until(async () => (await kinds(0)).length > 0 || undefined)
  })

  it('need the signatures of the party: what others claim about it convicts nobody', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    const forged = { ...statement(2, 2, 2, 77), signature: statement(1, 2, 2, 77).signature }
    const moved = statement(2, 1, 2, 77)
    for (const signed of [forged, moved]) {
      bob.record(rounds(3, { round: 2, party: 2, signed }))
      const error = accused(1)
      expect(await alice.examine(error)).toBe(error)
    }
    await settled()
    expect(await kinds(2)).toEqual([])
  })
})

describe('several members that know of a cheater', () => {
  const forked = () => rounds(3, { round: 2, party: 2, signed: statement(2, 2, 2, 77) })

  it('spend one transaction', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    bob.record(forked())
    const before = [await sent(0), await sent(1)]
    expect(await bob.examine(accused(0))).toMatchObject(NAMED)
    expect(await alice.examine(accused(1))).toMatchObject(NAMED)
    await until(async () => (await kinds(2)).length > 0 || undefined)
    bob.turn.resolve()
    await settled()
    expect([await sent(0), await sent(1)]).toEqual([before[0]! + 1, before[1]])
  })

  it('do not rely on the first of them', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    bob.record(forked())
    expect(await bob.examine(accused(0))).toMatchObject(NAMED)
    expect(await kinds(2)).toEqual([])
    bob.turn.resolve()
    await until(async () => (await kinds(2)).length > 0 || undefined)
    expect(await kinds(2)).toEqual(['equivocation'])
  })

  it('convict all that told two stories', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    const told = forked()
    const signed = told[1]!.signed.map((s, i) => (i === 1 ? statement(1, 1, 1, 78) : s))
    bob.record(told.map((round) => (round.round === 1 ? { round: 1, signed } : round)))
    expect(await alice.examine(lost(2))).toMatchObject(NAMED)
    await until(async () => (await kinds(1)).length + (await kinds(2)).length === 2 || undefined)
  })
})

describe('a signature that does not fit', () => {
  it('accuses who has the same history, or shows none', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    const error = accused(1)
    expect(await alice.examine(error)).toBe(error)
    bob.record(rounds(3))
    expect(await alice.examine(error)).toBe(error)
  })

  it('does not accuse who closes a round behind, or cannot be asked', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    bob.record(rounds(2))
    const unclear = { code: 'MPC_PARTY_LOST', details: { party: parties[1] } }
    expect(await alice.examine(accused(1, { closing: true }))).toMatchObject(unclear)
    await bob.halt()
    expect(await alice.examine(accused(1))).toMatchObject(unclear)
    await bob.start()
  })

  it('accuses who shows an old view: before the end nobody signs without the round before', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    bob.record(rounds(2))
    const error = accused(1)
    expect(await alice.examine(error)).toBe(error)
    bob.record(rounds(1))
    const closing = accused(1, { closing: true })
    expect(await alice.examine(closing)).toBe(closing)
  })

  it('accuses whose view is none', async () => {
    const [alice, bob] = nodes as [Node, Node]
    alice.record(rounds(3))
    const view = alice.witness.views.get({ jobId, nonce }) as RunView
    const encode = (change: object) =>
      encodeMessage('view', {
        ...(structuredClone(view) as Parameters<typeof encodeMessage<'view'>>[1]),
        ...change,
      })
    const first = { round: 0, signed: [...view.rounds[0]!.signed] }
    for (const answer of [
      encode({ rounds: [{ ...first, signed: first.signed.slice(1) }] }),
      encode({ rounds: Array.from({ length: 5 }, () => first) }),
      encode({ parties: [...parties].reverse() }),
      encode({ nonce: support.randomWord() }),
      new Uint8Array(1 << 20),
      new Uint8Array(),
    ]) {
      bob.context.serve(PROTOCOLS.view, async () => answer)
      const error = accused(1)
      expect(await alice.examine(error)).toBe(error)
    }
  })
})

describe('what a node has of a run', () => {
  it('is for the members of the run', async () => {
    const [alice, bob, , stranger] = nodes as [Node, Node, Node, Node]
    alice.record(rounds(6))
    const ask = async (node: Node, of = { jobId, nonce }) => {
      const request = encodeMessage('viewed', of)
      return decodeMessage('view', await node.context.transport.request(parties[0]!, PROTOCOLS.view, request))
    }
    // The last four rounds.
    expect(await ask(bob)).toEqual({ jobId, nonce, parties, rounds: rounds(6).slice(2) })
    await expect(ask(stranger)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const unknown = ask(bob, { jobId, nonce: support.randomWord() })
    await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is forgotten after 90 days', async () => {
    const [alice] = nodes as [Node]
    alice.record(rounds(1))
    const { clock } = alice.context
    const views = (now: number) => new Views({ ...alice.context, clock: { ...clock, now: () => now } })
    await views(clock.now() + 89 * day).prune()
    expect(alice.witness.has({ jobId, nonce })).toBe(true)
    await views(clock.now() + 91 * day).prune()
    expect(alice.witness.has({ jobId, nonce })).toBe(false)
  })
})

it('views are kept for so many runs only, the newest', async () => {
  const [alice] = nodes as [Node]
  const runs = Array.from({ length: 5 }, () => support.randomWord())
  for (const [at, run] of runs.entries()) {
    const clock = { ...alice.context.clock, now: () => systemClock.now() + at }
    const record = new Views({ ...alice.context, clock }).recorder({ jobId, nonce: run }, parties)
    record({ round: 0, signed: [] })
  }
  await alice.witness.views.prune(2)
  expect(runs.map((run) => alice.witness.has({ jobId, nonce: run }))).toEqual([
    false,
    false,
    false,
    true,
    true,
  ])
})

describe('silence', () => {
  const open = () => until(() => ledger.demandOf(jobId, parties[2]!))

  it('is asked about by the next when the first does not', async () => {
    const [alice, bob, carol] = nodes as [Node, Node, Node]
    for (const node of [alice, bob]) node.record(rounds(3))
    await carol.halt()
    await bob.examine(lost(2))
    expect(await ledger.demandOf(jobId, parties[2]!)).toBeUndefined()
    bob.turn.resolve()
    expect((await open()).answered).toBe(false)
    await settled()
  })

  it('does not end unpunished with a demand that an accomplice made', async () => {
    const [alice, bob, carol, accomplice] = nodes as [Node, Node, Node, Node]
    for (const node of [alice, bob]) node.record(rounds(3))
    await carol.halt()
    await accomplice.context.ledger.demandAnswer(accomplice.key, {
      ...{ jobId, nonce, party: parties[2]!, round: 0, last: statement(2, 0, 0, 2) },
      asNode: accomplice.key.address,
    })
    const before = [await sent(0), await sent(1)]
    await alice.examine(lost(2))
    await bob.examine(lost(2))
    bob.turn.resolve()
    await settled()
    await pass(3590)
    await settled()
    expect(await kinds(2)).toEqual([])
    // Alice's turn comes first.
    await pass(40)
    await until(async () => (await kinds(2)).length > 0 || undefined)
    await pass(1000)
    await settled()
    expect(await kinds(2)).toEqual(['silence'])
    expect([await sent(0), await sent(1)]).toEqual([before[0]! + 1, before[1]])
  })

  it('is asked about once, and answered by a node that was off', async () => {
    const [alice, bob, carol] = nodes as [Node, Node, Node]
    for (const node of nodes.slice(0, N)) node.record(rounds(3))
    const before = [await sent(0), await sent(1)]
    await carol.halt()
    for (const node of [alice, bob, alice]) expect(await node.examine(lost(2))).toMatchObject(lost(2))
    expect((await open()).answered).toBe(false)
    await settled()
    expect([await sent(0), await sent(1)]).toEqual([before[0]! + 1, before[1]])
    let content: Hex | undefined
    alice.context.index.onEvent((event) => {
      if (event.name === 'DemandAnswered') content = event.content
    })
    await carol.start()
    await until(() => Promise.resolve(content))
    const told = decodeMessage('statements', fromHex(content!))
    expect(told).toEqual({ rounds: [{ round: 2, ...statement(2, 2, 2, 2) }] })
    // Answered once, and nothing is left to report.
    const answers = await sent(2)
    await carol.halt()
    await carol.start()
    await pass(3601)
    await settled()
    expect(await sent(2)).toBe(answers)
    expect(await kinds(2)).toEqual([])
  })

  it('is not a fault of a node that lost what it signed', async () => {
    const [alice, bob, carol] = nodes as [Node, Node, Node]
    for (const node of [alice, bob]) node.record(rounds(3))
    await carol.halt()
    await alice.examine(lost(2))
    await open()
    await carol.start()
    await until(async () => (await open()).answered || undefined)
    await pass(3601)
    await settled()
    expect(await kinds(2)).toEqual([])
  })

  it('convicts after the deadline, also when the node that asked was off', async () => {
    const [alice, bob, carol] = nodes as [Node, Node, Node]
    for (const node of nodes.slice(0, N)) node.record(rounds(3))
    await carol.halt()
    await alice.examine(lost(2))
    await open()
    await pass(3500)
    await settled()
    expect(await kinds(2)).toEqual([])
    await alice.halt()
    await pass(200)
    await bob.context.index.caughtUp()
    // Too late.
    const before = await sent(2)
    await carol.start()
    await carol.context.index.caughtUp()
    await alice.start()
    await until(async () => (await kinds(2)).length > 0 || undefined)
    expect(await kinds(2)).toEqual(['silence'])
    expect(await sent(2)).toBe(before)
  })

  it('that ends with another story convicts of that', async () => {
    const [alice, bob, carol] = nodes as [Node, Node, Node]
    for (const node of [alice, bob]) node.record(rounds(3))
    carol.record(rounds(3, { round: 2, party: 2, signed: statement(2, 2, 2, 77) }))
    await carol.halt()
    await alice.examine(lost(2))
    await open()
    await carol.start()
    await until(async () => (await kinds(2)).length > 0 || undefined)
    expect(await kinds(2)).toEqual(['equivocation'])
  })

  it('of everybody is no reason to ask', async () => {
    const [alice, bob, carol] = nodes as [Node, Node, Node]
    for (const node of nodes.slice(0, N)) node.record(rounds(3))
    const before = await sent(0)
    await bob.halt()
    await carol.halt()
    await alice.examine(lost(2))
    await alice.idle()
    expect(await sent(0)).toBe(before)
    for (const party of parties) expect(await ledger.demandOf(jobId, party)).toBeUndefined()
    await bob.start()
    await carol.start()
  })
})
