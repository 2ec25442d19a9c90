import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexlify, keccak256, toUtf8Bytes } from 'ethers'
import { silentLog } from '../../core/base/log.ts'
import {
  EnigmaError,
  type Input,
  type Job,
  type MethodName,
  type Output,
  type Predicate,
} from '../../core/ipc/index.ts'
import { LedgerClient } from '../../core/ledger/client.ts'
import { Devnet } from '../../core/ledger/devnet.ts'
import { MemoryCursorStore, MemoryOutboxStore } from '../../core/ledger/stores.ts'
import { createNode } from '../../core/node/node.ts'
import type { EnigmaNode, NetworkConfig, NodeOptions } from '../../core/node/types.ts'

/** A password that the vault accepts; the test vaults hold nothing real. */
export const PASSWORD = 'correct horse battery staple 42'
const WAIT_MS = 90_000

type PeerOptions = Pick<NodeOptions, 'maintenance' | 'bgv' | 'sameThread'>

/** A chain and nodes of one test file, over real channels on loopback, in one process. */
export class TestNetwork {
  readonly dir: string
  readonly chain: Devnet
  readonly peers: EnigmaNode[] = []
  readonly people: Person[] = []

  readonly #options: PeerOptions

  private constructor(dir: string, chain: Devnet, options: PeerOptions) {
    this.#options = options
    this.dir = dir
    this.chain = chain
  }

  /** `peers` serving nodes. */
  static async start(peers: number, options: PeerOptions = {}): Promise<TestNetwork> {
    const dir = await mkdtemp(join(tmpdir(), 'enigma-system-'))
    const chain = await Devnet.start({ directory: join(dir, 'chain'), log: silentLog })
    const network = new TestNetwork(dir, chain, options)
    for (let i = 0; i < peers; i++) await network.addPeer()
    return network
  }

  get config(): NetworkConfig {
    return {
      kind: 'devnet',
      rpc: [this.chain.endpoint],
      deployment: this.chain.deployment,
      bootstrap: this.peers.flatMap((peer) => peer.addresses()),
      confirmations: 1,
    }
  }

  peerDir(index: number): string {
    return join(this.dir, `peer-${index}`)
  }

  async addPeer(index = this.peers.length): Promise<EnigmaNode> {
    const node = await createNode({
      dataDir: this.peerDir(index),
      network: this.config,
      host: 'headless',
      serve: true,
      logLevel: 'error',
      ...this.#options,
    })
    await node.start()
    this.peers[index] = node
    return node
  }

  /** A person with an open vault on a node that only uses the network. */
  async person(name: string): Promise<Person> {
    const person = await Person.open(name, join(this.dir, name), this.config)
    await person.call('vault.create', { password: PASSWORD }).then(({ phrase }) => {
      person.phrase = phrase.join(' ')
    })
    this.people.push(person)
    return person
  }

  /** The chain, to read from. */
  ledger(): LedgerClient {
    return new LedgerClient(
      { endpoints: [this.chain.endpoint], deployment: this.chain.deployment, confirmations: 1 },
      { cursors: new MemoryCursorStore(), outbox: new MemoryOutboxStore() },
    )
  }

  /** Where the newest network backup of an account is, as the ledger has it; 0x for none. */
  async chainValue(account: string): Promise<string> {
    const key = keccak256(toUtf8Bytes('enigma/vault-backup/1'))
    return hexlify(await this.ledger().get(account as `0x${string}`, key as `0x${string}`, 'latest'))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.people.map((p) => p.node.stop()), ...this.peers.map((p) => p.stop())])
    await this.chain.stop()
    await rm(this.dir, { recursive: true, force: true })
  }
}

/** Someone at a local client, who confirms what they asked for. */
export class Person {
  readonly name: string
  readonly node: EnigmaNode
  phrase = ''
  /** What the host asked, for tests of confirmations. */
  readonly asked: string[] = []
  /** Jobs whose failure `result` has thrown. */
  readonly #told = new Set<string>()

  private constructor(name: string, node: EnigmaNode) {
    this.name = name
    this.node = node
  }

  static async open(name: string, dataDir: string, network: NetworkConfig): Promise<Person> {
    const node = await createNode({
      dataDir,
      network,
      host: 'headless',
      serve: false,
      logLevel: 'error',
    })
    await node.start()
    return new Person(name, node)
  }

  call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    return this.node.service.call(method, input, {
      principal: 'local',
      confirm: async ({ method: asked }) => {
        this.asked.push(asked)
        return true
      },
    })
  }

  /** The finished job; rejects with its error. */
  async done(started: { jobId: string }): Promise<Job> {
    return until(async () => {
      const { job } = await this.call('jobs.get', { id: started.jobId })
      if (job.state === 'failed') throw EnigmaError.fromObject(job.error)
      if (job.state === 'cancelled') throw new EnigmaError('CANCELLED', 'cancelled')
      return job.state === 'done' ? job : undefined
    })
  }

  /** Shares a number under a rule and returns its reference. */
  async share(
    value: string,
    predicate: Predicate,
    holders: { n?: number; t?: number } = {},
  ): Promise<string> {
    const { id } = await this.call('data.add', {
      title: `Salary of ${this.name}`,
      value: { type: 'number', value },
    })
    return this.shareRecord(id, predicate, holders)
  }

  async shareRecord(
    recordId: string,
    predicate: Predicate,
    holders: { n?: number; t?: number } = {},
  ): Promise<string> {
    const job = await this.done(await this.call('share.create', { recordId, predicate, ...holders }))
    return job.result?.ref as string
  }

  async request(input: Input<'compute.request'>): Promise<string> {
    const job = await this.done(await this.call('compute.request', input))
    return job.result?.job as string
  }

  async approve(id: string): Promise<void> {
    await until(async () => {
      const { approvals } = await this.call('approvals.list', {})
      return approvals.some((a) => a.id === id && a.state === 'waiting') || undefined
    })
    await this.done(await this.call('approvals.decide', { id, decision: 'approve' }))
  }

  /** The result, once the computation has ended; rejects with its reason. */
  async result(id: string): Promise<string[]> {
    await until(async () => {
      const follow = (await this.call('jobs.list', {})).jobs.find(
        (j) =>
          j.kind === 'result' && (j.state === 'failed' || j.state === 'cancelled') && !this.#told.has(j.id),
      )
      const { job } = await this.call('compute.get', { id })
      if (job.state === 'done') return true
      if (job.state === 'failed') throw EnigmaError.fromObject(job.error)
      if (follow !== undefined) {
        this.#told.add(follow.id)
        throw EnigmaError.fromObject(follow.error)
      }
      return undefined
    })
    return (await this.call('compute.result', { id })).values
  }
}

/** Looks until there is something, for at most a minute and a half. */
export async function until<T>(look: () => Promise<T | undefined>, ms = WAIT_MS): Promise<T> {
  const end = Date.now() + ms
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error('waited too long')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
