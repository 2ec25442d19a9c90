import { EnigmaError } from '../base/errors.ts'
import { type Limits, MAX_SESSION_ID } from './constants.ts'
import { Inbox } from './inbox.ts'
import { isNodeId } from './node-id.ts'
import type { NodeId, RequestOptions, Session } from './types.ts'

/** The sending half of a session's channel to one peer. */
export interface Outbound {
  /** Resolves when the message has been handed to the channel. Rejects with CHANNEL_CLOSED. */
  send(parts: readonly Uint8Array[], length: number): Promise<void>
  /** Ends the channel: gracefully, so that the peer reads what was sent and knows it was the end. */
  end(): Promise<void>
  /** Drops the channel. */
  abort(): void
}

interface Waiting {
  inbox: Inbox
  timer: NodeJS.Timeout
}

const ATTACH_GRACE_MS = 500

const closedError = (peer: NodeId, why: string) =>
  new EnigmaError('CHANNEL_CLOSED', `the channel of node ${peer} is closed: ${why}`, { details: { peer } })

/**
 * The sessions of one node: inboxes that wait for their session, sessions that are open, ids that are over.
 * Shared by all transports.
 */
export class SessionTable {
  readonly #self: NodeId
  readonly #limits: Limits
  readonly #open = new Map<string, OpenSession>()
  readonly #waiting = new Map<NodeId, Map<string, Waiting>>()
  /** Ids closed lately: what still arrives for them is refused instead of kept. */
  readonly #over = new Set<string>()

  constructor(self: NodeId, limits: Limits) {
    this.#self = self
    this.#limits = limits
  }

  /**
   * Where messages of `peer` for session `id` go; undefined refuses them (session over, peer is no party of
   * it, too many waiting, or a channel of that name exists). `refuse` is called when it was not opened here in time, so that
   * the peer does not wait for it.
   */
  inbound(peer: NodeId, id: string, refuse: () => void): Inbox | undefined {
    if (id.length === 0 || id.length > MAX_SESSION_ID || this.#over.has(id)) return undefined
    const session = this.#open.get(id)
    if (session) return session.attach(peer)
    let of = this.#waiting.get(peer)
    if (!of) {
      of = new Map()
      this.#waiting.set(peer, of)
    }
    if (of.has(id) || of.size >= this.#limits.waitingSessions) return undefined
    const inbox = new Inbox(this.#limits.waitingInboxBytes)
    const timer = setTimeout(() => {
      of.delete(id)
      inbox.close(closedError(peer, 'its session was not opened in time'), true)
      refuse()
    }, this.#limits.waitingSessionMs)
    timer.unref()
    of.set(id, { inbox, timer })
    return inbox
  }

  /** The channel ended. Without `graceful`, the peer counts as lost in that session. */
  inboundClosed(peer: NodeId, id: string, inbox: Inbox, graceful: boolean): void {
    if (!graceful) {
      if (this.#waiting.get(peer)?.get(id)?.inbox === inbox) this.#forget(peer, id)
      this.#open.get(id)?.lose(peer)
    }
    inbox.close(closedError(peer, graceful ? 'it left the session' : 'it was lost'))
  }

  open(id: string, peers: readonly NodeId[]): OpenSession {
    if (id.length === 0 || id.length > MAX_SESSION_ID)
      throw new EnigmaError('INVALID_ARGUMENT', `a session id has 1 to ${MAX_SESSION_ID} characters`)
    if (this.#open.has(id)) throw new EnigmaError('INVALID_ARGUMENT', `session ${id} is open already`)
    if (new Set(peers).size !== peers.length || peers.includes(this.#self) || !peers.every(isNodeId))
      throw new EnigmaError(
        'INVALID_ARGUMENT',
        `session ${id}: peers must be distinct node ids other than this node's`,
      )
    const inboxes = new Map<NodeId, Inbox>()
    const attached = new Set<NodeId>()
    for (const peer of peers) {
      const waiting = this.#forget(peer, id)
      if (waiting) attached.add(peer)
      const inbox = waiting ?? new Inbox(this.#limits.inboxBytes)
      inbox.setLimit(this.#limits.inboxBytes)
      inboxes.set(peer, inbox)
    }
    const session = new OpenSession(id, this.#self, peers, inboxes, attached, this.#limits, () =>
      this.#closed(id),
    )
    this.#open.set(id, session)
    this.#over.delete(id)
    for (const [peer, of] of this.#waiting) {
      const stranger = of.get(id)
      if (!stranger) continue
      this.#forget(peer, id)
      stranger.inbox.close(closedError(peer, 'it is no party of the session'), true)
    }
    return session
  }

  peerLost(peer: NodeId): void {
    for (const [id, w] of this.#waiting.get(peer) ?? []) {
      this.#forget(peer, id)
      w.inbox.close(closedError(peer, 'it was lost'), true)
    }
    for (const session of [...this.#open.values()]) session.lose(peer)
  }

  async stop(): Promise<void> {
    for (const of of this.#waiting.values())
      for (const { inbox, timer } of of.values()) {
        clearTimeout(timer)
        inbox.close(new EnigmaError('CHANNEL_CLOSED', 'this node stopped'), true)
      }
    this.#waiting.clear()
    await Promise.all([...this.#open.values()].map((s) => s.close()))
  }

  #forget(peer: NodeId, id: string): Inbox | undefined {
    const of = this.#waiting.get(peer)
    const waiting = of?.get(id)
    if (!of || !waiting) return undefined
    clearTimeout(waiting.timer)
    of.delete(id)
    if (of.size === 0) this.#waiting.delete(peer)
    return waiting.inbox
  }

  #closed(id: string): void {
    this.#open.delete(id)
    this.#over.add(id)
    if (this.#over.size > 1024) {
      const oldest = this.#over.values().next().value
      if (oldest !== undefined) this.#over.delete(oldest)
    }
  }
}

export class OpenSession implements Session {
  readonly id: string
  readonly self: NodeId
  readonly peers: readonly NodeId[]
  readonly #inboxes: Map<NodeId, Inbox>
  /** Peers whose inbound channel exists. */
  readonly #attached: Set<NodeId>
  readonly #outbound = new Map<NodeId, Outbound>()
  readonly #lost = new Set<NodeId>()
  readonly #listeners = new Set<(peer: NodeId) => void>()
  readonly #limits: Limits
  readonly #onClose: () => void
  #closed = false

  constructor(
    id: string,
    self: NodeId,
    peers: readonly NodeId[],
    inboxes: Map<NodeId, Inbox>,
    attached: Set<NodeId>,
    limits: Limits,
    onClose: () => void,
  ) {
    this.id = id
    this.self = self
    this.peers = [...peers]
    this.#inboxes = inboxes
    this.#attached = attached
    this.#limits = limits
    this.#onClose = onClose
  }

  attach(peer: NodeId): Inbox | undefined {
    const inbox = this.#inboxes.get(peer)
    if (!inbox || inbox.closed || this.#attached.has(peer)) return undefined
    this.#attached.add(peer)
    return inbox
  }

  /** Gives the session its channel to `peer`. False when the session is closed or the peer lost meanwhile. */
  connect(peer: NodeId, outbound: Outbound): boolean {
    if (this.#closed || this.#lost.has(peer)) return false
    this.#outbound.set(peer, outbound)
    return true
  }

  /**
   * The sending channel ended before this side closed it. A peer that has left says so on its own channel, which
   * may still carry unread messages; one that never opened a channel is given a moment, then it is lost.
   */
  outboundClosed(peer: NodeId): void {
    this.#outbound.delete(peer)
    if (this.#closed || this.#attached.has(peer)) return
    setTimeout(() => {
      if (!this.#attached.has(peer)) this.lose(peer)
    }, ATTACH_GRACE_MS).unref()
  }

  get lostPeers(): readonly NodeId[] {
    return [...this.#lost]
  }

  lose(peer: NodeId): void {
    const inbox = this.#inboxes.get(peer)
    if (this.#closed || !inbox || this.#lost.has(peer)) return
    // Both sides had finished: a connection that goes away afterwards is no loss.
    const left = inbox.closed
    this.#lost.add(peer)
    inbox.close(closedError(peer, 'it was lost'))
    this.#outbound.get(peer)?.abort()
    this.#outbound.delete(peer)
    if (left) return
    for (const listener of [...this.#listeners]) this.#tell(listener, peer)
  }

  async send(to: NodeId, ...parts: Uint8Array[]): Promise<void> {
    const length = parts.reduce((n, part) => n + part.length, 0)
    if (!this.#inboxes.has(to))
      throw new EnigmaError('INVALID_ARGUMENT', `node ${to} is no party of session ${this.id}`)
    if (length > this.#limits.maxMessageBytes)
      throw new EnigmaError(
        'FRAME_TOO_LARGE',
        `a message of ${length} bytes exceeds ${this.#limits.maxMessageBytes}`,
      )
    const outbound = this.#outbound.get(to)
    if (this.#closed || !outbound)
      throw closedError(to, this.#closed ? 'the session is closed' : 'it was lost')
    try {
      await outbound.send(parts, length)
    } catch (error) {
      throw error instanceof EnigmaError ? error : closedError(to, 'it was lost')
    }
  }

  async receive(from: NodeId, options: RequestOptions = {}): Promise<Uint8Array> {
    const inbox = this.#inboxes.get(from)
    if (!inbox) throw new EnigmaError('INVALID_ARGUMENT', `node ${from} is no party of session ${this.id}`)
    return inbox.receive(options)
  }

  /** A listener that comes late hears of the peers lost before. */
  onPeerLost(listener: (peer: NodeId) => void): () => void {
    this.#listeners.add(listener)
    for (const peer of this.#lost)
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) this.#tell(listener, peer)
      })
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#onClose()
    for (const [peer, inbox] of this.#inboxes) inbox.close(closedError(peer, 'the session is closed'), true)
    this.#listeners.clear()
    const outbound = [...this.#outbound.values()]
    this.#outbound.clear()
    await Promise.all(outbound.map((o) => o.end().catch(() => o.abort())))
  }

  #tell(listener: (peer: NodeId) => void, peer: NodeId): void {
    try {
      listener(peer)
    } catch {
      // A listener's fault is not the channel's.
    }
  }
}
