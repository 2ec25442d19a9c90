import type { Log } from '../../core/base/log.ts'
import { turn } from '../../core/base/turns.ts'
import {
  type ClientFrame,
  type Confirmation,
  clientFrame,
  EnigmaError,
  type HostFrame,
  isMethod,
  type MethodName,
  type NodeService,
  parseInput,
} from '../../core/ipc/index.ts'
import { parseOutputInTurns } from '../../core/ipc/turned.ts'
import { MAX_CALLS_IN_FLIGHT, MAX_PROTOCOL_ERRORS } from './constants.ts'

export interface ConnectionOptions {
  readonly service: NodeService
  readonly log: Log
  /** Hands one frame to the channel; what it writes of a long one may follow in turns. Never called after `close`. */
  send(frame: HostFrame): Promise<void>
  /** Closes the channel: the client does not keep to the protocol. */
  drop(reason: string): void
  /**
   * Who is on the other end. A local client asks its own person, so it is sent the confirmations it caused and
   * answers them; a renderer's confirmations go to `confirm`, out of the renderer's reach.
   */
  readonly client:
    | { readonly principal: 'local' }
    | {
        readonly principal: 'renderer'
        confirm(confirmation: Confirmation, signal: AbortSignal): Promise<boolean>
      }
}

/**
 * One client of a NodeService, whichever channel carries its frames. Checks both directions against the
 * contract, so that neither a hostile client nor a broken node gets past it.
 */
export class HostConnection {
  readonly #options: ConnectionOptions
  readonly #unsubscribe: () => void
  readonly #calls = new Set<number>()
  readonly #decisions = new Map<number, (accept: boolean) => void>()
  readonly #closing = new AbortController()
  #nextConfirmation = 1
  #errors = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#unsubscribe = options.service.subscribe((event) => this.#send({ event }))
  }

  /** Takes one decoded frame; anything may be in it. Resolves when it has been dealt with and never rejects. */
  async receive(value: unknown): Promise<void> {
    if (this.#closing.signal.aborted) return
    const parsed = clientFrame.safeParse(value)
    if (!parsed.success) return this.#reject(idOf(value), 'not a frame of the protocol')
    const frame: ClientFrame = parsed.data
    if ('confirmation' in frame) return this.#decide(frame.confirmation, frame.accept)
    if (this.#calls.has(frame.id)) return this.#reject(-1, `call ${frame.id} is already under way`)
    if (this.#calls.size >= MAX_CALLS_IN_FLIGHT)
      return this.#reject(frame.id, `more than ${MAX_CALLS_IN_FLIGHT} calls at once`)
    this.#calls.add(frame.id)
    try {
      const output = await this.#call(frame.method, frame.input)
      await turn()
      this.#send({ id: frame.id, output })
    } catch (error) {
      this.#send({ id: frame.id, error: this.#describe(frame.method, error) })
    } finally {
      this.#calls.delete(frame.id)
    }
  }

  /** What waits for this client's decision is declined; what already runs in the node goes on. */
  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#unsubscribe()
    for (const answer of this.#decisions.values()) answer(false)
    this.#decisions.clear()
  }

  async #call(method: string, input: unknown): Promise<unknown> {
    if (!isMethod(method)) throw new EnigmaError('METHOD_UNKNOWN', `unknown method ${method.slice(0, 60)}`)
    await turn()
    const parsed = parseInput(method, input ?? {})
    const output = await this.#options.service.call(method, parsed as never, {
      principal: this.#options.client.principal,
      confirm: (confirmation) => this.#confirm(confirmation),
    })
    return parseOutputInTurns(method as MethodName, output)
  }

  async #confirm(confirmation: Confirmation): Promise<boolean> {
    if (this.#closing.signal.aborted) return false
    const { client } = this.#options
    if (client.principal === 'renderer') return client.confirm(confirmation, this.#closing.signal)
    const id = this.#nextConfirmation++
    const { kind, method, facts } = confirmation
    return new Promise((resolve) => {
      this.#decisions.set(id, resolve)
      this.#send({ confirmation: id, ask: { kind, method, facts } })
    })
  }

  #decide(id: number, accept: boolean): void {
    const answer = this.#decisions.get(id)
    if (this.#options.client.principal === 'renderer' || answer === undefined) {
      this.#options.log.warn('decision.refused', { principal: this.#options.client.principal })
      this.#reject(-1, 'no decision is asked of this client')
      return
    }
    this.#decisions.delete(id)
    answer(accept)
  }

  #reject(id: number, message: string): void {
    this.#send({ id, error: { code: 'REQUEST_INVALID', message } })
    if (++this.#errors >= MAX_PROTOCOL_ERRORS) this.#options.drop('too many invalid frames')
  }

  /** Unexpected failures keep their text on this side: it may name what the client must not learn. */
  #describe(method: string, error: unknown) {
    if (error instanceof EnigmaError) return error.toObject()
    this.#options.log.error('call.failed', {
      method: method.slice(0, 60),
      error: error instanceof Error ? error.name : typeof error,
    })
    return new EnigmaError('INTERNAL', 'the node met an unexpected error', {
      remedy: 'Try again; if it happens again, look in the log of the node.',
    }).toObject()
  }

  #send(frame: HostFrame): void {
    if (this.#closing.signal.aborted) return
    this.#options.send(frame).catch((error: unknown) => {
      this.#options.log.error('frame.not-sent', { error: error instanceof Error ? error.name : typeof error })
    })
  }
}

function idOf(value: unknown): number {
  const id = (value as { id?: unknown } | null | undefined)?.id
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : -1
}
