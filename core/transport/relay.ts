import type { MessagePort } from 'node:worker_threads'
import { withTimeout } from '../base/clock.ts'
import { EnigmaError, type ErrorObject } from '../base/errors.ts'
import { alone, owned } from '../base/thread.ts'
import { KiB, MiB, second } from '../base/units.ts'
import { MAX_MESSAGE_BYTES } from './constants.ts'
import { Inbox } from './inbox.ts'
import type { NodeId, RequestOptions, Session } from './types.ts'

/** Received bytes of one peer that the other thread may leave unread, beside what waits in this one. */
const RECEIVE_BYTES = 16 * MiB
/** Bytes on their way to one peer's channel. */
const SEND_BYTES = 4 * MiB
/** From here on a message's memory is used again, so many at a time. */
const LONG_BYTES = 64 * KiB
const SPARE = 16
/** How long a session that was closed waits for peers to take what had been sent. */
const LINGER_MS = 30 * second

/** To the thread that has the channels. */
type Order =
  | { readonly type: 'send'; readonly to: NodeId; readonly message: Uint8Array }
  /** So many bytes of a peer have been read. */
  | { readonly type: 'read'; readonly from: NodeId; readonly bytes: number }
  | { readonly type: 'close' }

/** And back. */
type News =
  /** So many bytes to a peer have been handed to its channel; memory of long messages comes back. */
  | {
      readonly type: 'sent'
      readonly to: NodeId
      readonly bytes: number
      readonly memory: readonly ArrayBuffer[]
    }
  | { readonly type: 'unsent'; readonly to: NodeId; readonly error: ErrorObject }
  | { readonly type: 'message'; readonly from: NodeId; readonly message: Uint8Array }
  | { readonly type: 'end'; readonly from: NodeId; readonly error: ErrorObject }
  | { readonly type: 'lost'; readonly peer: NodeId }

/**
 * Lends a session to another thread, which has a `RelayedSession` at the other end of the port: this thread only hands messages
 * on, whatever their size. The session is closed when the port is.
 */
export function relaySession(session: Session, port: MessagePort): void {
  const tell = (news: News, memory: ReturnType<typeof owned> = []) => port.postMessage(news, memory)
  /** Bytes handed on and not read yet, by peer, and who waits for room. */
  const unread = new Map<NodeId, { bytes: number; resume?: () => void }>()
  /** Bytes handed to the channels that the other thread has not been told about. */
  const sent = new Map<NodeId, { bytes: number; memory: ArrayBuffer[] }>()
  const sending = new Set<Promise<void>>()
  const send = async (to: NodeId, message: Uint8Array) => {
    try {
      await session.send(to, message)
      const { bytes, memory } = sent.get(to) ?? { bytes: 0, memory: [] }
      const told = { bytes: bytes + message.length, memory: [...memory, ...longBuffers(message)] }
      const enough = told.bytes >= SEND_BYTES / 4
      sent.set(to, enough ? { bytes: 0, memory: [] } : told)
      if (enough) tell({ type: 'sent', to, ...told }, told.memory)
    } catch (error) {
      tell({ type: 'unsent', to, error: EnigmaError.from(error).toObject() })
    }
  }
  const handOn = async (from: NodeId) => {
    const at = unread.get(from)!
    try {
      for (;;) {
        const message = alone(await session.receive(from))
        at.bytes += message.length
        tell({ type: 'message', from, message }, owned(message))
        if (at.bytes >= RECEIVE_BYTES)
          await new Promise<void>((resolve) => {
            at.resume = resolve
          })
      }
    } catch (error) {
      tell({ type: 'end', from, error: EnigmaError.from(error).toObject() })
    }
  }
  const close = () => {
    for (const { resume } of unread.values()) resume?.()
    return session.close()
  }
  port.on('message', (order: Order) => {
    if (order.type === 'send') {
      const under = send(order.to, order.message).finally(() => sending.delete(under))
      sending.add(under)
    } else if (order.type === 'read') {
      const at = unread.get(order.from)
      if (at === undefined) return
      at.bytes -= order.bytes
      if (at.bytes < RECEIVE_BYTES) at.resume?.()
    }
    // What the thread takes for sent goes first.
    else
      void withTimeout(Promise.all(sending), LINGER_MS, 'a peer')
        .catch(() => undefined)
        .then(close)
        .catch(() => undefined)
        .then(() => port.close())
  })
  port.once('close', () => void close().catch(() => undefined))
  // Who waits for the session keeps the process alive, not the session.
  port.unref()
  session.onPeerLost((peer) => tell({ type: 'lost', peer }))
  for (const peer of session.peers) {
    unread.set(peer, { bytes: 0 })
    void handOn(peer)
  }
}

/** Memory of a long message, worth using again: what is touched for the first time costs more than a copy. */
function longBuffers({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && byteLength >= LONG_BYTES ? [buffer] : []
}

/** What is on its way to one peer. */
interface Outgoing {
  bytes: number
  /** Who waits for room, in order. */
  readonly waiting: PromiseWithResolvers<void>[]
  /** Why nothing can be sent to it any more. */
  error?: EnigmaError
}

/**
 * A session whose channels another thread has; see `relaySession`. A message counts as handed to the channel while there is room
 * on the way to it.
 */
export class RelayedSession implements Session {
  readonly id: string
  readonly self: NodeId
  readonly peers: readonly NodeId[]
  readonly #port: MessagePort
  readonly #maxMessageBytes: number
  readonly #inboxes: ReadonlyMap<NodeId, Inbox>
  /** Bytes taken from each inbox that the other thread has not been told about. */
  readonly #taken = new Map<NodeId, number>()
  readonly #outgoing: ReadonlyMap<NodeId, Outgoing>
  /** Buffers that have come back, the newest last. */
  #spare: ArrayBuffer[] = []
  readonly #listeners = new Set<(peer: NodeId) => void>()
  readonly #lost = new Set<NodeId>()
  #closed = false

  constructor(
    id: string,
    self: NodeId,
    peers: readonly NodeId[],
    port: MessagePort,
    maxMessageBytes = MAX_MESSAGE_BYTES,
  ) {
    this.#maxMessageBytes = maxMessageBytes
    this.id = id
    this.self = self
    this.peers = [...peers]
    this.#port = port
    this.#inboxes = new Map(peers.map((peer) => [peer, new Inbox(Number.POSITIVE_INFINITY)]))
    this.#outgoing = new Map(peers.map((peer) => [peer, { bytes: 0, waiting: [] }]))
    port.on('message', (news: News) => this.#hear(news))
    port.once('close', () => this.#end())
  }

  async send(to: NodeId, ...parts: Uint8Array[]): Promise<void> {
    const outgoing = this.#outgoing.get(to)
    if (outgoing === undefined)
      throw new EnigmaError('INVALID_ARGUMENT', `node ${to} is no party of session ${this.id}`)
    if (this.#closed) throw this.#overError()
    if (outgoing.error !== undefined) throw outgoing.error
    const length = parts.reduce((n, part) => n + part.length, 0)
    if (length > this.#maxMessageBytes)
      throw new EnigmaError(
        'FRAME_TOO_LARGE',
        `a message of ${length} bytes exceeds ${this.#maxMessageBytes}`,
      )
    // The caller's stays its own.
    const message = new Uint8Array(this.#take(length))
    let at = 0
    for (const part of parts) {
      message.set(part, at)
      at += part.length
    }
    outgoing.bytes += length
    this.#port.postMessage({ type: 'send', to, message } satisfies Order, [message.buffer])
    if (outgoing.bytes < SEND_BYTES) return
    const room = Promise.withResolvers<void>()
    outgoing.waiting.push(room)
    await room.promise
  }

  async receive(from: NodeId, options: RequestOptions = {}): Promise<Uint8Array> {
    const inbox = this.#inboxes.get(from)
    if (inbox === undefined)
      throw new EnigmaError('INVALID_ARGUMENT', `node ${from} is no party of session ${this.id}`)
    const message = await inbox.receive(options)
    const bytes = (this.#taken.get(from) ?? 0) + message.length
    const enough = bytes >= RECEIVE_BYTES / 4
    this.#taken.set(from, enough ? 0 : bytes)
    if (enough && !this.#closed) this.#port.postMessage({ type: 'read', from, bytes } satisfies Order)
    return message
  }

  /** A listener that comes late hears of the peers lost before. */
  onPeerLost(listener: (peer: NodeId) => void): () => void {
    this.#listeners.add(listener)
    for (const peer of this.#lost)
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) listener(peer)
      })
    return () => this.#listeners.delete(listener)
  }

  /** Does not wait for the channels: a peer that does not read holds nobody up here. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      for (const inbox of this.#inboxes.values()) inbox.close(this.#overError(), true)
      this.#listeners.clear()
      this.#port.postMessage({ type: 'close' } satisfies Order)
    }
  }

  #hear(news: News): void {
    if (news.type === 'message') this.#inboxes.get(news.from)?.push(news.message)
    else if (news.type === 'end') this.#inboxes.get(news.from)?.close(EnigmaError.fromObject(news.error))
    else if (news.type === 'lost') {
      this.#lost.add(news.peer)
      const why = `the channel of node ${news.peer} is closed: it was lost`
      this.#refuse(
        this.#outgoing.get(news.peer)!,
        new EnigmaError('CHANNEL_CLOSED', why, { details: { peer: news.peer } }),
      )
      for (const listener of [...this.#listeners]) listener(news.peer)
    } else if (news.type === 'sent') {
      const outgoing = this.#outgoing.get(news.to)!
      outgoing.bytes -= news.bytes
      this.#spare = [...this.#spare, ...news.memory].slice(-SPARE)
      if (outgoing.bytes < SEND_BYTES) for (const { resolve } of outgoing.waiting.splice(0)) resolve()
    } else this.#refuse(this.#outgoing.get(news.to)!, EnigmaError.fromObject(news.error))
  }

  #take(length: number): ArrayBuffer {
    const at = this.#spare.findIndex(({ byteLength }) => byteLength === length)
    return at >= 0 ? this.#spare.splice(at, 1)[0]! : (Buffer.allocUnsafeSlow(length).buffer as ArrayBuffer)
  }

  #refuse(outgoing: Outgoing, error: EnigmaError): void {
    outgoing.error ??= error
    for (const { reject } of outgoing.waiting.splice(0)) reject(error)
  }

  /** Also when the other thread is gone. */
  #end(): void {
    this.#closed = true
    for (const inbox of this.#inboxes.values()) inbox.close(this.#overError())
    for (const outgoing of this.#outgoing.values()) this.#refuse(outgoing, this.#overError())
    this.#spare = []
  }

  #overError(): EnigmaError {
    return new EnigmaError('CHANNEL_CLOSED', `session ${this.id} is closed`)
  }
}
