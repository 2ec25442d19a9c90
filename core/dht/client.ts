import { encodeCanonical, encodeInTurns } from '../base/cbor.ts'
import type { Clock } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { turn } from '../base/turns.ts'
import type { NodeId, RequestOptions, Transport } from '../transport/types.ts'
import { decodeCanonical } from './cbor.ts'
import { ASK_TIMEOUT_MS, LOCATE_WIDTH, NO_CONTENT, PUT_TIMEOUT_MS } from './constants.ts'
import { ABORT, COMMIT, DELETE, GET, type Holder, LOCATE, PUT } from './holder.ts'
import { rank } from './placement.ts'
import { checkKey, contentDigest, placementDigest, recordDigest } from './records.ts'
import { doneSchema, receiptSchema, recordSchema } from './schemas.ts'
import { authorize, signRelease, verifyReceipt } from './signatures.ts'
import type {
  Authorization,
  Candidate,
  DataRecord,
  EncryptedRecord,
  Hash,
  OwnerSigner,
  Placement,
  PreparedStore,
  PublicRecord,
  Receipt,
  RecordKind,
  ShareRecord,
} from './types.ts'

export interface ClientModules {
  transport: Transport
  /** This node's own holder: it may be a candidate like any other. */
  holder: Holder
  /** The registered nodes and their preference. */
  candidates: () => Promise<readonly Candidate[]>
  clock: Clock
  log: Log
}

export interface StoreOptions {
  /** Receipts that make the store succeed. */
  quorum: number
  /** Holders of an earlier attempt, tried first: what is pending there is found again. */
  prefer?: readonly Placement[]
  exclude?: readonly NodeId[]
  signal?: AbortSignal
  /** After each receipt. */
  onProgress?: (done: number, total: number) => void
}

export interface Loaded<R extends DataRecord> {
  holder: NodeId
  record: R
}

export interface Failure {
  holder: NodeId
  error: EnigmaError
}

const receiptOrNull = receiptSchema.nullable()

/** The asking half: places records, finds, loads and deletes them. Verifies whatever a holder answers. */
export class DhtClient {
  readonly #m: ClientModules

  constructor(modules: ClientModules) {
    this.#m = modules
  }

  /** All candidates for a key, best first. */
  async rank(key: Hash, exclude: readonly NodeId[] = []): Promise<NodeId[]> {
    return rank(key, await this.#m.candidates()).filter((id) => !exclude.includes(id))
  }

  /**
   * First phase of a store (Alg. 4): each record goes to a holder of its own, which keeps it as pending and
   * signs a receipt; a holder that does not is replaced by the next candidate. With fewer receipts than the
   * quorum nothing stays behind. Codes: HOLDERS_TOO_FEW, QUORUM_NOT_REACHED, CANCELLED.
   */
  async prepareShares(
    records: readonly ShareRecord[],
    signer: OwnerSigner,
    options: StoreOptions,
  ): Promise<PreparedStore> {
    const first = records[0]
    if (!first) throw new EnigmaError('INVALID_ARGUMENT', 'no shares to store')
    const content = contentDigest(first)
    if (
      new Set(records.map((r) => r.index)).size !== records.length ||
      records.some(
        (r) => r.key !== first.key || (r.commitments !== first.commitments && contentDigest(r) !== content),
      )
    )
      throw new EnigmaError('INVALID_ARGUMENT', 'the shares must be of one dealing and of distinct indices')
    return this.#prepare(records, content, signer, options)
  }

  /** The same for `replicas` copies of an encrypted record. */
  async prepareEncrypted(
    record: EncryptedRecord,
    signer: OwnerSigner,
    options: StoreOptions & { replicas: number },
  ): Promise<PreparedStore> {
    await turn()
    checkKey(record)
    await turn()
    const copies = Array.from({ length: options.replicas }, () => record)
    return this.#prepare(copies, contentDigest(record), signer, options)
  }

  /** Stores copies of public data, active at once. Codes: HOLDERS_TOO_FEW, QUORUM_NOT_REACHED. */
  async putPublic(
    record: PublicRecord,
    signer: OwnerSigner,
    options: StoreOptions & { replicas: number },
  ): Promise<PreparedStore> {
    checkKey(record)
    const copies = Array.from({ length: options.replicas }, () => record)
    const prepared = await this.#prepare(copies, contentDigest(record), signer, options)
    // Active already; this tells the holders of each other. Who stored the same data before keeps their list.
    await this.commit(prepared, signer, options.signal).catch(() => [])
    return prepared
  }

  /**
   * Second phase: holders make the record visible. Repeatable. Holders that cannot be reached find the reference
   * on the ledger themselves. Throws QUORUM_NOT_REACHED when nobody answered.
   */
  async commit(
    prepared: Pick<PreparedStore, 'kind' | 'key' | 'content' | 'placements'>,
    signer: OwnerSigner,
    signal?: AbortSignal,
  ): Promise<Receipt[]> {
    const { kind, key, content, placements } = prepared
    const authorization = await authorize(signer, {
      action: 'commit',
      kind,
      key,
      content: placementDigest(content, placements),
      time: this.#m.clock.now(),
    })
    const payload = encodeCanonical({ authorization, placements })
    const settled = await Promise.allSettled(
      placements.map(async ({ holder, index }) => {
        const receipt =
          holder === this.#m.transport.self
            ? await this.#m.holder.commit(authorization, placements)
            : decodeCanonical(
                await this.#m.transport.request(
                  holder,
                  COMMIT,
                  payload,
                  this.#options(ASK_TIMEOUT_MS, signal),
                ),
                receiptSchema,
              )
        await turn()
        verifyReceipt(receipt, { kind, key, index, holder, owner: signer.owner, state: 'active' })
        return receipt
      }),
    )
    const receipts = settled.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []))
    if (receipts.length === 0)
      throw new EnigmaError('QUORUM_NOT_REACHED', `no holder of ${key} could be reached to commit`, {
        cause: settled.find((s) => s.status === 'rejected')?.reason,
      })
    return receipts
  }

  /** Drops what is pending. Holders that cannot be reached let it expire. Returns how many dropped it. */
  async abort(
    prepared: Pick<PreparedStore, 'kind' | 'key' | 'placements'>,
    signer: OwnerSigner,
  ): Promise<number> {
    const authorization = await authorize(signer, {
      action: 'abort',
      kind: prepared.kind,
      key: prepared.key,
      content: NO_CONTENT,
      time: this.#m.clock.now(),
    })
    return this.#withdraw(
      ABORT,
      authorization,
      prepared.placements.map((p) => p.holder),
    )
  }

  /** Revokes: every holder that is reached erases the record. Returns how many did. */
  async delete(
    kind: RecordKind,
    key: Hash,
    signer: OwnerSigner,
    holders?: readonly NodeId[],
  ): Promise<number> {
    const authorization = await authorize(signer, {
      action: 'delete',
      kind,
      key,
      content: NO_CONTENT,
      time: this.#m.clock.now(),
    })
    const located = (await this.locate(kind, key)).map((r) => r.holder)
    return this.#withdraw(DELETE, authorization, [...new Set([...(holders ?? []), ...located])])
  }

  /** Signed receipts of the active holders among the ranked candidates (and `hint`). */
  async locate(
    kind: RecordKind,
    key: Hash,
    options: { hint?: readonly NodeId[]; width?: number; signal?: AbortSignal } = {},
  ): Promise<Receipt[]> {
    const ranked = (await this.rank(key)).slice(0, options.width ?? LOCATE_WIDTH)
    const payload = encodeCanonical({ kind, key })
    const answers = await Promise.all(
      [...new Set([...(options.hint ?? []), ...ranked])].map(async (holder) => {
        try {
          const receipt =
            holder === this.#m.transport.self
              ? await this.#m.holder.locate(kind, key)
              : decodeCanonical(
                  await this.#m.transport.request(
                    holder,
                    LOCATE,
                    payload,
                    this.#options(ASK_TIMEOUT_MS, options.signal),
                  ),
                  receiptOrNull,
                )
          await turn()
          if (receipt) verifyReceipt(receipt, { kind, key, holder, state: 'active' })
          return receipt
        } catch (error) {
          this.#m.log.debug('locate-failed', { holder, code: EnigmaError.from(error).code })
          return null
        }
      }),
    )
    if (options.signal?.aborted) throw new EnigmaError('CANCELLED', 'cancelled')
    return answers.filter((r) => r !== null)
  }

  /**
   * Asks holders to release a record to `signer` (Alg. 3). Each answer is checked against key, kind and, for
   * shares, the distinct index; what a holder refuses comes back as its error.
   */
  async load<K extends RecordKind>(
    kind: K,
    key: Hash,
    options: {
      signer: Pick<OwnerSigner, 'signer' | 'sign'>
      purpose: string
      holders: readonly NodeId[]
      /** Stop asking after so many records; default all. */
      enough?: number
      /** Shares without their commitments. */
      brief?: boolean
      signal?: AbortSignal
    },
  ): Promise<{ records: Loaded<Extract<DataRecord, { kind: K }>>[]; failures: Failure[] }> {
    const records: Loaded<Extract<DataRecord, { kind: K }>>[] = []
    const failures: Failure[] = []
    const waiting = [...options.holders]
    const enough = options.enough ?? waiting.length
    const ask = async () => {
      for (let holder = waiting.shift(); holder && records.length < enough; holder = waiting.shift())
        try {
          const record = await this.#loadOne(kind, key, holder, options)
          if (
            record.kind === 'share' &&
            records.some((r) => (r.record as ShareRecord).index === record.index)
          )
            throw new EnigmaError('RECORD_INVALID', `node ${holder} released a share of an index seen before`)
          records.push({ holder, record: record as Extract<DataRecord, { kind: K }> })
        } catch (error) {
          failures.push({ holder, error: EnigmaError.from(error) })
        }
    }
    await Promise.all(Array.from({ length: Math.min(enough, waiting.length) }, ask))
    if (options.signal?.aborted) throw new EnigmaError('CANCELLED', 'cancelled')
    return { records, failures }
  }

  /** Public data by their digest. Throws NOT_FOUND. */
  async getPublic(
    key: Hash,
    options: { holders?: readonly NodeId[]; signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    const seen = new Set<NodeId>()
    for (const source of [
      async () => options.holders ?? [],
      async () => (await this.rank(key)).slice(0, LOCATE_WIDTH),
    ])
      for (const holder of await source()) {
        if (seen.has(holder)) continue
        seen.add(holder)
        try {
          const record = await this.#fetch('public', key, holder, null, false, options.signal)
          if (record.kind === 'public') return record.data
        } catch (error) {
          if (options.signal?.aborted) throw error
        }
      }
    throw new EnigmaError('NOT_FOUND', `no node that can be reached has public data ${key}`)
  }

  async #loadOne(
    kind: RecordKind,
    key: Hash,
    holder: NodeId,
    options: {
      signer: Pick<OwnerSigner, 'signer' | 'sign'>
      purpose: string
      brief?: boolean
      signal?: AbortSignal
    },
  ): Promise<DataRecord> {
    const request = await signRelease(options.signer, {
      kind,
      key,
      holder,
      via: this.#m.transport.self,
      purpose: options.purpose,
      time: this.#m.clock.now(),
    })
    return this.#fetch(kind, key, holder, request, options.brief ?? false, options.signal)
  }

  async #fetch(
    kind: RecordKind,
    key: Hash,
    holder: NodeId,
    request: Parameters<Holder['get']>[1],
    brief: boolean,
    signal?: AbortSignal,
  ): Promise<DataRecord> {
    const record =
      holder === this.#m.transport.self
        ? await this.#m.holder.get(holder, request, kind, key, brief)
        : decodeCanonical(
            await this.#m.transport.request(
              holder,
              GET,
              encodeCanonical({ request, kind, key, brief }),
              this.#options(PUT_TIMEOUT_MS, signal),
            ),
            recordSchema,
          )
    if (record.kind !== kind || record.key !== key)
      throw new EnigmaError('RECORD_INVALID', `node ${holder} released another record`)
    await turn()
    checkKey(record)
    return record
  }

  async #prepare(
    records: readonly DataRecord[],
    content: Hash,
    signer: OwnerSigner,
    options: StoreOptions,
  ): Promise<PreparedStore> {
    const { kind, key } = records[0]!
    const { quorum } = options
    if (!Number.isInteger(quorum) || quorum < 1 || quorum > records.length)
      throw new EnigmaError('INVALID_ARGUMENT', `a quorum of ${quorum} of ${records.length} records`)
    const free = await this.rank(key, options.exclude)
    if (free.length < quorum)
      throw new EnigmaError(
        'HOLDERS_TOO_FEW',
        `${free.length} nodes can hold the data; ${quorum} are needed`,
        {
          remedy: 'Wait until more nodes have joined, or choose fewer holders.',
          details: { available: free.length, needed: quorum },
        },
      )
    const authorization = await authorize(signer, {
      action: 'put',
      kind,
      key,
      content,
      time: this.#m.clock.now(),
    })
    // Holders are taken before they are asked: one share each, whatever the order of answers.
    const take = (index: number): NodeId | undefined => {
      const preferred = options.prefer?.find((p) => p.index === index && free.includes(p.holder))?.holder
      const reserved = new Set(options.prefer?.map((p) => p.holder))
      const next = preferred ?? free.find((id) => !reserved.has(id)) ?? free[0]
      if (next) free.splice(free.indexOf(next), 1)
      return next
    }
    const receipts: Receipt[] = []
    const asked: Placement[] = []
    const missing: number[] = []
    let lastError: unknown
    // Copies are numbered for the caller; on the wire every copy has index 0.
    await Promise.all(
      records.map(async (record, slot) => {
        const index = record.kind === 'share' ? record.index : 0
        for (;;) {
          const holder = options.signal?.aborted ? undefined : take(index)
          if (!holder) {
            missing.push(record.kind === 'share' ? index : slot + 1)
            return
          }
          asked.push({ index, holder })
          try {
            receipts.push(await this.#putOne(record, authorization, holder, options.signal))
            options.onProgress?.(receipts.length, records.length)
            return
          } catch (error) {
            lastError = error
            this.#m.log.info('holder-replaced', { holder, key, code: EnigmaError.from(error).code })
          }
        }
      }),
    )
    const placements = receipts.map((r) => ({ index: r.index, holder: r.holder }))
    const kept = new Set(placements.map((p) => p.holder))
    const failed = receipts.length < quorum || options.signal?.aborted
    // A holder that timed out may have stored its part all the same.
    const leftover = failed ? asked : asked.filter((p) => !kept.has(p.holder))
    if (leftover.length > 0) {
      const withdrawn = this.abort({ kind, key, placements: leftover }, signer).catch(() => 0)
      if (failed) await withdrawn
    }
    if (options.signal?.aborted) throw new EnigmaError('CANCELLED', 'cancelled')
    if (failed)
      throw new EnigmaError(
        'QUORUM_NOT_REACHED',
        `${receipts.length} of ${quorum} holders stored their part`,
        {
          remedy: 'Nothing was stored. Try again when more nodes are online.',
          details: { stored: receipts.length, needed: quorum },
          cause: lastError,
        },
      )
    return { kind, key, content, receipts, placements, missing: missing.sort((a, b) => a - b) }
  }

  async #putOne(
    record: DataRecord,
    authorization: Authorization,
    holder: NodeId,
    signal: AbortSignal | undefined,
  ): Promise<Receipt> {
    // A record may have megabytes, and goes to several holders.
    await turn()
    const receipt =
      holder === this.#m.transport.self
        ? await this.#m.holder.put(record, authorization)
        : decodeCanonical(
            await this.#m.transport.request(
              holder,
              PUT,
              await encodeInTurns({ record, authorization }),
              this.#options(PUT_TIMEOUT_MS, signal),
            ),
            receiptSchema,
          )
    await turn()
    verifyReceipt(receipt, {
      kind: record.kind,
      key: record.key,
      index: record.kind === 'share' ? record.index : 0,
      holder,
      // Public data may have been stored by somebody else before; the key is their digest.
      ...(record.kind === 'public' ? {} : { owner: record.owner, digest: recordDigest(record) }),
    })
    return receipt
  }

  async #withdraw(
    protocol: string,
    authorization: Authorization,
    holders: readonly NodeId[],
  ): Promise<number> {
    const payload = encodeCanonical(authorization)
    const done = await Promise.all(
      holders.map(async (holder) => {
        try {
          if (holder === this.#m.transport.self)
            return protocol === DELETE
              ? await this.#m.holder.delete(authorization)
              : await this.#m.holder.abort(authorization)
          return decodeCanonical(
            await this.#m.transport.request(holder, protocol, payload, this.#options(ASK_TIMEOUT_MS)),
            doneSchema,
          )
        } catch (error) {
          if (!hasCode(error, 'PEER_UNREACHABLE'))
            this.#m.log.info('withdrawal-failed', { holder, code: EnigmaError.from(error).code })
          return false
        }
      }),
    )
    return done.filter(Boolean).length
  }

  #options(timeoutMs: number, signal?: AbortSignal): RequestOptions {
    return signal ? { timeoutMs, signal } : { timeoutMs }
  }
}
