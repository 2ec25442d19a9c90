import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import type { RoundView } from '../../audit/types.ts'
import { EnigmaError } from '../../base/errors.ts'
import { type Async, alone, ServiceThread } from '../../base/thread.ts'
import { serve } from '../../base/thread-service.ts'
import { standardParameters } from '../../bgv/parameters.ts'
import type { Hex } from '../../ledger/types.ts'
import { MATERIAL_KINDS } from '../../preprocessing/types.ts'
import { relaySession } from '../../transport/relay.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import { MATERIAL_FILE } from '../preprocessing.ts'
import { anchoring, auditFacts } from './audit.ts'
import {
  type AttemptOrder,
  type Material,
  type PartyHost,
  type PartyOptions,
  PartyService,
  type Phase,
  type Received,
} from './party-service.ts'

/** Calls under way: those of attempts wait for others, so there may be many. */
const MAX_CALLS = 4096
/** What these are called with has been received, or made for them. */
const GIVES = ['receive', 'give'] as const satisfies (keyof PartyService)[]

interface Running {
  readonly service: Async<PartyService>
  /** Whether it has ended by itself, or been closed. */
  ended(): boolean
  close(): Promise<void>
}

/** Who follows an attempt. */
export interface AttemptListener {
  began(nonce: Hex): void
  /** Durable when it returns. */
  round(round: RoundView): void
  progress(phase: Phase, done: number, total: number): void
}

/**
 * The computations of a node, in a thread of its own from the first on: this thread hands messages on, keeps the key, and asks
 * the ledger. See `PartyService`.
 */
export class PartyThread {
  readonly #context: NodeContext
  readonly #listeners = new Map<string, AttemptListener>()
  #running: Running | undefined
  #working = 0
  #stopped = false

  constructor(context: NodeContext) {
    this.#context = context
  }

  get service(): Async<PartyService> {
    if (this.#running?.ended() === true && !this.#stopped) {
      this.#context.log.error('the thread of computations ended, and is started again')
      void this.#running.close()
      this.#running = undefined
    }
    this.#running ??= this.#start()
    return this.#running.service
  }

  /** Erases what a process that ended has left of what it claimed; starts the thread, if there is any material. */
  async resume(): Promise<void> {
    if (!this.#idle()) await this.service.material()
  }

  /** Without a thread if there has never been any. */
  async material(): Promise<Material> {
    if (this.#idle()) {
      const stock = Object.fromEntries(MATERIAL_KINDS.map((kind) => [kind, 0])) as Material['stock']
      return { stock, committed: 0 }
    }
    return this.service.material()
  }

  /** Committees, in party order, with an epoch that this node leads and that is short of something. */
  async shortCommittees(): Promise<readonly (readonly NodeId[])[]> {
    return this.#idle() ? [] : this.service.shortCommittees()
  }

  /** Whether work ahead is under way. */
  working(): boolean {
    return this.#working > 0
  }

  workAhead(id: string, parties: readonly NodeId[]): Promise<boolean> {
    return this.#ahead(() => this.service.workAhead(id, parties))
  }

  /** Commits to the shares of complete stocks; `more` is asked before each row. False when there was nothing to do. */
  async commitAhead(more: () => boolean): Promise<boolean> {
    if (this.#idle()) return false
    return this.#ahead(async () => {
      let worked = false
      while (more() && (await this.service.commitAhead())) worked = true
      return worked
    })
  }

  /** Begins to collect the inputs of an attempt, which ends with `signal`; `close` must follow. */
  async open(order: AttemptOrder, listener: AttemptListener, signal: AbortSignal): Promise<void> {
    this.#listeners.set(order.id, listener)
    signal.addEventListener('abort', () => void this.service.cancel(order.id).catch(() => undefined))
    await this.service.open(order)
  }

  receive(payload: Uint8Array): Promise<Received> {
    return this.service.receive(alone(payload))
  }

  async close(id: string): Promise<void> {
    this.#listeners.delete(id)
    await this.#running?.service.close(id)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const running = this.#running
    await running?.service.stop().catch(() => undefined)
    await running?.close()
  }

  /** No thread, and nothing that one would find. */
  #idle(): boolean {
    return this.#running === undefined && !existsSync(join(this.#context.options.dataDir, MATERIAL_FILE))
  }

  async #ahead(work: () => Promise<boolean>): Promise<boolean> {
    this.#working += 1
    try {
      return await work()
    } finally {
      this.#working -= 1
    }
  }

  #start(): Running {
    const { nodeKey, ledger, options } = this.#context
    const { bgv = standardParameters(), dataDir, sameThread } = options
    const data: PartyOptions = { self: nodeKey.address, dataDir, bgv, deployment: ledger.deployment }
    if (sameThread === true)
      return {
        service: new PartyService(this.#host(), data),
        ended: () => false,
        close: async () => undefined,
      }
    const { port1, port2 } = new MessageChannel()
    serve(this.#host(), port1)
    // The thread's own calls keep the process alive.
    port1.unref()
    const thread = new ServiceThread<PartyService>({
      url: new URL('./party-worker.ts', import.meta.url),
      name: 'party',
      data: { ...data, host: port2 },
      ...{ calls: MAX_CALLS, gives: GIVES },
    })
    return {
      service: thread.service,
      ended: () => thread.closed,
      close: async () => {
        await thread.close()
        port1.close()
      },
    }
  }

  #host(): PartyHost {
    const context = this.#context
    const { ledger, nodeKey, log } = context
    const listener = (id: string): AttemptListener => {
      const found = this.#listeners.get(id)
      if (found === undefined) throw new EnigmaError('CANCELLED', 'the attempt is over')
      return found
    }
    return {
      ...anchoring(ledger, nodeKey),
      openSession: (id, peers, port) => this.#lend(id, peers, port),
      sign: async (digest) => nodeKey.signDigest(digest),
      facts: (jobId, transcript, committee) => auditFacts(ledger, jobId, transcript, committee),
      began: async (id, nonce) => listener(id).began(nonce),
      round: async (id, round) => listener(id).round(round),
      progress: async (id, phase, done, total) => this.#listeners.get(id)?.progress(phase, done, total),
      resumed: async (id, from) => log.info('run taken up again', { attempt: id, from }),
    }
  }

  async #lend(id: string, peers: readonly NodeId[], port: MessagePort): Promise<void> {
    const given = new AbortController()
    port.once('close', () => given.abort())
    port.start()
    const session = await this.#context.transport.openSession(id, peers, { signal: given.signal })
    if (given.signal.aborted) await session.close()
    else relaySession(session, port)
  }
}
