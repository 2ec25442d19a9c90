import { join } from 'node:path'
import { decode, encode } from 'cborg'
import { systemClock } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import { MiB, minute, second } from '../base/units.ts'
import type { BgvParameters } from '../bgv/parameters.ts'
import { BgvThread } from '../bgv/thread.ts'
import type { CommitVector } from '../commitments/types.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import type { FieldVector } from '../field/types.ts'
import { PartyChannel, STEP } from '../preprocessing/channel.ts'
import { LowGear } from '../preprocessing/lowgear.ts'
import { ConsumeOnceStore } from '../preprocessing/store.ts'
import {
  type Amounts,
  type AuthShare,
  COMMITTED_KINDS,
  type CommittedKind,
  MATERIAL_KINDS,
  type MaterialKind,
  type MaterialSource,
  type Ranges,
} from '../preprocessing/types.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { MATERIAL_MIGRATIONS, SqliteMaterialRecords } from '../storage/material.ts'
import type { NodeId, Transport } from '../transport/types.ts'

/** In the data directory. */
export const MATERIAL_FILE = 'material.db'
const TIMEOUT_MS = 2 * minute
/** The thread of the scheme holds a few hundred megabytes; it ends when nobody has needed it for so long. */
const IDLE_MS = 1 * minute
/** What the members of an epoch keep ready for its next jobs: some ten thousand multiplications or comparisons' bits. */
const TARGETS: readonly { kind: MaterialKind; items: number }[] = [
  { kind: 'triple', items: 30_000 },
  { kind: 'random', items: 4000 },
  { kind: 'mask', items: 10_000 },
  { kind: 'bit', items: 20_000 },
]
/** Bytes of an item, for the limit below. */
const BYTES_PER_ITEM: Readonly<Record<MaterialKind, number>> = {
  triple: 192,
  square: 128,
  inverse: 128,
  bit: 64,
  random: 64,
  mask: 192,
}
/** And of the commitments to it: mask and point of each share. */
const BYTES_PER_COMMITTED: Readonly<Record<CommittedKind, number>> = { triple: 288, bit: 96, random: 96 }
/** With more than this in stock a node does not work ahead. */
const AHEAD_BYTES = 256 * MiB
/** How long a job waits for another to be done with the newest epoch of its committee before it begins a new one. */
const PATIENCE_MS = 5 * second
/** Batches of one proof. */
const MAX_BATCHES = 12

/** What one member tells the others before a job: its newest epoch with this committee. */
interface Stock {
  readonly epoch: string
  readonly marks: Record<MaterialKind, number>
  readonly ends: Record<MaterialKind, number>
}

export interface Preparation {
  /** Names the sessions, the same at all members and never used before. */
  readonly id: string
  readonly jobId: string
  /** Of `exclusively`. */
  readonly run: string
  /** In party order. */
  readonly parties: readonly NodeId[]
  readonly amounts: Amounts
  readonly signal: AbortSignal
  /** 0 to 1. */
  readonly onProgress: (share: number) => void
}

/**
 * A node's preprocessed material: kept in a database of its own, generated with the other members when a job needs more
 * than is there.
 */
export class Preprocessing {
  readonly #transport: Pick<Transport, 'self' | 'openSession'>
  readonly #parameters: BgvParameters
  readonly #database: Database
  readonly #store: ConsumeOnceStore
  /** Committees whose epoch a job of this node is working with. */
  readonly #busy = new Set<string>()
  /** Which run of a job uses an epoch. */
  readonly #held = new Map<string, { run: string; ended: Promise<void>; release: () => void }>()
  #thread: BgvThread | undefined
  #users = 0
  #ahead: { abort: AbortController; ended: Promise<void> } | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(
    { transport, dataDir }: { transport: Pick<Transport, 'self' | 'openSession'>; dataDir: string },
    parameters: BgvParameters,
  ) {
    this.#transport = transport
    this.#parameters = parameters
    this.#database = openDatabase(join(dataDir, MATERIAL_FILE), MATERIAL_MIGRATIONS)
    this.#store = new ConsumeOnceStore({ field }, { records: new SqliteMaterialRecords(this.#database) })
  }

  /** Unclaimed items of each kind over all epochs. */
  stock(): Record<MaterialKind, number> {
    const total = Object.fromEntries(MATERIAL_KINDS.map((kind) => [kind, 0])) as Record<MaterialKind, number>
    for (const { id } of this.#store.live())
      for (const [kind, count] of Object.entries(this.#store.stock(id))) total[kind as MaterialKind] += count
    return total
  }

  /** Multiplications of the stock whose commitments for an audit are made. */
  committed(): number {
    return this.#store.live().reduce((sum, { id }) => sum + this.#store.committed(id, 'triple'), 0)
  }

  async stop(): Promise<void> {
    clearTimeout(this.#idle)
    this.#ahead?.abort.abort()
    await this.#ahead?.ended
    await this.#thread?.close()
    this.#database.close()
  }

  /**
   * Runs `work`, whose calls of `prepare` name `run`: no other job uses the epochs from which they take material before it
   * ends. Whoever learns an epoch's MAC key in a check that fails could otherwise lie in another job before it hears of it.
   */
  async exclusively<T>(run: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      for (const [id, held] of this.#held) {
        if (held.run !== run) continue
        held.release()
        this.#held.delete(id)
        // Meanwhile its committee may have begun another.
        const record = this.#store.live().find((epoch) => epoch.id === id)
        if (record !== undefined && this.#newest(record.parties) !== id) this.#store.destroy(id, 'replaced')
      }
    }
  }

  #newest(parties: readonly NodeId[]): string | undefined {
    return this.#store.live().findLast((epoch) => epoch.parties.join(',') === parties.join(','))?.id
  }

  /** Waits until no other run uses the newest epoch of a committee; false when that takes too long. */
  async #free(parties: readonly NodeId[], run: string, signal: AbortSignal): Promise<boolean> {
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      const held = this.#held.get(this.#newest(parties) ?? '')
      if (held === undefined || held.run === run) return true
      const left = until - Date.now()
      if (left <= 0) return false
      await Promise.race([held.ended, systemClock.sleep(left, signal)])
    }
  }

  /**
   * Material for one job: what the committee has in stock, and what is missing made together. All members call it with the
   * same arguments. Throws MPC_ABORTED, MPC_PARTY_LOST, CANCELLED, MATERIAL_USED.
   */
  async prepare(preparation: Preparation): Promise<{ source: MaterialSource; ranges: Ranges }> {
    // Work ahead makes room for a job.
    this.#ahead?.abort.abort()
    await this.#ahead?.ended
    const { jobId, amounts, onProgress, run } = preparation
    return this.#agreed(preparation, async ({ own, from, shared, known }) => {
      const missing = MATERIAL_KINDS.map((kind) => {
        const there = shared ? own.ends[kind] - from[kind] : 0
        return { kind, count: Math.max(0, (amounts[kind] ?? 0) - there) }
      }).filter(({ count }) => count > 0)
      const epochId =
        missing.length > 0 || !shared
          ? await this.#generate(preparation, missing, shared ? known : undefined)
          : own.epoch
      const ranges: Ranges = Object.fromEntries(
        MATERIAL_KINDS.flatMap((kind) =>
          (amounts[kind] ?? 0) > 0 ? [[kind, { from: from[kind], count: amounts[kind] }]] : [],
        ),
      )
      const source = await this.#store.claim(epochId, jobId, ranges)
      if (!this.#held.has(epochId)) {
        const { promise: ended, resolve: release } = Promise.withResolvers<void>()
        this.#held.set(epochId, { run, ended, release })
      }
      onProgress(1)
      return { source, ranges }
    })
  }

  /**
   * One batch ahead of what the committee of an epoch may need, made by all its members. False when nothing is short, or
   * the members' stocks do not agree.
   */
  async workAhead({ id, parties }: Pick<Preparation, 'id' | 'parties'>): Promise<boolean> {
    if (this.#ahead !== undefined || this.#busy.size > 0 || this.#held.size > 0) return false
    const abort = new AbortController()
    const ended = Promise.withResolvers<void>()
    this.#ahead = { abort, ended: ended.promise }
    const options = { id, run: id, parties, signal: abort.signal, onProgress: () => undefined }
    try {
      return await this.#agreed(options, async ({ own, from, shared, known }) => {
        const short = shared && TARGETS.find(({ kind, items }) => own.ends[kind] - from[kind] < items)
        if (!short) return false
        await this.#generate(options, [{ kind: short.kind, count: 1 }], known)
        return true
      })
    } finally {
      this.#ahead = undefined
      ended.resolve()
    }
  }

  /**
   * Commits to the shares of one row of a complete stock, so that audited jobs need not. Needs nobody else. False when there
   * is nothing to do.
   */
  async commitAhead(commit: CommitVector): Promise<boolean> {
    if (this.#ahead !== undefined || this.#busy.size > 0 || this.#held.size > 0) return false
    if (this.#bytes() > AHEAD_BYTES) return false
    const abort = new AbortController()
    const ended = Promise.withResolvers<void>()
    this.#ahead = { abort, ended: ended.promise }
    try {
      for (const { id } of this.#store.live())
        for (const { kind, items } of TARGETS) {
          if (!isCommitted(kind) || this.#isShort(id)) continue
          if (await this.#store.commitAhead(id, kind, items, commit, abort.signal)) return true
        }
      return false
    } finally {
      this.#ahead = undefined
      ended.resolve()
    }
  }

  #isShort(epochId: string): boolean {
    const stock = this.#store.stock(epochId)
    return TARGETS.some(({ kind, items }) => stock[kind] < items)
  }

  #bytes(): number {
    const stock = Object.entries(this.stock())
    const items = stock.reduce((sum, [kind, n]) => sum + n * BYTES_PER_ITEM[kind as MaterialKind], 0)
    return this.#store
      .live()
      .flatMap(({ id }) =>
        COMMITTED_KINDS.map((kind) => this.#store.committed(id, kind) * BYTES_PER_COMMITTED[kind]),
      )
      .reduce((sum, bytes) => sum + bytes, items)
  }

  /** Committees, in party order, with an epoch that this node leads and that is short of something. */
  shortCommittees(): readonly (readonly NodeId[])[] {
    if (this.#bytes() > AHEAD_BYTES) return []
    return this.#store
      .live()
      .filter(({ id, index }) => index === 0 && this.#isShort(id))
      .map(({ parties }) => parties)
  }

  /** Finds out what all members have of one epoch, and holds the committee while `work` goes on. */
  async #agreed<T>(
    { id, run, parties, signal }: Pick<Preparation, 'id' | 'run' | 'parties' | 'signal'>,
    work: (agreement: {
      own: Stock
      /** The highest mark of all members. */
      from: Record<MaterialKind, number>
      /** Whether all have the same epoch, with the same items. */
      shared: boolean
      known: { epoch: { id: string }; macKey: FieldVector } | undefined
    }) => Promise<T>,
  ): Promise<T> {
    const transport = this.#transport
    const committee = parties.join(',')
    const busy = this.#busy.has(committee)
    this.#busy.add(committee)
    let known: { epoch: { id: string }; macKey: FieldVector } | undefined
    try {
      if (!busy && (await this.#free(parties, run, signal))) known = this.#store.find(parties)
      const others = parties.filter((party) => party !== transport.self)
      const session = await transport.openSession(`${id}/stock`, others, { signal })
      const index = parties.indexOf(transport.self)
      const channel = new PartyChannel({ session, parties, index, timeoutMs: TIMEOUT_MS, signal })
      try {
        const own = this.#describe(known?.epoch.id)
        const told = (await channel.broadcast(STEP.hello, encode(own))).map((bytes, i) => {
          const stock = readStock(bytes)
          if (stock === undefined) throw channel.blame(i, 'MALFORMED', 'described its material wrongly')
          return stock
        })
        await channel.echo()
        // Numbers must mean the same items to all; otherwise everybody begins anew.
        const shared =
          own.epoch !== '' &&
          told.every(
            (s) => s.epoch === own.epoch && MATERIAL_KINDS.every((kind) => s.ends[kind] === own.ends[kind]),
          )
        const from = Object.fromEntries(
          MATERIAL_KINDS.map((kind) => [kind, shared ? Math.max(...told.map((s) => s.marks[kind])) : 0]),
        ) as Record<MaterialKind, number>
        return await work({ own, from, shared, known })
      } catch (error) {
        await channel.abort(error)
        throw error
      } finally {
        await session.close()
      }
    } finally {
      known?.macKey.free()
      if (!busy) this.#busy.delete(committee)
    }
  }

  /** Makes what is missing and appends it; the epoch is a new one without `resume`. Returns its id. */
  async #generate(
    options: Pick<Preparation, 'id' | 'run' | 'parties' | 'signal' | 'onProgress'>,
    missing: readonly { kind: MaterialKind; count: number }[],
    resume: { epoch: { id: string }; macKey: FieldVector } | undefined,
  ): Promise<string> {
    const { id, run, parties, signal, onProgress } = options
    const transport = this.#transport
    const index = parties.indexOf(transport.self)
    const others = parties.filter((party) => party !== transport.self)
    const slots = this.#parameters.n
    const bgv = this.#acquire()
    let gear: LowGear | undefined
    // Keys count as one unit, each call as one.
    const calls = missing.flatMap(({ kind, count }) => {
      const each = kind === 'random' || kind === 'mask' ? slots - 1 : slots
      const batches = Math.ceil(count / each)
      const groups = Array.from({ length: Math.ceil(batches / MAX_BATCHES) }, (_, g) =>
        Math.min(MAX_BATCHES, batches - g * MAX_BATCHES),
      )
      return groups.map((size) => ({ kind, size }))
    })
    let done = 0
    const step = (within = 0) => onProgress(Math.min(1, (done + within) / (calls.length + 1)))
    try {
      const session = await transport.openSession(`${id}/gear`, others, { signal })
      gear = await LowGear.start({
        field,
        slots,
        bgv,
        session,
        parties,
        index,
        checks: (epochId) => this.#store.checks(epochId),
        timeoutMs: TIMEOUT_MS,
        signal,
        onProgress: (_, at, total) => step(at / Math.max(1, total)),
        ...(resume === undefined ? {} : { resume: { epochId: resume.epoch.id, macKey: resume.macKey } }),
      })
      if (resume === undefined) {
        // Older epochs of these members are of no use any more: they do not agree on them.
        for (const { id: old, parties: members } of this.#store.live())
          if (members.join(',') === parties.join(',') && (this.#held.get(old)?.run ?? run) === run)
            this.#store.destroy(old, 'replaced')
        this.#store.open(gear.epoch, gear.macKey)
      }
      for (const { kind, size } of calls) {
        done += 1
        step()
        // Masks of all owners, or of none: lanes that end at different items would belong to different batches.
        const owners = kind === 'mask' ? parties.map((_, i) => i) : [undefined]
        const made: FieldVector[][] = []
        for (const owner of owners) made.push(await make(gear, kind, size, owner))
        for (const [i, vectors] of made.entries()) {
          await this.#store.append(gear.epoch.id, kind, vectors, owners[i])
          for (const v of vectors) v.free()
        }
      }
      return gear.epoch.id
    } catch (error) {
      const epochId = gear?.epoch.id ?? resume?.epoch.id
      const { reason, keyExposed } = EnigmaError.from(error).details ?? {}
      // That somebody else left is no reason to think ill of what is there, except in the middle of a MAC check.
      const suspect = hasCode(error, 'MPC_ABORTED') && reason !== 'TOLD'
      if (epochId !== undefined && (suspect || keyExposed === true))
        this.#store.destroy(epochId, String(reason ?? 'aborted'))
      throw error
    } finally {
      gear?.macKey.free()
      await gear?.close()
      this.#release()
    }
  }

  #describe(epochId: string | undefined): Stock {
    const zero = Object.fromEntries(MATERIAL_KINDS.map((kind) => [kind, 0])) as Record<MaterialKind, number>
    if (epochId === undefined) return { epoch: '', marks: zero, ends: zero }
    const marks = this.#store.marks(epochId)
    const stock = this.#store.stock(epochId)
    const ends = Object.fromEntries(
      MATERIAL_KINDS.map((kind) => [kind, marks[kind] + stock[kind]]),
    ) as Record<MaterialKind, number>
    return { epoch: epochId, marks, ends }
  }

  #acquire() {
    clearTimeout(this.#idle)
    this.#users += 1
    this.#thread ??= new BgvThread(this.#parameters)
    return this.#thread.bgv
  }

  #release(): void {
    this.#users -= 1
    if (this.#users > 0) return
    this.#idle = setTimeout(() => {
      const thread = this.#thread
      this.#thread = undefined
      void thread?.close()
    }, IDLE_MS)
    this.#idle.unref()
  }
}

function isCommitted(kind: MaterialKind): kind is CommittedKind {
  return (COMMITTED_KINDS as readonly MaterialKind[]).includes(kind)
}

/** One call of the generator, as the vectors that the store keeps. */
async function make(
  gear: LowGear,
  kind: MaterialKind,
  batches: number,
  owner: number | undefined,
): Promise<FieldVector[]> {
  const flat = (...shares: readonly AuthShare[]) => shares.flatMap(({ share, mac }) => [share, mac])
  switch (kind) {
    case 'triple': {
      const { a, b, c } = await gear.triples(batches)
      return flat(a, b, c)
    }
    case 'square': {
      const { a, c } = await gear.squares(batches)
      return flat(a, c)
    }
    case 'inverse': {
      const { a, inverse } = await gear.inverses(batches)
      return flat(a, inverse)
    }
    case 'bit':
      return flat(await gear.bits(batches))
    case 'random':
      return flat(await gear.randoms(batches))
    case 'mask': {
      const { shares, clear } = await gear.masks(owner as number, batches)
      return [...flat(shares), ...(clear === undefined ? [] : [clear])]
    }
  }
}

/** What another member said of its material; undefined when it is not of the right form. */
function readStock(bytes: Uint8Array): Stock | undefined {
  let value: unknown
  try {
    value = decode(bytes)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { epoch, marks, ends } = value as Record<string, unknown>
  const numbers = (x: unknown): x is Record<MaterialKind, number> =>
    typeof x === 'object' &&
    x !== null &&
    MATERIAL_KINDS.every((kind) => {
      const n = (x as Record<string, unknown>)[kind]
      return Number.isSafeInteger(n) && (n as number) >= 0
    })
  if (typeof epoch !== 'string' || epoch.length > 64 || !numbers(marks) || !numbers(ends)) return undefined
  return { epoch, marks, ends }
}
