import { encodeCanonical, encodeInTurns } from '../base/cbor.ts'
import type { Clock } from '../base/clock.ts'
import { EnigmaError, ERROR_CODES, hasCode } from '../base/errors.ts'
import { Exclusive } from '../base/exclusive.ts'
import type { Log } from '../base/log.ts'
import { turn } from '../base/turns.ts'
import type { NodeId, Transport } from '../transport/types.ts'
import { decodeCanonical } from './cbor.ts'
import { AUTHORIZATION_WINDOW, MAX_NONCES, NO_CONTENT, PENDING_TTL } from './constants.ts'
import { checkKey, contentDigest, placementDigest, recordDigest } from './records.ts'
import {
  authorizationSchema,
  commitSchema,
  getSchema,
  locateSchema,
  putSchema,
  replicateSchema,
} from './schemas.ts'
import { authorizationDigest, checkFresh, receiptDigest, releaseDigest } from './signatures.ts'
import type {
  Action,
  Authorization,
  DataRecord,
  Hash,
  HolderPolicy,
  Placement,
  Receipt,
  RecordKind,
  RecordStore,
  RecordSummary,
  ReleaseRequest,
  ShareRecord,
} from './types.ts'

export interface HolderModules {
  transport: Transport
  store: RecordStore
  policy: HolderPolicy
  /** Signs a 32-byte digest with the node key; 65 bytes r‖s‖v, v ∈ {27, 28}. */
  sign: (digest: Uint8Array) => Uint8Array | Promise<Uint8Array>
  clock: Clock
  log: Log
}

export const PUT = 'dht/put/1'
export const COMMIT = 'dht/commit/1'
export const ABORT = 'dht/abort/1'
export const DELETE = 'dht/delete/1'
export const GET = 'dht/get/1'
export const LOCATE = 'dht/locate/1'
export const REPLICATE = 'dht/replicate/1'

const refuse = (why: string): never => {
  throw new EnigmaError('PERMISSION_DENIED', why)
}

/** The serving half: keeps records and releases them only as its own chain client says. Trusts no peer. */
export class Holder {
  readonly #m: HolderModules
  /** Nonces of release requests, by the time they were signed. */
  readonly #nonces = new Map<Hash, number>()
  readonly #busy = new Exclusive()

  constructor(modules: HolderModules) {
    this.#m = modules
  }

  /** Registers the handlers. */
  start(): void {
    const { transport } = this.#m
    transport.handle(PUT, async (_, payload) => {
      await turn()
      const { record, authorization } = decodeCanonical(payload, putSchema)
      await turn()
      return encodeCanonical(await this.put(record, authorization))
    })
    transport.handle(COMMIT, async (_, payload) => {
      const { authorization, placements } = decodeCanonical(payload, commitSchema)
      return encodeCanonical(await this.commit(authorization, placements))
    })
    transport.handle(ABORT, async (_, payload) =>
      encodeCanonical(await this.abort(decodeCanonical(payload, authorizationSchema))),
    )
    transport.handle(DELETE, async (_, payload) =>
      encodeCanonical(await this.delete(decodeCanonical(payload, authorizationSchema))),
    )
    transport.handle(GET, async (from, payload) => {
      const { request, kind, key, brief } = decodeCanonical(payload, getSchema)
      return encodeInTurns(await this.get(from, request, kind, key, brief))
    })
    transport.handle(LOCATE, async (_, payload) => {
      const { kind, key } = decodeCanonical(payload, locateSchema)
      return encodeCanonical(await this.locate(kind, key))
    })
    transport.handle(REPLICATE, async (from, payload) => {
      const { record, authorization, placements } = decodeCanonical(payload, replicateSchema)
      if (record.kind === 'share') throw new EnigmaError('RECORD_INVALID', 'shares are rebuilt, not copied')
      if (!placements.some((p) => p.holder === from)) refuse(`node ${from} is no holder of the record`)
      return encodeCanonical(await this.acceptRepaired(record, authorization, placements))
    })
  }

  /**
   * Stores a record as pending (public data at once as active) and signs a receipt for it. Codes:
   * PERMISSION_DENIED, RECORD_INVALID, QUOTA_EXCEEDED, STORAGE_FULL.
   */
  async put(record: DataRecord, authorization: Authorization): Promise<Receipt> {
    return this.#exclusive(record.kind, record.key, async () => {
      const now = this.#m.clock.now()
      checkFresh(authorization.time, now)
      await this.#validate(record, authorization)
      await turn()
      const digest = recordDigest(record)
      await turn()
      const present = this.#m.store.summary(record.kind, record.key)
      // Public data are addressed by content: whoever stored them first, they are the same.
      if (present && record.kind === 'public') return this.#receipt(present)
      const isPublic = record.kind === 'public'
      await this.#m.store.put({
        record,
        digest,
        state: isPublic ? 'active' : 'pending',
        authorization,
        placements: [],
        expires: isPublic ? undefined : now + PENDING_TTL,
      })
      return this.#stored(record.kind, record.key)
    })
  }

  /** Makes a pending record visible. Repeating it is harmless. Codes: NOT_FOUND, PERMISSION_DENIED. */
  async commit(authorization: Authorization, placements: readonly Placement[]): Promise<Receipt> {
    const { kind, key } = authorization
    return this.#exclusive(kind, key, async () => {
      const present = this.#m.store.summary(kind, key)
      if (!present) throw new EnigmaError('NOT_FOUND', `there is no ${kind} record ${key} here`)
      await this.#checkOwner(authorization, 'commit', present)
      if (authorization.content !== placementDigest(present.content, placements))
        refuse('the owner signed another list of holders')
      const own = placements.find((p) => p.holder === this.#m.transport.self)
      if (own?.index !== present.index) refuse('the owner placed another share here')
      if (present.state === 'pending') this.#m.store.activate(kind, key, placements)
      else this.#m.store.setPlacements(kind, key, placements)
      return this.#stored(kind, key)
    })
  }

  /** Drops a pending record; an active one stays. */
  async abort(authorization: Authorization): Promise<boolean> {
    const { kind, key } = authorization
    return this.#exclusive(kind, key, async () => {
      const present = this.#m.store.summary(kind, key)
      if (!present) return false
      await this.#checkOwner(authorization, 'abort', present)
      return present.state === 'pending' && (await this.#m.store.delete(kind, key))
    })
  }

  /** Revocation: the record is erased and authorizations signed before are void. */
  async delete(authorization: Authorization): Promise<boolean> {
    const { kind, key } = authorization
    return this.#exclusive(kind, key, async () => {
      const present = this.#m.store.summary(kind, key)
      if (!present) return false
      await this.#checkOwner(authorization, 'delete', present)
      return this.#m.store.delete(kind, key, authorization.time)
    })
  }

  /**
   * Alg. 3 Load at the holder. Releases an active record after CheckPermission on this node's own chain client;
   * public data to any admitted node. Codes: NOT_FOUND, PERMISSION_DENIED.
   */
  async get(
    from: NodeId,
    request: ReleaseRequest | null,
    kind: RecordKind,
    key: Hash,
    brief = false,
  ): Promise<DataRecord> {
    const summary = this.#m.store.summary(kind, key)
    if (kind !== 'public') {
      if (!request || request.kind !== kind || request.key !== key) return refuse('the request is not signed')
      await this.#checkRelease(from, request)
      if (summary?.state === 'active') await this.#checkPermission(request, summary)
    }
    const entry = summary?.state === 'active' ? await this.#m.store.get(kind, key) : undefined
    if (entry?.state !== 'active')
      throw new EnigmaError('NOT_FOUND', `there is no ${kind} record ${key} here`)
    if (entry.record.kind === 'share' && brief) return { ...entry.record, commitments: new Uint8Array(0) }
    return entry.record
  }

  /** A receipt for an active record, or null. */
  async locate(kind: RecordKind, key: Hash): Promise<Receipt | null> {
    const summary = this.#m.store.summary(kind, key)
    return summary?.state === 'active' ? this.#receipt(summary) : null
  }

  /**
   * Takes over a record of a holder that was lost: a copy, or a share rebuilt here. The owner's original consent
   * comes with it; the ledger must still know the reference (copies: must not have revoked it).
   */
  async acceptRepaired(
    record: DataRecord,
    authorization: Authorization,
    placements: readonly Placement[],
  ): Promise<Receipt> {
    const { kind, key } = record
    return this.#exclusive(kind, key, async () => {
      await this.#validate(record, authorization)
      const opinion = await this.#m.policy.ledgerOpinion(kind, key, authorization.content, record.owner)
      if (opinion === 'revoked' || (kind === 'share' && opinion !== 'active'))
        refuse('the ledger has no live reference to the record')
      const index = record.kind === 'share' ? record.index : 0
      const self = this.#m.transport.self
      const all = [
        ...placements.filter((p) => p.holder !== self && (index === 0 || p.index !== index)),
        { index, holder: self },
      ]
      await turn()
      const digest = recordDigest(record)
      const present = this.#m.store.summary(kind, key)
      if (present?.state === 'active' && present.digest === digest) return this.#receipt(present)
      await this.#m.store.put({
        record,
        digest,
        state: 'active',
        authorization,
        placements: all,
        expires: undefined,
      })
      return this.#stored(kind, key)
    })
  }

  /** A receipt for a record that was just written. */
  async #stored(kind: RecordKind, key: Hash): Promise<Receipt> {
    const summary = this.#m.store.summary(kind, key)
    if (!summary) throw new EnigmaError('INTERNAL', `record ${key} vanished`)
    return this.#receipt(summary)
  }

  async #receipt(summary: RecordSummary): Promise<Receipt> {
    const unsigned = {
      kind: summary.kind,
      key: summary.key,
      index: summary.index,
      digest: summary.digest,
      owner: summary.owner,
      state: summary.state,
      holder: this.#m.transport.self,
      time: this.#m.clock.now(),
    }
    return { ...unsigned, signature: await this.#m.sign(receiptDigest(unsigned)) }
  }

  async #validate(record: DataRecord, a: Authorization): Promise<void> {
    if (a.action !== 'put' || a.kind !== record.kind || a.key !== record.key || a.owner !== record.owner)
      refuse('the authorization is for something else')
    await turn()
    if (a.content !== contentDigest(record)) refuse('the owner signed other content')
    await turn()
    const voidUntil = this.#m.store.deletedAt(record.kind, record.key)
    if (voidUntil !== undefined && a.time <= voidUntil)
      refuse('the record was deleted after it was authorised')
    checkKey(record)
    if (!(await this.#m.policy.verifyAuthorization(a, authorizationDigest(a))))
      refuse('the signature is not the owner’s')
    if (record.kind === 'share' && !(await this.#m.policy.verifyShareRecord(record as ShareRecord)))
      throw new EnigmaError('RECORD_INVALID', `the share of ${record.key} does not fit its commitments`)
  }

  async #checkOwner(a: Authorization, action: Action, present: RecordSummary): Promise<void> {
    checkFresh(a.time, this.#m.clock.now())
    if (a.action !== action || a.owner !== present.owner) refuse('the authorization is for something else')
    if (action !== 'commit' && a.content !== NO_CONTENT) refuse('the authorization is for something else')
    if (!(await this.#m.policy.verifyAuthorization(a, authorizationDigest(a))))
      refuse('the signature is not the owner’s')
  }

  async #checkRelease(from: NodeId, r: ReleaseRequest): Promise<void> {
    const now = this.#m.clock.now()
    checkFresh(r.time, now)
    if (r.holder !== this.#m.transport.self || r.via !== from) refuse('the request is for another node')
    if (this.#nonces.has(r.nonce)) refuse('the request was used before')
    if (!(await this.#m.policy.verifyRequester(r, releaseDigest(r))))
      refuse('the signature is not the requester’s')
    // Only signed requests take room in the list of nonces.
    if (this.#nonces.has(r.nonce)) refuse('the request was used before')
    this.#remember(r.nonce, r.time, now)
  }

  async #checkPermission(r: ReleaseRequest, summary: RecordSummary): Promise<void> {
    let allowed = false
    try {
      allowed = (await this.#m.policy.authorise(r, summary)) === true
    } catch (error) {
      // The reason is the requester's to know, as far as it is one of permission.
      if (hasCode(error, ...ERROR_CODES.permission)) throw error
      this.#m.log.warn('permission-check-failed', { code: EnigmaError.from(error).code })
    }
    if (!allowed) refuse(`account ${r.requester} may not have record ${r.key}`)
  }

  #remember(nonce: Hash, time: number, now: number): void {
    if (this.#nonces.size >= MAX_NONCES) {
      for (const [n, t] of this.#nonces) if (now - t > AUTHORIZATION_WINDOW) this.#nonces.delete(n)
      if (this.#nonces.size >= MAX_NONCES) refuse('too many requests')
    }
    this.#nonces.set(nonce, time)
  }

  /** One change of a record at a time: checks that wait for the chain must still hold when it is written. */
  #exclusive<T>(kind: RecordKind, key: Hash, work: () => Promise<T>): Promise<T> {
    return this.#busy.run(`${kind}/${key}`, work)
  }
}
