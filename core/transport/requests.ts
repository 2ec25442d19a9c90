import { EnigmaError, hasCode } from '../base/errors.ts'
import { type Limits, MAX_PROTOCOL_NAME } from './constants.ts'
import type { NodeId, RequestHandler } from './types.ts'

const NAME = /^[a-z0-9][a-z0-9./-]*$/

export function checkProtocolName(protocol: string): void {
  if (protocol.length > MAX_PROTOCOL_NAME || !NAME.test(protocol))
    throw new EnigmaError('INVALID_ARGUMENT', `not a protocol name: ${protocol.slice(0, 80)}`)
}

/** The handlers of one node, and what each peer has under way at them. */
export class RequestTable {
  readonly #handlers = new Map<string, RequestHandler>()
  readonly #load = new Map<NodeId, { requests: number; bytes: number }>()
  readonly #limits: Limits

  constructor(limits: Limits) {
    this.#limits = limits
  }

  set(protocol: string, handler: RequestHandler): void {
    checkProtocolName(protocol)
    this.#handlers.set(protocol, handler)
  }

  /** Counts a request in; throws FRAME_TOO_LARGE or CHANNEL_CLOSED when the peer has too much under way. */
  enter(peer: NodeId, bytes: number): () => void {
    if (bytes > this.#limits.maxFrameBytes)
      throw new EnigmaError(
        'FRAME_TOO_LARGE',
        `a request of ${bytes} bytes exceeds ${this.#limits.maxFrameBytes}`,
      )
    const load = this.#load.get(peer) ?? { requests: 0, bytes: 0 }
    if (load.requests >= this.#limits.incomingRequests || load.bytes + bytes > this.#limits.incomingBytes)
      throw new EnigmaError('CHANNEL_CLOSED', 'too many requests under way')
    load.requests++
    load.bytes += bytes
    this.#load.set(peer, load)
    return () => {
      load.requests--
      load.bytes -= bytes
      if (load.requests === 0) this.#load.delete(peer)
    }
  }

  /** Runs the handler. Anything but an EnigmaError becomes INTERNAL without its text: it could carry anything. */
  async answer(peer: NodeId, protocol: string, payload: Uint8Array): Promise<Uint8Array> {
    const handler = this.#handlers.get(protocol)
    if (!handler) throw new EnigmaError('UNSUPPORTED', `this node does not serve ${protocol}`)
    let answer: Uint8Array
    try {
      answer = await handler(peer, payload)
    } catch (error) {
      if (error instanceof EnigmaError || (error instanceof Error && error.name === 'EnigmaError'))
        throw EnigmaError.fromObject((error as EnigmaError).toObject())
      throw new EnigmaError('INTERNAL', 'the request failed at the other node')
    }
    if (answer.length > this.#limits.maxFrameBytes)
      throw new EnigmaError(
        'FRAME_TOO_LARGE',
        `an answer of ${answer.length} bytes exceeds ${this.#limits.maxFrameBytes}`,
      )
    return answer
  }
}

/** At most `width` at a time per peer; the rest wait in order. */
export class PeerQueue {
  readonly #width: number
  readonly #active = new Map<NodeId, { running: number; waiting: (() => void)[] }>()

  constructor(width: number) {
    this.#width = width
  }

  async run<T>(peer: NodeId, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const state = this.#active.get(peer) ?? { running: 0, waiting: [] }
    this.#active.set(peer, state)
    if (state.running >= this.#width)
      await new Promise<void>((resolve, reject) => {
        const start = () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        }
        const abort = () => {
          state.waiting.splice(state.waiting.indexOf(start), 1)
          reject(abortReason(signal))
        }
        signal?.addEventListener('abort', abort, { once: true })
        state.waiting.push(start)
      })
    else state.running++
    try {
      return await task()
    } finally {
      // The slot passes to the next in line, or becomes free.
      const next = state.waiting.shift()
      if (next) next()
      else if (--state.running === 0) this.#active.delete(peer)
    }
  }
}

/** What a signal that aborted means: the transport's own TIMEOUT, or the caller's CANCELLED. */
export function abortReason(signal: AbortSignal | undefined): EnigmaError {
  const reason: unknown = signal?.reason
  return hasCode(reason, 'TIMEOUT') ? (reason as EnigmaError) : new EnigmaError('CANCELLED', 'cancelled')
}

/** A signal that aborts with the caller's or, after `ms`, with TIMEOUT. `done` releases the timer. */
export function deadline(
  ms: number,
  what: string,
  signal?: AbortSignal,
): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController()
  const cancel = () => controller.abort(new EnigmaError('CANCELLED', 'cancelled'))
  const timer = setTimeout(
    () => controller.abort(new EnigmaError('TIMEOUT', `${what} did not answer within ${ms} ms`)),
    ms,
  )
  if (signal?.aborted) cancel()
  else signal?.addEventListener('abort', cancel, { once: true })
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    },
  }
}

/** The promise, or a rejection with the signal's reason as soon as it aborts. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined)
    return Promise.reject(abortReason(signal))
  }
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortReason(signal))
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
