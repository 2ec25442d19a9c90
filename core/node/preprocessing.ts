import { join } from 'node:path'
import { decode, encode } from 'cborg'
import { EnigmaError, hasCode } from '../base/errors.ts'
import { minute } from '../base/units.ts'
import { type BgvParameters, standardParameters } from '../bgv/parameters.ts'
import { BgvThread } from '../bgv/thread.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import type { FieldVector } from '../field/types.ts'
import { PartyChannel, STEP } from '../preprocessing/channel.ts'
import { LowGear } from '../preprocessing/lowgear.ts'
import { ConsumeOnceStore } from '../preprocessing/store.ts'
import {
  type Amounts,
  type AuthShare,
  MATERIAL_KINDS,
  type MaterialKind,
  type MaterialSource,
  type Ranges,
} from '../preprocessing/types.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { MATERIAL_MIGRATIONS, SqliteMaterialRecords } from '../storage/material.ts'
import type { NodeId } from '../transport/types.ts'
import type { NodeContext } from './context.ts'

const TIMEOUT_MS = 2 * minute
/** The thread of the scheme holds a few hundred megabytes; it ends when nobody has needed it for so long. */
const IDLE_MS = 1 * minute
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
  readonly #context: NodeContext
  readonly #parameters: BgvParameters
  readonly #database: Database
  readonly #store: ConsumeOnceStore
  /** Committees whose epoch a job of this node is working with. */
  readonly #busy = new Set<string>()
  #thread: BgvThread | undefined
  #users = 0
  #idle: NodeJS.Timeout | undefined

  constructor(context: NodeContext, parameters: BgvParameters = standardParameters()) {
    this.#context = context
    this.#parameters = parameters
    this.#database = openDatabase(join(context.options.dataDir, 'material.db'), MATERIAL_MIGRATIONS)
    this.#store = new ConsumeOnceStore({ field }, { records: new SqliteMaterialRecords(this.#database) })
  }

  /** Unclaimed items of each kind over all epochs. */
  stock(): Record<MaterialKind, number> {
    const total = Object.fromEntries(MATERIAL_KINDS.map((kind) => [kind, 0])) as Record<MaterialKind, number>
    for (const id of this.#store.live())
      for (const [kind, count] of Object.entries(this.#store.stock(id))) total[kind as MaterialKind] += count
    return total
  }

  async stop(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#thread?.close()
    this.#database.close()
  }

  /**
   * Material for one job: what the committee has in stock, and what is missing made together. All members call it with the
   * same arguments. Throws MPC_ABORTED, MPC_PARTY_LOST, CANCELLED, MATERIAL_USED.
   */
  async prepare(preparation: Preparation): Promise<MaterialSource> {
    const { parties } = preparation
    const committee = parties.join(',')
    const busy = this.#busy.has(committee)
    this.#busy.add(committee)
    try {
      return await this.#prepare(preparation, busy)
    } finally {
      if (!busy) this.#busy.delete(committee)
    }
  }

  async #prepare(
    { id, jobId, parties, amounts, signal, onProgress }: Preparation,
    busy: boolean,
  ): Promise<MaterialSource> {
    const { transport } = this.#context
    const index = parties.indexOf(transport.self)
    const others = parties.filter((party) => party !== transport.self)
    const session = await transport.openSession(`${id}/stock`, others, { signal })
    const channel = new PartyChannel({ session, parties, index, timeoutMs: TIMEOUT_MS, signal })
    const known = busy ? undefined : this.#store.find(parties)
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
      const missing = MATERIAL_KINDS.map((kind) => {
        const there = shared ? own.ends[kind] - from[kind] : 0
        return { kind, count: Math.max(0, (amounts[kind] ?? 0) - there) }
      }).filter(({ count }) => count > 0)
      let epochId = own.epoch
      if (missing.length > 0 || !shared)
        epochId = await this.#generate(
          { id, parties, index, signal, onProgress },
          missing,
          shared ? known : undefined,
        )
      const ranges: Ranges = Object.fromEntries(
        MATERIAL_KINDS.flatMap((kind) =>
          (amounts[kind] ?? 0) > 0 ? [[kind, { from: from[kind], count: amounts[kind] }]] : [],
        ),
      )
      const source = this.#store.claim(epochId, jobId, ranges)
      onProgress(1)
      return source
    } catch (error) {
      await channel.abort()
      throw error
    } finally {
      known?.macKey.free()
      await session.close()
    }
  }

  /** Makes what is missing and appends it; the epoch is a new one without `resume`. Returns its id. */
  async #generate(
    options: Pick<Preparation, 'id' | 'parties' | 'signal' | 'onProgress'> & { index: number },
    missing: readonly { kind: MaterialKind; count: number }[],
    resume: { epoch: { id: string }; macKey: FieldVector } | undefined,
  ): Promise<string> {
    const { id, parties, index, signal, onProgress } = options
    const { transport } = this.#context
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
      const owners = kind === 'mask' ? parties.map((_, i) => i) : [undefined]
      return owners.flatMap((owner) => groups.map((size) => ({ kind, size, owner })))
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
        timeoutMs: TIMEOUT_MS,
        signal,
        onProgress: (_, at, total) => step(at / Math.max(1, total)),
        ...(resume === undefined ? {} : { resume: { epochId: resume.epoch.id, macKey: resume.macKey } }),
      })
      if (resume === undefined) this.#store.open(gear.epoch, gear.macKey)
      for (const { kind, size, owner } of calls) {
        done += 1
        step()
        const vectors = await make(gear, kind, size, owner)
        this.#store.append(gear.epoch.id, kind, vectors, owner)
        for (const v of vectors) v.free()
      }
      return gear.epoch.id
    } catch (error) {
      const epochId = gear?.epoch.id ?? resume?.epoch.id
      if (epochId !== undefined && hasCode(error, 'MPC_ABORTED'))
        this.#store.destroy(epochId, String(EnigmaError.from(error).details?.reason ?? 'aborted'))
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
