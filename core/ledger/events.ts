import type { Clock } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { turn } from '../base/turns.ts'
import { CODECS } from './abi.ts'
import { CURSOR_HASHES, LOG_PAGE } from './constants.ts'
import { REFERENCE_KINDS, toEvidenceKind, toProtocol } from './records.ts'
import { type RawLog, type Rpc, toBlockRef } from './rpc.ts'
import type {
  Address,
  Cursor,
  CursorStore,
  EventHandler,
  LedgerDeployment,
  LedgerEvent,
  Subscription,
} from './types.ts'

interface Modules {
  rpc: Rpc
  cursors: CursorStore
  clock: Clock
  log: Log
}

/** A typed event of one of the ledger's contracts; undefined for logs that are none. Throws on malformed data. */
export function parseLog(deployment: LedgerDeployment, log: RawLog): LedgerEvent | undefined {
  for (const [name, codec] of Object.entries(CODECS)) {
    if (deployment.addresses[name as keyof typeof CODECS] !== log.address) continue
    const event = codec.decodeEvent(log.topics, log.data)
    if (!event || event.name === 'EIP712DomainChanged') return undefined
    const args: Record<string, unknown> = { ...event.args }
    if (event.name === 'ReferenceCreated') {
      const kind = REFERENCE_KINDS[event.args.kind]
      if (!kind)
        throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint answered with an unknown kind of reference')
      args.kind = kind
    }
    if (event.name === 'JobRequested') args.protocol = toProtocol(event.args.protocol)
    if (event.name === 'CheaterConvicted') args.kind = toEvidenceKind(event.args.kind)
    if (event.name === 'AnswerDemanded') args.deadline = Number(event.args.deadline)
    if (event.name === 'NodeUnbonding') args.withdrawableAt = Number(event.args.withdrawableAt)
    return {
      name: event.name,
      ...args,
      blockNumber: log.blockNumber,
      blockHash: log.blockHash,
      txHash: log.transactionHash,
      logIndex: log.logIndex,
    } as unknown as LedgerEvent
  }
  return undefined
}

/**
 * One consumer's place in the chain. Every event of the canonical chain is handed over once and in order; when
 * blocks already handed over leave the chain, a rewind comes first. The place moves after the handler is done.
 */
export class EventCursor implements Subscription {
  readonly #id: string
  readonly #deployment: LedgerDeployment
  readonly #confirmations: number
  readonly #handler: EventHandler
  readonly #modules: Modules
  #cursor: Cursor | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(
    id: string,
    options: { deployment: LedgerDeployment; confirmations: number; handler: EventHandler },
    modules: Modules,
  ) {
    this.#id = id
    this.#deployment = options.deployment
    this.#confirmations = options.confirmations
    this.#handler = options.handler
    this.#modules = modules
  }

  /** Hands over everything up to the block that is confirmed now. Runs one at a time. */
  advance(): Promise<void> {
    this.#running ??= this.#advance().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async caughtUp(): Promise<void> {
    await this.#running?.catch(() => undefined)
    await this.advance()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running?.catch(() => undefined)
  }

  async #advance(): Promise<void> {
    const { rpc, cursors } = this.#modules
    let cursor = this.#cursor ?? (await cursors.get(this.#id)) ?? this.#origin()
    cursor = await this.#checkCanonical(cursor)
    const head = await rpc.head()
    const target = head.number - this.#confirmations + 1
    while (cursor.block < target && !this.#closed) {
      const from = cursor.block + 1
      const to = Math.min(target, cursor.block + LOG_PAGE)
      const block = await rpc.block(to)
      const logs = await rpc.logs(Object.values(this.#deployment.addresses) as Address[], from, to)
      const after = await rpc.block(to)
      // The chain changed while we read, or two endpoints disagree: look again on the next head.
      if (!block || after?.hash !== block.hash) return
      if (logs.some((l) => l.blockNumber === to && l.blockHash !== block.hash)) return
      if (await this.#movedSince(cursor)) return
      const events: LedgerEvent[] = []
      for (const log of logs) {
        await turn()
        const event = parseLog(this.#deployment, log)
        if (event !== undefined) events.push(event)
      }
      const recent = [...cursor.recent, { number: to, hash: block.hash }].slice(-CURSOR_HASHES)
      cursor = { block: to, recent }
      await this.#deliver({ kind: 'events', events, to: toBlockRef(block) }, cursor)
    }
  }

  #origin(): Cursor {
    return { block: this.#deployment.deployBlock - 1, recent: [] }
  }

  async #movedSince(cursor: Cursor): Promise<boolean> {
    const last = cursor.recent.at(-1)
    return last !== undefined && (await this.#modules.rpc.block(last.number))?.hash !== last.hash
  }

  async #checkCanonical(cursor: Cursor): Promise<Cursor> {
    if (!(await this.#movedSince(cursor))) return cursor
    const recent = [...cursor.recent]
    while (recent.length > 0) {
      const last = recent.at(-1)!
      if ((await this.#modules.rpc.block(last.number))?.hash === last.hash) break
      recent.pop()
    }
    const rewound = recent.length > 0 ? { block: recent.at(-1)!.number, recent } : this.#origin()
    this.#modules.log.warn('ledger.rewind', { cursor: this.#id, from: cursor.block, to: rewound.block })
    await this.#deliver({ kind: 'rewind', toBlock: rewound.block }, rewound)
    return rewound
  }

  async #deliver(batch: Parameters<EventHandler>[0], cursor: Cursor): Promise<void> {
    await this.#handler(batch, structuredClone(cursor))
    await this.#modules.cursors.put(this.#id, cursor)
    this.#cursor = cursor
  }
}

/** Errors of an advance that the next head may heal. */
export function isTransient(error: unknown): boolean {
  return hasCode(error, 'LEDGER_UNREACHABLE', 'LEDGER_WRONG_CHAIN', 'TIMEOUT', 'NOT_RUNNING')
}
