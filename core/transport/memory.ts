import { concatBytes } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { MiB } from '../base/units.ts'
import { DEFAULT_LIMITS, type Limits, OPEN_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './constants.ts'
import type { Inbox } from './inbox.ts'
import { checkProtocolName, deadline, orAbort, PeerQueue, RequestTable } from './requests.ts'
import { type OpenSession, type Outbound, SessionTable } from './sessions.ts'
import type { NodeId, RequestHandler, RequestOptions, Session, Transport } from './types.ts'

/** Bytes of one channel that are under way before its sender waits. */
const WINDOW_BYTES = 1 * MiB

export interface MemoryNetworkOptions {
  /** Milliseconds a message takes. Order between two nodes is kept whatever it returns. */
  delayMs?: (from: NodeId, to: NodeId) => number
  isAdmitted?: (node: NodeId) => Promise<boolean>
  limits?: Partial<Limits>
}

/** Nodes of one process, for tests: delays, refusals and losses on demand. */
export class MemoryNetwork {
  readonly nodes = new Map<NodeId, MemoryTransport>()
  readonly options: MemoryNetworkOptions
  readonly #cut = new Set<string>()

  constructor(options: MemoryNetworkOptions = {}) {
    this.options = options
  }

  join(id: NodeId): MemoryTransport {
    if (this.nodes.has(id)) throw new EnigmaError('INVALID_ARGUMENT', `node ${id} has joined already`)
    const node = new MemoryTransport(this, id)
    this.nodes.set(id, node)
    return node
  }

  /** The node vanishes without a word, as by kill -9. */
  kill(id: NodeId): void {
    const node = this.nodes.get(id)
    if (!node) return
    this.nodes.delete(id)
    node.vanish()
    for (const other of this.nodes.values()) other.lost(id)
  }

  /** Cuts the line between two nodes. */
  cut(a: NodeId, b: NodeId): void {
    this.#cut.add([a, b].sort().join())
    this.nodes.get(a)?.lost(b)
    this.nodes.get(b)?.lost(a)
  }

  mend(a: NodeId, b: NodeId): void {
    this.#cut.delete([a, b].sort().join())
  }

  reachable(from: NodeId, to: NodeId): MemoryTransport | undefined {
    return this.#cut.has([from, to].sort().join()) ? undefined : this.nodes.get(to)
  }

  async admits(node: NodeId): Promise<boolean> {
    try {
      return (await this.options.isAdmitted?.(node)) ?? true
    } catch {
      return false
    }
  }

  async transit(from: NodeId, to: NodeId): Promise<void> {
    const ms = this.options.delayMs?.(from, to) ?? 0
    await new Promise<void>((resolve) => (ms > 0 ? setTimeout(resolve, ms) : setImmediate(resolve)))
  }
}

export class MemoryTransport implements Transport {
  readonly self: NodeId
  readonly #network: MemoryNetwork
  readonly #limits: Limits
  readonly #requests: RequestTable
  readonly #sessions: SessionTable
  readonly #queue: PeerQueue
  readonly #connected = new Set<NodeId>()
  readonly #listeners = new Set<(peer: NodeId, connected: boolean) => void>()
  readonly #gone = new Map<NodeId, Set<() => void>>()
  #stopped = false

  constructor(network: MemoryNetwork, self: NodeId) {
    this.self = self
    this.#network = network
    this.#limits = { ...DEFAULT_LIMITS, ...network.options.limits }
    this.#requests = new RequestTable(this.#limits)
    this.#sessions = new SessionTable(self, this.#limits)
    this.#queue = new PeerQueue(this.#limits.outgoingRequests)
  }

  async request(
    peer: NodeId,
    protocol: string,
    payload: Uint8Array,
    options: RequestOptions = {},
  ): Promise<Uint8Array> {
    checkProtocolName(protocol)
    if (payload.length > this.#limits.maxFrameBytes)
      throw new EnigmaError(
        'FRAME_TOO_LARGE',
        `a request of ${payload.length} bytes exceeds ${this.#limits.maxFrameBytes}`,
      )
    const { signal, done } = deadline(options.timeoutMs ?? REQUEST_TIMEOUT_MS, `node ${peer}`, options.signal)
    try {
      return await this.#queue.run(
        peer,
        () => orAbort(this.#orLost(peer, this.#exchange(peer, protocol, payload)), signal),
        signal,
      )
    } finally {
      done()
    }
  }

  handle(protocol: string, handler: RequestHandler): void {
    this.#requests.set(protocol, handler)
  }

  async openSession(id: string, peers: readonly NodeId[], options: RequestOptions = {}): Promise<Session> {
    if (this.#stopped) throw new EnigmaError('NOT_RUNNING', 'this node stopped')
    const session = this.#sessions.open(id, peers)
    const { signal, done } = deadline(options.timeoutMs ?? OPEN_TIMEOUT_MS, `session ${id}`, options.signal)
    try {
      await Promise.all(
        peers.map(async (peer) => {
          try {
            const other = await orAbort(this.#connect(peer), signal)
            const outbound = other.accept(this.self, id, () => session.outboundClosed(peer))
            if (!outbound || !session.connect(peer, this.#link(outbound, peer)))
              throw new EnigmaError('PEER_UNREACHABLE', `node ${peer} refused session ${id}`)
          } catch (error) {
            if (options.signal?.aborted) throw error
            session.lose(peer)
          }
        }),
      )
    } catch (error) {
      await session.close()
      throw error
    } finally {
      done()
    }
    return refuseIfAlone(session)
  }

  connectedPeers(): NodeId[] {
    return [...this.#connected]
  }

  onPeer(listener: (peer: NodeId, connected: boolean) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    await this.#sessions.stop()
    this.#network.kill(this.self)
  }

  /** The receiving half: called by the other node of the network. */
  accept(
    from: NodeId,
    id: string,
    refuse: () => void,
  ): { inbox: Inbox; closed: (graceful: boolean) => void } | undefined {
    const inbox = this.#sessions.inbound(from, id, refuse)
    return inbox && { inbox, closed: (graceful) => this.#sessions.inboundClosed(from, id, inbox, graceful) }
  }

  async serve(from: NodeId, protocol: string, payload: Uint8Array): Promise<Uint8Array> {
    const leave = this.#requests.enter(from, payload.length)
    try {
      return await this.#requests.answer(from, protocol, payload)
    } finally {
      leave()
    }
  }

  lost(peer: NodeId): void {
    if (!this.#connected.delete(peer)) return
    this.#sessions.peerLost(peer)
    for (const f of this.#gone.get(peer) ?? []) f()
    for (const f of this.#listeners) f(peer, false)
  }

  vanish(): void {
    this.#stopped = true
    for (const peer of [...this.#connected]) this.lost(peer)
  }

  async #exchange(peer: NodeId, protocol: string, payload: Uint8Array): Promise<Uint8Array> {
    const other = await this.#connect(peer)
    await this.#network.transit(this.self, peer)
    const answer = await other.serve(this.self, protocol, payload.slice())
    await this.#network.transit(peer, this.self)
    return answer.slice()
  }

  async #connect(peer: NodeId): Promise<MemoryTransport> {
    const other = this.#stopped ? undefined : this.#network.reachable(this.self, peer)
    if (!other || other === this) throw new EnigmaError('PEER_UNREACHABLE', `node ${peer} is not reachable`)
    if (!(await this.#network.admits(peer)) || !(await this.#network.admits(this.self)))
      throw new EnigmaError('PEER_NOT_ADMITTED', `node ${peer} or this node is not admitted`)
    // The predicate took time: the node may have gone meanwhile.
    if (this.#stopped || this.#network.reachable(this.self, peer) !== other)
      throw new EnigmaError('PEER_UNREACHABLE', `node ${peer} is not reachable`)
    this.meet(peer)
    other.meet(this.self)
    return other
  }

  meet(peer: NodeId): void {
    if (this.#connected.has(peer)) return
    this.#connected.add(peer)
    for (const f of this.#listeners) f(peer, true)
  }

  /** Rejects with CHANNEL_CLOSED when the peer is lost before the promise settles. */
  #orLost<T>(peer: NodeId, promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new EnigmaError('CHANNEL_CLOSED', `node ${peer} was lost`))
      const of = this.#gone.get(peer) ?? new Set()
      this.#gone.set(peer, of.add(gone))
      promise.then(resolve, reject).finally(() => of.delete(gone))
    })
  }

  #link(inbound: { inbox: Inbox; closed: (graceful: boolean) => void }, peer: NodeId): Outbound {
    let tail: Promise<void> = Promise.resolve()
    let inTransit = 0
    const { inbox, closed } = inbound
    return {
      send: async (parts) => {
        if (inbox.closed) throw new EnigmaError('CHANNEL_CLOSED', `node ${peer} left the session`)
        const copy = concatBytes(...parts)
        const arrived = this.#network.transit(this.self, peer)
        const previous = tail
        inTransit += copy.length
        tail = (async () => {
          await previous
          await arrived
          await inbox.space()
          inbox.push(copy)
          inTransit -= copy.length
        })()
        if (inTransit > WINDOW_BYTES) await tail
      },
      end: async () => void tail.then(() => closed(true)),
      abort: () => closed(false),
    }
  }
}

/** A session whose every peer is unreachable is an error, not a session. */
export async function refuseIfAlone(session: OpenSession): Promise<OpenSession> {
  if (session.peers.length > 0 && session.lostPeers.length === session.peers.length) {
    await session.close()
    throw new EnigmaError('PEER_UNREACHABLE', `no party of session ${session.id} is reachable`)
  }
  return session
}
