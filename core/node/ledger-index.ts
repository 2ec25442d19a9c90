import { decode, encode } from 'cborg'
import type { Log } from '../base/log.ts'
import { turn } from '../base/turns.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type {
  BlockRef,
  EventBatch,
  EvidenceKind,
  Hex,
  JobProtocol,
  LedgerEvent,
  ReferenceKind,
  Subscription,
} from '../ledger/types.ts'
import type { KeyValueStore } from '../storage/types.ts'

const NAMESPACE = 'ledger-events'
const PAGE = 1000

export interface IndexedReference {
  ref: Hex
  identity: Hex
  owner: Hex
  kind: ReferenceKind
  length: number
  block: number
  /** Milliseconds since the epoch. */
  at: number
  revoked: boolean
}

export interface IndexedJob {
  jobId: Hex
  requester: Hex
  functionId: Hex
  params: Hex
  refsCount: number
  protocol: JobProtocol
  refs: Hex[]
  /** By reference. */
  approvals: Map<Hex, boolean>
  admitted: number
  state: 'requested' | 'open' | 'done' | 'failed' | 'cancelled'
  cohort: number
  attempt: number
  resultDigest?: Hex
  transcriptDigest?: Hex
  signers: Hex[]
  failReason?: number
  /** Whom the Evidence contract convicted in this job, and of what last. */
  convicted: Map<Hex, EvidenceKind>
  at: number
  finishedAt?: number
  block: number
}

/** A question to a party of an audited run that nobody has answered yet. */
export interface OpenDemand {
  jobId: Hex
  nonce: Hex
  party: Hex
  demand: Hex
  round: number
  /** Seconds since the Unix epoch. */
  deadline: number
}

interface StoredEvent {
  event: LedgerEvent
  at: number
}

interface Views {
  readonly references: Map<Hex, IndexedReference>
  readonly jobs: Map<Hex, IndexedJob>
  readonly predicates: Map<Hex, Hex>
  readonly identities: Map<Hex, { members: Hex[]; roles: bigint[]; at: number }>
  /** L, newest value by writer and key. */
  readonly values: Map<string, { value: Hex; at: number }>
  /** By job and party, see `demandKey`. */
  readonly demands: Map<string, OpenDemand>
}

function emptyViews(): Views {
  return {
    ...{ references: new Map(), jobs: new Map(), predicates: new Map() },
    ...{ identities: new Map(), values: new Map(), demands: new Map() },
  }
}

export type IndexListener = (event: LedgerEvent) => void

/**
 * What this node has learned from the ledger's events, by replay: the events are kept in the database, the
 * views in memory. A reorganisation drops the events above the fork and replays the rest.
 */
export class LedgerIndex {
  reorganisations = 0

  #views = emptyViews()
  readonly #ledger: Ledger
  readonly #store: KeyValueStore
  readonly #log: Log
  readonly #listeners = new Set<IndexListener>()
  readonly #rewindListeners = new Set<() => void>()
  readonly #blockListeners = new Set<(block: BlockRef) => void>()
  #subscription: Subscription | undefined

  constructor(modules: { ledger: Ledger; store: KeyValueStore; log: Log }) {
    this.#ledger = modules.ledger
    this.#store = modules.store
    this.#log = modules.log
  }

  get references(): Views['references'] {
    return this.#views.references
  }

  get jobs(): Views['jobs'] {
    return this.#views.jobs
  }

  get predicates(): Views['predicates'] {
    return this.#views.predicates
  }

  get identities(): Views['identities'] {
    return this.#views.identities
  }

  get values(): Views['values'] {
    return this.#views.values
  }

  get demands(): Views['demands'] {
    return this.#views.demands
  }

  /** Resolves once it is up to date. A start that failed can be tried again. */
  async start(): Promise<void> {
    if (this.#subscription === undefined) {
      await this.#replay()
      this.#subscription = await this.#ledger.subscribe('index', (batch) => this.#handle(batch))
    }
    await this.#subscription.caughtUp()
  }

  async caughtUp(): Promise<void> {
    await this.#subscription?.caughtUp()
  }

  async stop(): Promise<void> {
    await this.#subscription?.close()
  }

  /** Called for each event once it has been applied; after a restart only for new ones. */
  onEvent(listener: IndexListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onRewind(listener: () => void): () => void {
    this.#rewindListeners.add(listener)
    return () => this.#rewindListeners.delete(listener)
  }

  /** Called when everything up to a block has been applied. */
  onBlock(listener: (block: BlockRef) => void): () => void {
    this.#blockListeners.add(listener)
    return () => this.#blockListeners.delete(listener)
  }

  async #handle(batch: EventBatch): Promise<void> {
    if (batch.kind === 'rewind') {
      this.#log.warn('the chain was reorganised', { toBlock: batch.toBlock })
      for (const [key] of this.#all()) {
        await turn()
        if (blockOf(key) > batch.toBlock) this.#store.delete(NAMESPACE, key)
      }
      await this.#replay()
      this.reorganisations += 1
      for (const listener of this.#rewindListeners) listener()
      return
    }
    const at = batch.to.timestamp * 1000
    for (const event of batch.events) {
      await turn()
      const key = `${String(event.blockNumber).padStart(12, '0')}:${String(event.logIndex).padStart(6, '0')}`
      // A batch that is delivered again after a crash has been applied already.
      if (!this.#store.add(NAMESPACE, key, encodeEvent({ event, at }))) continue
      apply(this.#views, event, at)
      for (const listener of this.#listeners) listener(event)
    }
    for (const listener of this.#blockListeners) listener(batch.to)
  }

  *#all(): Generator<[string, Uint8Array]> {
    let after: string | undefined
    for (;;) {
      const page = this.#store.list(NAMESPACE, after, PAGE)
      for (const { key, value } of page) yield [key, value]
      if (page.length < PAGE) return
      after = page.at(-1)?.key
    }
  }

  /** Readers have the old views until the new ones are complete. */
  async #replay(): Promise<void> {
    const views = emptyViews()
    for (const [, value] of this.#all()) {
      await turn()
      const { event, at } = decodeEvent(value)
      apply(views, event, at)
    }
    this.#views = views
  }
}

function apply(views: Views, event: LedgerEvent, at: number): void {
  switch (event.name) {
    case 'ValueSet':
      views.values.set(`${event.writer}:${event.key}`, { value: event.value, at })
      return
    case 'IdentityCreated':
    case 'IdentityUpdated':
      views.identities.set(event.identity, { members: event.members, roles: event.roles, at })
      return
    case 'PredicatePublished':
      views.predicates.set(event.predicateId, event.encoding)
      return
    case 'ReferenceCreated':
      views.references.set(event.ref, {
        ref: event.ref,
        identity: event.identity,
        owner: event.owner,
        kind: event.kind,
        length: event.length,
        block: event.blockNumber,
        at,
        revoked: false,
      })
      return
    case 'ReferenceRevoked': {
      const reference = views.references.get(event.ref)
      if (reference !== undefined) reference.revoked = true
      return
    }
    case 'JobRequested':
      views.jobs.set(event.jobId, {
        jobId: event.jobId,
        requester: event.requester,
        functionId: event.functionId,
        params: event.params,
        refsCount: event.refsCount,
        protocol: event.protocol,
        refs: [],
        approvals: new Map(),
        admitted: 0,
        state: 'requested',
        cohort: 0,
        attempt: 0,
        signers: [],
        convicted: new Map(),
        at,
        block: event.blockNumber,
      })
      return
    case 'AnswerDemanded': {
      const { jobId, nonce, party, demand, round, deadline } = event
      views.demands.set(demandKey(event), { jobId, nonce, party, demand, round, deadline })
      return
    }
    case 'DemandAnswered':
      views.demands.delete(demandKey(event))
      return
    default:
      applyToJob(views, event, at)
  }
}

function applyToJob(views: Views, event: LedgerEvent, at: number): void {
  if (!('jobId' in event)) return
  if (event.name === 'CheaterConvicted' && event.kind === 'silence') views.demands.delete(demandKey(event))
  const job = views.jobs.get(event.jobId)
  if (job === undefined) return
  switch (event.name) {
    case 'JobRefsAdded':
      job.refs.push(...event.refs)
      return
    case 'JobApproval':
      job.approvals.set(event.ref, event.approved)
      return
    case 'JobRefsAdmitted':
      job.admitted += event.refs.length
      return
    case 'JobOpened':
      job.state = 'open'
      job.cohort = event.cohort
      return
    case 'CheaterConvicted':
      job.convicted.set(event.party, event.kind)
      return
    case 'JobDone':
      job.state = 'done'
      job.attempt = event.attempt
      job.resultDigest = event.resultDigest
      job.transcriptDigest = event.transcriptDigest
      job.signers = event.signers
      job.finishedAt = at
      return
    case 'JobFailed':
      job.state = 'failed'
      job.failReason = event.reason
      job.finishedAt = at
      return
    case 'JobCancelled':
      job.state = 'cancelled'
      job.finishedAt = at
      return
  }
}

export function demandKey({ jobId, party }: { jobId: Hex; party: Hex }): string {
  return `${jobId}/${party}`
}

function blockOf(key: string): number {
  return Number(key.slice(0, 12))
}

function encodeEvent(stored: StoredEvent): Uint8Array {
  return encode(stored)
}

/** cborg gives small bigints back as numbers; the two fields that are bigint are restored. */
function decodeEvent(bytes: Uint8Array): StoredEvent {
  const stored = decode(bytes) as StoredEvent
  const event = stored.event as { roles?: (bigint | number)[]; amount?: bigint | number }
  if (event.roles !== undefined) event.roles = event.roles.map(BigInt)
  if (event.amount !== undefined) event.amount = BigInt(event.amount)
  return stored
}
