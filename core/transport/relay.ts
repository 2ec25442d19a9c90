import type { MessagePort } from 'node:worker_threads'
import { EnigmaError, type ErrorObject } from '../base/errors.ts'
import { alone, owned } from '../base/thread.ts'
import { RELAY_BYTES } from './constants.ts'
import { Inbox } from './inbox.ts'
import type { NodeId, RequestOptions, Session } from './types.ts'

/** To the thread that has the channels. */
type Order =
  | { readonly type: 'send'; readonly number: number; readonly to: NodeId; readonly message: Uint8Array }
  /** So many bytes of a peer have been read. */
  | { readonly type: 'read'; readonly from: NodeId; readonly bytes: number }
  | { readonly type: 'close' }

/** And back. */
type News =
  | { readonly type: 'sent'; readonly number: number; readonly error?: ErrorObject }
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
  const handOn = async (from: NodeId) => {
    const at = unread.get(from)!
    try {
      for (;;) {
        const message = alone(await session.receive(from))
        at.bytes += message.length
        tell({ type: 'message', from, message }, owned(message))
        if (at.bytes >= RELAY_BYTES)
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
      const { number, to, message } = order
      session.send(to, message).then(
        () => tell({ type: 'sent', number }),
        (error) => tell({ type: 'sent', number, error: EnigmaError.from(error).toObject() }),
      )
    } else if (order.type === 'read') {
      const at = unread.get(order.from)
      if (at === undefined) return
      at.bytes -= order.bytes
      if (at.bytes < RELAY_BYTES) at.resume?.()
    } else
      void close()
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

/** A session whose channels another thread has; see `relaySession`. */
export class RelayedSession implements Session {
  readonly id: string
  readonly self: NodeId
  readonly peers: readonly NodeId[]
  readonly #port: MessagePort
  readonly #inboxes: ReadonlyMap<NodeId, Inbox>
  /** Bytes taken from each inbox that the other thread has not been told about. */
  readonly #taken = new Map<NodeId, number>()
  readonly #sending = new Map<number, PromiseWithResolvers<void>>()
  readonly #listeners = new Set<(peer: NodeId) => void>()
  readonly #lost = new Set<NodeId>()
  readonly #over = Promise.withResolvers<void>()
  #number = 0
  #closed = false

  constructor(id: string, self: NodeId, peers: readonly NodeId[], port: MessagePort) {
    this.id = id
    this.self = self
    this.peers = [...peers]
    this.#port = port
    this.#inboxes = new Map(peers.map((peer) => [peer, new Inbox(Number.POSITIVE_INFINITY)]))
    port.on('message', (news: News) => this.#hear(news))
    port.once('close', () => this.#end())
  }

  async send(to: NodeId, ...parts: Uint8Array[]): Promise<void> {
    if (this.#closed) throw this.#overError()
    const length = parts.reduce((n, part) => n + part.length, 0)
    // The caller's stays its own.
    const message = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
    let at = 0
    for (const part of parts) {
      message.set(part, at)
      at += part.length
    }
    const number = this.#number++
    const sent = Promise.withResolvers<void>()
    this.#sending.set(number, sent)
    this.#port.postMessage({ type: 'send', number, to, message } satisfies Order, [message.buffer])
    await sent.promise
  }

  async receive(from: NodeId, options: RequestOptions = {}): Promise<Uint8Array> {
    const inbox = this.#inboxes.get(from)
    if (inbox === undefined)
      throw new EnigmaError('INVALID_ARGUMENT', `node ${from} is no party of session ${this.id}`)
    const message = await inbox.receive(options)
    const bytes = (this.#taken.get(from) ?? 0) + message.length
    const enough = bytes >= RELAY_BYTES / 4
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

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      for (const inbox of this.#inboxes.values()) inbox.close(this.#overError(), true)
      this.#listeners.clear()
      this.#port.postMessage({ type: 'close' } satisfies Order)
    }
    await this.#over.promise
  }

  #hear(news: News): void {
    if (news.type === 'message') this.#inboxes.get(news.from)?.push(news.message)
    else if (news.type === 'end') this.#inboxes.get(news.from)?.close(EnigmaError.fromObject(news.error))
    else if (news.type === 'lost') {
      this.#lost.add(news.peer)
      for (const listener of [...this.#listeners]) listener(news.peer)
    } else {
      const sent = this.#sending.get(news.number)
      this.#sending.delete(news.number)
      if (news.error === undefined) sent?.resolve()
      else sent?.reject(EnigmaError.fromObject(news.error))
    }
  }

  /** Also when the other thread is gone. */
  #end(): void {
    this.#closed = true
    for (const inbox of this.#inboxes.values()) inbox.close(this.#overError())
    for (const { reject } of this.#sending.values()) reject(this.#overError())
    this.#sending.clear()
    this.#over.resolve()
  }

  #overError(): EnigmaError {
    return new EnigmaError('CHANNEL_CLOSED', `session ${this.id} is closed`)
  }
}
