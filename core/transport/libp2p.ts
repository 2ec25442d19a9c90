import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { type Clock, systemClock } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import { type Log, silentLog } from '../base/log.ts'
import { turn } from '../base/turns.ts'
import { minute, second } from '../base/units.ts'
import { AddressBook } from './address-book.ts'
import { Admission, type IsAdmitted } from './admission.ts'
import {
  DEFAULT_LIMITS,
  type Limits,
  MAX_ERROR_BYTES,
  MAX_PROTOCOL_NAME,
  MAX_SESSION_ID,
  OPEN_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  RPC_PROTOCOL,
  SESSION_PROTOCOL,
} from './constants.ts'
import {
  ANSWER,
  answerHeader,
  decodeError,
  END,
  ERROR,
  encodeError,
  messageHeader,
  requestHeader,
  sessionHeader,
} from './frames.ts'
import type { Inbox } from './inbox.ts'
import { createNode, type NodeOptions } from './libp2p-node.ts'
import { refuseIfAlone } from './memory.ts'
import { nodeIdFromPrivateKey } from './node-id.ts'
import { PeerExchange } from './peer-exchange.ts'
import { nodeIdFromPeerId } from './peer-id.ts'
import { practise } from './practice.ts'
import { Reconnector } from './reconnect.ts'
import { abortReason, checkProtocolName, deadline, orAbort, PeerQueue, RequestTable } from './requests.ts'
import { type Outbound, SessionTable } from './sessions.ts'
import { StreamChannel } from './stream.ts'
import type { NodeId, RequestHandler, RequestOptions, Session, Transport } from './types.ts'

export interface Libp2pTransportOptions extends NodeOptions {
  limits?: Partial<Limits>
}

export interface Libp2pTransportModules {
  isAdmitted: IsAdmitted
  /** Addresses the registry knows for a node. */
  resolve?: (node: NodeId) => Promise<readonly string[]>
  log?: Log
  clock?: Clock
}

/** Authenticated channels over libp2p: TCP, Noise, yamux; the node key is the libp2p identity. */
export class Libp2pTransport implements Transport {
  readonly self: NodeId
  readonly #node: Libp2p
  readonly #log: Log
  readonly #limits: Limits
  readonly #admission: Admission
  readonly #book: AddressBook
  readonly #modules: Libp2pTransportModules
  readonly #requests: RequestTable
  readonly #sessions: SessionTable
  readonly #queue: PeerQueue
  readonly #listeners = new Set<(peer: NodeId, connected: boolean) => void>()
  readonly #dials = new Map<NodeId, Promise<Connection>>()
  readonly #exchange: PeerExchange
  readonly #reconnector: Reconnector
  #admissionTimer: NodeJS.Timeout | undefined
  #nextId = 0
  #stopped = false

  private constructor(
    self: NodeId,
    node: Libp2p,
    admission: Admission,
    limits: Limits,
    modules: Libp2pTransportModules,
  ) {
    this.self = self
    this.#node = node
    this.#admission = admission
    this.#limits = limits
    this.#modules = modules
    this.#log = (modules.log ?? silentLog).child('transport')
    this.#book = new AddressBook()
    this.#requests = new RequestTable(limits)
    this.#sessions = new SessionTable(self, limits)
    this.#queue = new PeerQueue(limits.outgoingRequests)
    this.#exchange = new PeerExchange(this, (id) => this.#knownAddresses(id))
    this.#reconnector = new Reconnector((id) => this.connect(id), modules.clock ?? systemClock)
  }

  /** Starts listening. Throws INVALID_ARGUMENT on a bad key or address. */
  static async create(
    options: Libp2pTransportOptions,
    modules: Libp2pTransportModules,
  ): Promise<Libp2pTransport> {
    await practise()
    const self = nodeIdFromPrivateKey(options.privateKey)
    const admission = new Admission(modules.isAdmitted, modules.clock)
    const refuse = async (peer: Parameters<typeof nodeIdFromPeerId>[0]) => {
      const id = nodeIdFromPeerId(peer)
      return id === undefined || !(await admission.admits(id))
    }
    // Between the stages of a connection others have their turn: many connect at once when a node starts.
    const inTurn = async () => {
      await turn()
      return false
    }
    const node = await createNode(options, {
      denyInboundConnection: inTurn,
      denyOutboundConnection: inTurn,
      denyInboundEncryptedConnection: refuse,
      denyOutboundEncryptedConnection: refuse,
      denyInboundUpgradedConnection: inTurn,
      denyOutboundUpgradedConnection: inTurn,
    })
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    const transport = new Libp2pTransport(self, node, admission, limits, modules)
    try {
      await transport.#start(options)
    } catch (error) {
      await transport.stop()
      throw error
    }
    return transport
  }

  /** Full addresses (…/p2p/…) under which others reach this node. */
  get addresses(): string[] {
    return this.#node.getMultiaddrs().map(String)
  }

  /** Adds hints where a node may be found; with `keep`, stays connected to it. Returns its id. */
  addPeer(addresses: readonly string[], options: { node?: NodeId; keep?: boolean } = {}): NodeId {
    const id = this.#book.add(addresses, options.node)
    if (!id) throw new EnigmaError('INVALID_ARGUMENT', 'no address given')
    if (options.keep && id !== this.self) this.#reconnector.keep(id)
    return id
  }

  /** Asks the registry again and drops the connections of nodes that it does not admit any more. */
  async recheckAdmission(): Promise<void> {
    this.#admission.expire()
    await Promise.all(
      this.#node.getConnections().map(async (connection) => {
        await turn()
        const id = nodeIdFromPeerId(connection.remotePeer)
        if (id === undefined || !(await this.#admission.admits(id)))
          connection.abort(new Error('not admitted any more'))
      }),
    )
  }

  /** Connects to a node. Codes: PEER_UNREACHABLE, PEER_NOT_ADMITTED, CANCELLED, TIMEOUT. */
  async connect(peer: NodeId, options: RequestOptions = {}): Promise<void> {
    const { signal, done } = deadline(options.timeoutMs ?? OPEN_TIMEOUT_MS, `node ${peer}`, options.signal)
    try {
      await orAbort(this.#connection(peer), signal)
    } finally {
      done()
    }
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
    const limit = deadline(options.timeoutMs ?? REQUEST_TIMEOUT_MS, `node ${peer}`, options.signal)
    try {
      return await this.#queue.run(peer, () => this.#ask(peer, protocol, payload, limit.signal), limit.signal)
    } finally {
      limit.done()
    }
  }

  handle(protocol: string, handler: RequestHandler): void {
    this.#requests.set(protocol, handler)
  }

  async openSession(id: string, peers: readonly NodeId[], options: RequestOptions = {}): Promise<Session> {
    if (this.#stopped) throw new EnigmaError('NOT_RUNNING', 'this node stopped')
    const header = sessionHeader(id, MAX_SESSION_ID)
    const session = this.#sessions.open(id, peers)
    const { signal, done } = deadline(options.timeoutMs ?? OPEN_TIMEOUT_MS, `session ${id}`, options.signal)
    try {
      await Promise.all(
        peers.map(async (peer) => {
          try {
            const channel = await this.#openChannel(peer, SESSION_PROTOCOL, signal)
            await orAbort(channel.write(header), signal)
            if (!session.connect(peer, this.#outbound(channel, peer))) channel.abort()
            else void channel.closed.then(() => session.outboundClosed(peer))
          } catch (error) {
            if (options.signal?.aborted) throw error
            this.#log.debug('session-peer-unreachable', { session: id, peer })
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
    // Of the connections: libp2p's list of peers reads the key of each again.
    return [...new Set(this.#node.getConnections().flatMap((c) => nodeIdFromPeerId(c.remotePeer) ?? []))]
  }

  onPeer(listener: (peer: NodeId, connected: boolean) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#admissionTimer)
    this.#reconnector.stop()
    await this.#sessions.stop()
    await this.#node.stop()
  }

  /** Drops every connection without a word and stops: what a crash looks like to the others. */
  async abandon(): Promise<void> {
    for (const connection of this.#node.getConnections()) connection.abort(new Error('abandoned'))
    await this.stop()
  }

  async #start(options: Libp2pTransportOptions): Promise<void> {
    // Streams linger a moment after their answer; what counts is limited by the request table.
    const streams = { maxInboundStreams: 4 * this.#limits.incomingRequests, maxOutboundStreams: 1024 }
    await this.#node.handle(RPC_PROTOCOL, (s, c) => this.#serve(s, c), streams)
    await this.#node.handle(SESSION_PROTOCOL, (s, c) => this.#accept(s, c), {
      maxInboundStreams: 512,
      maxOutboundStreams: 512,
    })
    this.#node.addEventListener('peer:connect', (event) => this.#peer(event.detail, true))
    this.#node.addEventListener('peer:disconnect', (event) => this.#peer(event.detail, false))
    this.#node.addEventListener('peer:discovery', (event) => {
      const id = nodeIdFromPeerId(event.detail.id)
      if (id && id !== this.self) this.#book.learn(id, event.detail.id)
    })
    for (const address of options.bootstrap ?? []) this.addPeer([address], { keep: true })
    this.#admissionTimer = setInterval(() => {
      this.recheckAdmission().catch(() => this.#log.warn('admission-recheck-failed'))
    }, 1 * minute)
    this.#admissionTimer.unref()
  }

  #peer(peer: Parameters<typeof nodeIdFromPeerId>[0], connected: boolean): void {
    const id = nodeIdFromPeerId(peer)
    if (!id) return
    if (connected) this.#book.learn(id, peer)
    else {
      this.#sessions.peerLost(id)
      if (!this.#stopped) this.#reconnector.lost(id)
    }
    this.#log.debug(connected ? 'peer-connected' : 'peer-lost', { peer: id })
    for (const listener of [...this.#listeners])
      try {
        listener(id, connected)
      } catch {
        this.#log.warn('peer-listener-failed')
      }
  }

  // Requests: one yamux stream each, so that a large one never blocks the others.

  async #ask(peer: NodeId, protocol: string, payload: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const channel = await this.#openChannel(peer, RPC_PROTOCOL, signal)
    const id = this.#nextId++ >>> 0
    try {
      return await orAbort(
        (async () => {
          await channel.write(requestHeader(protocol, id, payload.length), payload)
          const status = await channel.readUint8()
          const echoed = await channel.readUint32()
          const length = await channel.readUint32()
          if (
            echoed !== id ||
            status > ERROR ||
            length > (status === ERROR ? MAX_ERROR_BYTES : this.#limits.maxFrameBytes)
          )
            throw new EnigmaError('FRAME_INVALID', `node ${peer} sent an answer that cannot be read`)
          const body = await channel.read(length)
          if (status === ERROR) throw decodeError(body)
          return body
        })(),
        signal,
      )
    } catch (error) {
      channel.abort('request failed')
      throw error
    } finally {
      if (channel.stream.status === 'open') channel.end().catch(() => channel.abort())
    }
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    const channel = new StreamChannel(stream)
    const peer = nodeIdFromPeerId(connection.remotePeer)
    let leave = () => {}
    try {
      if (!peer || !(await this.#admission.admits(peer)))
        throw new EnigmaError('PEER_NOT_ADMITTED', 'not admitted')
      const { signal, done } = deadline(1 * minute, `node ${peer}`)
      let request: { protocol: string; id: number; payload: Uint8Array }
      try {
        request = await orAbort(
          (async () => {
            const nameLength = await channel.readUint8()
            if (nameLength === 0 || nameLength > MAX_PROTOCOL_NAME)
              throw new EnigmaError('FRAME_INVALID', 'protocol name')
            const protocol = Buffer.from(await channel.read(nameLength)).toString('latin1')
            checkProtocolName(protocol)
            const id = await channel.readUint32()
            const length = await channel.readUint32()
            leave = this.#requests.enter(peer, length)
            return { protocol, id, payload: await channel.read(length) }
          })(),
          signal,
        )
      } finally {
        done()
      }
      let status = ANSWER
      let body: Uint8Array
      await turn()
      try {
        body = await this.#requests.answer(peer, request.protocol, request.payload)
      } catch (error) {
        status = ERROR
        body = encodeError(EnigmaError.from(error))
      }
      await channel.write(answerHeader(status, request.id, body.length), body)
      await channel.end()
    } catch (error) {
      // Malformed or interrupted: the channel is closed, the node goes on.
      this.#log.debug('request-refused', { peer, code: EnigmaError.from(error).code })
      channel.abort('refused')
    } finally {
      leave()
    }
  }

  // Sessions: one stream per direction and session.

  #outbound(channel: StreamChannel, peer: NodeId): Outbound {
    let tail: Promise<void> = Promise.resolve()
    const inOrder = (task: () => Promise<void>): Promise<void> => {
      const mine = tail.then(task)
      tail = mine.catch(() => undefined)
      return mine
    }
    return {
      send: (parts, length) => inOrder(() => channel.write(messageHeader(length), ...parts)),
      end: async () => {
        // A peer that does not read must not keep this node from leaving.
        const { signal, done } = deadline(5 * second, `node ${peer}`)
        try {
          await orAbort(
            inOrder(async () => {
              await channel.write(messageHeader(END))
              await channel.end()
            }),
            signal,
          )
        } finally {
          done()
        }
      },
      abort: () => channel.abort('session aborted'),
    }
  }

  async #accept(stream: Stream, connection: Connection): Promise<void> {
    const channel = new StreamChannel(stream)
    const peer = nodeIdFromPeerId(connection.remotePeer)
    let id: string | undefined
    let inbox: Inbox | undefined
    let graceful = false
    try {
      if (!peer || !(await this.#admission.admits(peer)))
        throw new EnigmaError('PEER_NOT_ADMITTED', 'not admitted')
      const idLength = await channel.readUint8()
      if (idLength === 0 || idLength > MAX_SESSION_ID) throw new EnigmaError('FRAME_INVALID', 'session id')
      id = Buffer.from(await channel.read(idLength)).toString('latin1')
      inbox = this.#sessions.inbound(peer, id, () => channel.abort('not opened in time'))
      if (!inbox) throw new EnigmaError('CHANNEL_CLOSED', 'no such session')
      for (;;) {
        const length = await channel.readUint32()
        if (length === END) break
        if (length > this.#limits.maxMessageBytes) throw new EnigmaError('FRAME_TOO_LARGE', 'message')
        inbox.push(await channel.read(length))
        if (inbox.full) {
          channel.pause()
          await inbox.space()
        }
        if (inbox.closed) throw new EnigmaError('CHANNEL_CLOSED', 'session over')
      }
      graceful = true
      await channel.end()
    } catch (error) {
      this.#log.debug('session-channel-ended', { peer, code: EnigmaError.from(error).code })
      channel.abort('refused')
    } finally {
      if (peer && id !== undefined && inbox) this.#sessions.inboundClosed(peer, id, inbox, graceful)
    }
  }

  // Connections.

  async #openChannel(peer: NodeId, protocol: string, signal: AbortSignal): Promise<StreamChannel> {
    for (let attempt = 0; ; attempt++) {
      const connection = await orAbort(this.#connection(peer), signal)
      try {
        const stream = await connection.newStream(protocol, {
          signal,
          maxOutboundStreams: 1024,
          runOnLimitedConnection: true,
        })
        return new StreamChannel(stream)
      } catch (cause) {
        if (signal.aborted) throw abortReason(signal)
        // The connection may have died unnoticed: dial once more.
        if (attempt > 0 || connection.status === 'open')
          throw new EnigmaError('PEER_UNREACHABLE', `node ${peer} does not answer`, { cause })
      }
    }
  }

  async #connection(peer: NodeId): Promise<Connection> {
    if (this.#stopped) throw new EnigmaError('NOT_RUNNING', 'this node stopped')
    const known = this.#book.peer(peer)
    const open = known && this.#node.getConnections(known).find((c) => c.status === 'open')
    if (open) return open
    let dial = this.#dials.get(peer)
    if (!dial) {
      dial = this.#dial(peer).finally(() => this.#dials.delete(peer))
      this.#dials.set(peer, dial)
    }
    return dial
  }

  async #dial(peer: NodeId): Promise<Connection> {
    if (peer === this.self) throw new EnigmaError('PEER_UNREACHABLE', 'a node does not dial itself')
    if (!(await this.#admission.admits(peer)))
      throw new EnigmaError('PEER_NOT_ADMITTED', `node ${peer} is not admitted by the registry`)
    const sources: (() => Promise<Multiaddr[]>)[] = [
      async () => this.#book.addresses(peer),
      async () => this.#hints(peer, (await this.#modules.resolve?.(peer)) ?? []),
      async () => this.#hints(peer, await this.#exchange.find(peer, this.connectedPeers())),
      async () => this.#route(peer),
    ]
    const tried = new Set<string>()
    let cause: unknown
    for (const source of sources) {
      let addresses: Multiaddr[]
      try {
        addresses = (await source()).filter((a) => !tried.has(a.toString()))
      } catch (error) {
        cause = error
        continue
      }
      if (addresses.length === 0) continue
      for (const a of addresses) tried.add(a.toString())
      try {
        return await this.#dialAny(peer, addresses)
      } catch (error) {
        if (hasCode(error, 'NOT_RUNNING')) throw error
        cause = error
      }
    }
    throw new EnigmaError('PEER_UNREACHABLE', `node ${peer} is not reachable`, { cause })
  }

  async #dialAny(peer: NodeId, addresses: readonly Multiaddr[]): Promise<Connection> {
    // The keys in the addresses are checked.
    await turn()
    const known = this.#book.peer(peer)
    const full = addresses.filter((a) => a.getComponents().at(-1)?.name === 'p2p')
    if (full.length > 0) {
      try {
        return this.#checked(peer, await this.#node.dial(full))
      } catch (error) {
        if (full.length === addresses.length) throw error
      }
    }
    let cause: unknown
    for (const address of addresses.filter((a) => !full.includes(a)))
      try {
        return this.#checked(
          peer,
          await this.#node.dial(known ? address.encapsulate(`/p2p/${known}`) : address),
        )
      } catch (error) {
        cause = error
      }
    throw cause
  }

  /** An address without an identity may lead to anybody. */
  #checked(peer: NodeId, connection: Connection): Connection {
    const answered = nodeIdFromPeerId(connection.remotePeer)
    if (answered === peer) {
      this.#book.learn(peer, connection.remotePeer)
      return connection
    }
    throw new EnigmaError('PEER_UNREACHABLE', `another node answered at the address of node ${peer}`)
  }

  #hints(peer: NodeId, addresses: readonly string[]): Multiaddr[] {
    for (const a of addresses.slice(0, 8))
      try {
        this.#book.add([a], peer)
      } catch {
        this.#log.debug('address-ignored', { peer })
      }
    return this.#book.addresses(peer)
  }

  /** kad-dht peer routing: needs the peer id, so it serves nodes that were met before. */
  async #route(peer: NodeId): Promise<Multiaddr[]> {
    const known = this.#book.peer(peer)
    if (!known || this.#node.getConnections().length === 0) return []
    const info = await this.#node.peerRouting.findPeer(known, { signal: AbortSignal.timeout(3 * second) })
    return info.multiaddrs.map((a) =>
      a.getComponents().at(-1)?.name === 'p2p' ? a : a.encapsulate(`/p2p/${known}`),
    )
  }

  async #knownAddresses(peer: NodeId): Promise<string[]> {
    if (peer === this.self) return this.addresses
    const known = this.#book.peer(peer)
    if (!known) return []
    const stored = await this.#node.peerStore.get(known).catch(() => undefined)
    const addresses = [
      ...this.#book.addresses(peer),
      ...(stored?.addresses.map((a) => a.multiaddr) ?? []),
    ].map((a) => (a.getComponents().at(-1)?.name === 'p2p' ? a : a.encapsulate(`/p2p/${known}`)).toString())
    return [...new Set(addresses)].slice(0, 8)
  }
}
