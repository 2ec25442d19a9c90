import { encodeCanonical, encodeInTurns } from '../base/cbor.ts'
import type { Clock } from '../base/clock.ts'
import { EnigmaError, type ErrorCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { NodeId, Transport } from '../transport/types.ts'
import { decodeCanonical } from './cbor.ts'
import {
  ASK_TIMEOUT_MS,
  LOCATE_WIDTH,
  MAINTENANCE_BATCH,
  MAINTENANCE_INTERVAL,
  PENDING_LAST,
  PUT_TIMEOUT_MS,
  REPAIR_GRACE,
} from './constants.ts'
import { type Holder, LOCATE, REPLICATE } from './holder.ts'
import { rank } from './placement.ts'
import { checkAnswerSchema, checkSchema, movedSchema, receiptSchema } from './schemas.ts'
import { verifyReceipt } from './signatures.ts'
import type {
  Candidate,
  HolderPolicy,
  Placement,
  Receipt,
  RecordStore,
  RecordSummary,
  RepairShare,
} from './types.ts'

const CHECK = 'dht/check/1'
const MOVED = 'dht/moved/1'

const SILENT: readonly ErrorCode[] = ['PEER_UNREACHABLE', 'PEER_NOT_ADMITTED', 'TIMEOUT', 'CHANNEL_CLOSED']

export interface MaintenanceModules {
  transport: Transport
  store: RecordStore
  holder: Holder
  policy: HolderPolicy
  candidates: () => Promise<readonly Candidate[]>
  repairShare: RepairShare
  clock: Clock
  log: Log
}

export interface MaintenanceOptions {
  graceMs?: number
  intervalMs?: number
  batch?: number
}

/** What one run did. */
export interface MaintenanceReport {
  checked: number
  repaired: number
  expired: number
  recovered: number
  revoked: number
}

/**
 * Keeps records alive: looks after co-holders, replaces the ones that were lost, erases what was revoked and
 * what never became visible. Every holder runs it on its own; the best-ranked live holder acts.
 */
export class Maintenance {
  readonly #m: MaintenanceModules
  readonly #graceMs: number
  readonly #intervalMs: number
  readonly #batch: number
  /** When a share was first found without a live holder, or a copy's holder silent: by record, then holder or index. */
  readonly #missing = new Map<string, Map<NodeId | number, number>>()
  #cursor: string | undefined
  #stop: AbortController | undefined
  #loop: Promise<void> | undefined

  constructor(options: MaintenanceOptions, modules: MaintenanceModules) {
    this.#m = modules
    this.#graceMs = options.graceMs ?? REPAIR_GRACE
    this.#intervalMs = options.intervalMs ?? MAINTENANCE_INTERVAL
    this.#batch = Math.min(options.batch ?? MAINTENANCE_BATCH, MAINTENANCE_BATCH)
    modules.transport.handle(CHECK, async (from, payload) => {
      const { records } = decodeCanonical(payload, checkSchema)
      return encodeCanonical(
        records.map((r) => this.#answer(from, r.index, modules.store.summary(r.kind, r.key))),
      )
    })
    modules.transport.handle(MOVED, async (_, payload) => {
      const { receipt, replaced } = decodeCanonical(payload, movedSchema)
      return encodeCanonical(await this.#moved(receipt, replaced))
    })
  }

  start(): void {
    if (this.#stop) return
    const stop = new AbortController()
    this.#stop = stop
    this.#loop = (async () => {
      while (!stop.signal.aborted)
        try {
          await this.#m.clock.sleep(this.#intervalMs * (0.75 + Math.random() / 2), stop.signal)
          await this.run()
        } catch (error) {
          if (!stop.signal.aborted)
            this.#m.log.warn('maintenance-failed', { code: EnigmaError.from(error).code })
        }
    })()
  }

  async stop(): Promise<void> {
    this.#stop?.abort()
    await this.#loop
    this.#stop = undefined
  }

  /** One pass over the next batch of records. */
  async run(): Promise<MaintenanceReport> {
    const report: MaintenanceReport = { checked: 0, repaired: 0, expired: 0, recovered: 0, revoked: 0 }
    await this.#sweepPending(report)
    let batch = this.#m.store.scan(this.#cursor, this.#batch)
    if (batch.length === 0 && this.#cursor !== undefined) batch = this.#m.store.scan(undefined, this.#batch)
    const last = batch.at(-1)
    this.#cursor = last && batch.length === this.#batch ? `${last.kind}/${last.key}` : undefined
    const live: RecordSummary[] = []
    for (const record of batch) {
      if (await this.#dropRevoked(record, report)) continue
      live.push(record.placements.length < record.n ? await this.#discover(record) : record)
    }
    const holding = await this.#ask(live)
    const candidates = await this.#m.candidates()
    for (const record of live) {
      report.checked++
      try {
        await this.#look(record, holding, candidates, report)
      } catch (error) {
        this.#m.log.warn('repair-failed', { key: record.key, code: EnigmaError.from(error).code })
      }
    }
    return report
  }

  /** A crash between the two phases: if the ledger has the reference, the record comes alive; else it goes. */
  async #sweepPending(report: MaintenanceReport): Promise<void> {
    const now = this.#m.clock.now()
    const self = this.#m.transport.self
    for (const record of this.#m.store.expired(now, this.#batch)) {
      const { kind, key, content, owner, index } = record
      try {
        if ((await this.#m.policy.ledgerOpinion(kind, key, content, owner)) === 'active') {
          this.#m.store.activate(kind, key, [{ index, holder: self }])
          report.recovered++
          await this.#discover({ ...record, state: 'active', placements: [{ index, holder: self }] })
          continue
        }
      } catch {
        const entry = await this.#m.store.get(kind, key)
        // The chain does not answer: the owner's data are not thrown away on a guess.
        if (entry && now - entry.authorization.time < PENDING_LAST) continue
      }
      await this.#m.store.delete(kind, key)
      report.expired++
    }
  }

  async #dropRevoked(record: RecordSummary, report: MaintenanceReport): Promise<boolean> {
    if (record.kind === 'public') return false
    const { kind, key, content, owner } = record
    try {
      if ((await this.#m.policy.ledgerOpinion(kind, key, content, owner)) !== 'revoked') return false
    } catch {
      return false
    }
    await this.#m.store.delete(kind, key, this.#m.clock.now())
    this.#missing.delete(`${kind}/${key}`)
    report.revoked++
    return true
  }

  /** Which co-holders say they hold which records. */
  async #ask(records: readonly RecordSummary[]): Promise<Map<NodeId, Map<string, number>>> {
    const self = this.#m.transport.self
    const byHolder = new Map<NodeId, RecordSummary[]>()
    for (const record of records)
      for (const { holder } of record.placements) {
        if (holder === self) continue
        const of = byHolder.get(holder) ?? []
        byHolder.set(holder, of)
        of.push(record)
      }
    const holding = new Map<NodeId, Map<string, number>>()
    await Promise.all(
      [...byHolder].map(async ([holder, of]) => {
        try {
          const answer = decodeCanonical(
            await this.#m.transport.request(
              holder,
              CHECK,
              encodeCanonical({ records: of.map(({ kind, key, index }) => ({ kind, key, index })) }),
              { timeoutMs: ASK_TIMEOUT_MS },
            ),
            checkAnswerSchema,
          )
          holding.set(holder, new Map(of.map((r, i) => [`${r.kind}/${r.key}`, answer[i] ?? -1])))
        } catch (error) {
          const { code } = EnigmaError.from(error)
          this.#m.log.debug('co-holder-silent', { holder, code })
          // Who answers with an error is there; only silence counts as loss.
          if (!SILENT.includes(code))
            holding.set(
              holder,
              new Map(
                of.map((r) => [
                  `${r.kind}/${r.key}`,
                  r.placements.find((p) => p.holder === holder)?.index ?? -1,
                ]),
              ),
            )
        }
      }),
    )
    return holding
  }

  async #look(
    record: RecordSummary,
    holding: Map<NodeId, Map<string, number>>,
    candidates: readonly Candidate[],
    report: MaintenanceReport,
  ): Promise<void> {
    const name = `${record.kind}/${record.key}`
    const self = this.#m.transport.self
    const now = this.#m.clock.now()
    const since = this.#missing.get(name) ?? new Map<NodeId | number, number>()
    const answerOf = (p: Placement) => holding.get(p.holder)?.get(name)
    const others = record.placements.filter((p) => p.holder !== self)
    // Replaced while away: a majority of the others knows another holder of this share.
    const disowning = others.filter((p) => answerOf(p) === -2).length
    if (others.length > 0 && disowning * 2 > others.length) {
      await this.#m.store.delete(record.kind, record.key)
      this.#missing.delete(name)
      return
    }
    const live = record.placements.filter(
      (p) => p.holder === self || answerOf(p) === p.index || answerOf(p) === -2,
    )
    for (const p of others) {
      if (live.includes(p)) since.delete(p.holder)
      else if (!since.has(p.holder)) since.set(p.holder, now)
    }
    // Shares that found no holder when they were dealt are rebuilt like lost ones.
    const placed = new Set(record.placements.map((p) => p.index))
    const vacant = Array.from({ length: record.n }, (_, i) => i + 1).filter((i) => !placed.has(i))
    for (const i of placed) since.delete(i)
    for (const i of vacant) if (!since.has(i)) since.set(i, now)
    if (since.size === 0) this.#missing.delete(name)
    else this.#missing.set(name, since)
    const overdue = (key: NodeId | number) => now - (since.get(key) ?? now) >= this.#graceMs
    const lost: { index: number; holder: NodeId | null }[] = [
      ...others.filter((p) => overdue(p.holder)),
      ...vacant.filter(overdue).map((index) => ({ index, holder: null })),
    ]
    if (lost.length === 0) return
    // The first live holder by rank acts; a holder without preference counts last.
    const order = rank(record.key, candidates)
    const at = (id: NodeId) => (order.includes(id) ? order.indexOf(id) : order.length)
    const responsible = [...live].sort(
      (a, b) => at(a.holder) - at(b.holder) || (a.holder < b.holder ? -1 : 1),
    )[0]
    if (responsible?.holder !== self) return
    for (const p of lost) if (await this.#replace(record, p, live, order)) report.repaired++
  }

  async #replace(
    record: RecordSummary,
    lost: { index: number; holder: NodeId | null },
    live: readonly Placement[],
    order: readonly NodeId[],
  ): Promise<boolean> {
    const { kind, key } = record
    const placements = this.#m.store.summary(kind, key)?.placements ?? record.placements
    const taken = new Set(placements.map((p) => p.holder))
    for (const replacement of order) {
      if (taken.has(replacement)) continue
      const next = [
        ...placements.filter((p) => p.holder !== lost.holder),
        { index: lost.index, holder: replacement },
      ]
      try {
        const receipt =
          kind === 'share'
            ? await this.#m.repairShare({ record, missingIndex: lost.index, helpers: live, replacement })
            : await this.#copy(record, replacement, next)
        verifyReceipt(receipt, { kind, key, index: lost.index, holder: replacement, state: 'active' })
        this.#m.store.setPlacements(kind, key, next)
        this.#missing.get(`${kind}/${key}`)?.delete(lost.holder ?? lost.index)
        this.#m.log.info('holder-replaced', {
          key,
          index: lost.index,
          lost: lost.holder ?? 'none',
          replacement,
        })
        await this.#announce(receipt, lost.holder, live)
        return true
      } catch (error) {
        this.#m.log.info('replacement-failed', { key, replacement, code: EnigmaError.from(error).code })
        // Too few helpers is not the replacement's fault.
        if (kind === 'share' && EnigmaError.from(error).code === 'SHARES_TOO_FEW') return false
      }
    }
    return false
  }

  async #copy(
    record: RecordSummary,
    replacement: NodeId,
    placements: readonly Placement[],
  ): Promise<Receipt> {
    const entry = await this.#m.store.get(record.kind, record.key)
    if (!entry) throw new EnigmaError('NOT_FOUND', `record ${record.key} is gone`)
    // The sender must be a holder in the list it sends.
    const { record: content, authorization } = entry
    const payload = await encodeInTurns({ record: content, authorization, placements })
    return decodeCanonical(
      await this.#m.transport.request(replacement, REPLICATE, payload, { timeoutMs: PUT_TIMEOUT_MS }),
      receiptSchema,
    )
  }

  async #announce(receipt: Receipt, replaced: NodeId | null, live: readonly Placement[]): Promise<void> {
    const payload = encodeCanonical({ receipt, replaced })
    await Promise.allSettled(
      live
        .filter((p) => p.holder !== this.#m.transport.self)
        .map((p) => this.#m.transport.request(p.holder, MOVED, payload, { timeoutMs: ASK_TIMEOUT_MS })),
    )
  }

  #answer(from: NodeId, index: number, summary: RecordSummary | undefined): number {
    if (summary?.state !== 'active') return -1
    const replaced =
      summary.kind === 'share' && summary.placements.some((p) => p.index === index && p.holder !== from)
    return replaced && !summary.placements.some((p) => p.holder === from) ? -2 : summary.index
  }

  /** Believed only if this node, too, finds the replaced holder gone. */
  async #moved(receipt: Receipt, replaced: NodeId | null): Promise<boolean> {
    verifyReceipt(receipt, { state: 'active' })
    const { kind, key } = receipt
    const record = this.#m.store.summary(kind, key)
    if (record?.state !== 'active' || record.owner !== receipt.owner || replaced === this.#m.transport.self)
      return false
    const old = record.placements.find(
      (p) => p.index === receipt.index && (!replaced || p.holder === replaced),
    )
    if (replaced ? !old : old || receipt.index > record.n) return false
    if (!(await this.#registered(receipt.holder))) return false
    if (
      replaced &&
      !this.#missing.get(`${kind}/${key}`)?.has(replaced) &&
      (await this.#holds(replaced, record))
    )
      return false
    const current = this.#m.store.summary(kind, key)
    if (!current) return false
    this.#m.store.setPlacements(kind, key, [
      ...current.placements.filter((p) => p.holder !== replaced && p.holder !== receipt.holder),
      { index: receipt.index, holder: receipt.holder },
    ])
    this.#missing.get(`${kind}/${key}`)?.delete(replaced ?? receipt.index)
    return true
  }

  async #registered(node: NodeId): Promise<boolean> {
    return (await this.#m.candidates()).some((c) => c.id === node && c.preference > 0)
  }

  /** Looks for co-holders that this node does not know of, among the candidates where they should be. */
  async #discover(record: RecordSummary): Promise<RecordSummary> {
    const { kind, key, owner } = record
    const known = new Set(record.placements.map((p) => p.holder))
    const ranked = rank(key, await this.#m.candidates()).filter((id) => !known.has(id))
    const payload = encodeCanonical({ kind, key })
    const found = await Promise.all(
      ranked.slice(0, LOCATE_WIDTH).map(async (holder) => {
        try {
          const receipt = decodeCanonical(
            await this.#m.transport.request(holder, LOCATE, payload, { timeoutMs: ASK_TIMEOUT_MS }),
            receiptSchema.nullable(),
          )
          if (receipt) verifyReceipt(receipt, { kind, key, owner, holder, state: 'active' })
          return receipt
        } catch {
          return null
        }
      }),
    )
    const placements = [...(this.#m.store.summary(kind, key)?.placements ?? record.placements)]
    for (const r of found)
      if (r && !placements.some((p) => p.holder === r.holder || (kind === 'share' && p.index === r.index)))
        placements.push({ index: r.index, holder: r.holder })
    if (placements.length === record.placements.length) return record
    this.#m.store.setPlacements(kind, key, placements)
    return { ...record, placements }
  }

  async #holds(holder: NodeId, record: RecordSummary): Promise<boolean> {
    const answer = (await this.#ask([{ ...record, placements: [{ index: record.index, holder }] }])).get(
      holder,
    )
    return (answer?.get(`${record.kind}/${record.key}`) ?? -1) !== -1
  }
}
