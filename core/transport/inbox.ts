import { EnigmaError } from '../base/errors.ts'
import type { RequestOptions } from './types.ts'

interface Waiter {
  resolve(message: Uint8Array): void
  reject(error: EnigmaError): void
}

/**
 * The received, unread messages of one peer in one session. `full` asks the channel to stop reading; the
 * listener of `onSpace` is called when it may go on.
 */
export class Inbox {
  #queue: Uint8Array[] = []
  #head = 0
  #bytes = 0
  #limit: number
  #waiters: Waiter[] = []
  #closed: EnigmaError | undefined
  #onSpace: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get full(): boolean {
    return this.#bytes >= this.#limit
  }

  get closed(): boolean {
    return this.#closed !== undefined
  }

  /** Raises the limit once the session is open. */
  setLimit(limit: number): void {
    this.#limit = limit
    this.#space()
  }

  push(message: Uint8Array): void {
    if (this.#closed) return
    const waiter = this.#waiters.shift()
    if (waiter) {
      waiter.resolve(message)
      return
    }
    this.#queue.push(message)
    this.#bytes += message.length
  }

  /** Resolves at once, or when messages have been read. */
  space(): Promise<void> {
    if (!this.full || this.#closed) return Promise.resolve()
    return new Promise((resolve) => this.#onSpace.push(resolve))
  }

  /** No more messages will come. What is queued can still be read, unless `drop`. */
  close(error: EnigmaError, drop = false): void {
    this.#closed ??= error
    if (drop) {
      this.#queue = []
      this.#head = 0
      this.#bytes = 0
    }
    const waiters = this.#waiters
    this.#waiters = []
    for (const w of waiters) w.reject(this.#closed)
    this.#space()
  }

  /** The next message. Rejects with TIMEOUT, CANCELLED, or the reason the channel closed. */
  receive(options: RequestOptions = {}): Promise<Uint8Array> {
    if (options.signal?.aborted) return Promise.reject(new EnigmaError('CANCELLED', 'cancelled'))
    const message = this.#queue[this.#head]
    if (message !== undefined) {
      this.#queue[this.#head] = undefined as never
      this.#head++
      if (this.#head > 64 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head)
        this.#head = 0
      }
      this.#bytes -= message.length
      this.#space()
      return Promise.resolve(message)
    }
    if (this.#closed) return Promise.reject(this.#closed)
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const done = () => {
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', cancel)
      }
      const waiter: Waiter = {
        resolve: (m) => {
          done()
          resolve(m)
        },
        reject: (e) => {
          done()
          reject(e)
        },
      }
      const giveUp = (error: EnigmaError) => {
        this.#waiters = this.#waiters.filter((w) => w !== waiter)
        waiter.reject(error)
      }
      const cancel = () => giveUp(new EnigmaError('CANCELLED', 'cancelled'))
      if (options.timeoutMs !== undefined)
        timer = setTimeout(
          () => giveUp(new EnigmaError('TIMEOUT', `no message within ${options.timeoutMs} ms`)),
          options.timeoutMs,
        )
      options.signal?.addEventListener('abort', cancel, { once: true })
      this.#waiters.push(waiter)
    })
  }

  #space(): void {
    if (this.full && !this.#closed) return
    const listeners = this.#onSpace
    this.#onSpace = []
    for (const f of listeners) f()
  }
}
