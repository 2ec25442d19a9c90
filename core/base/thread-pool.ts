import { EnigmaError } from './errors.ts'
import { type Async, ServiceThread } from './thread.ts'

export interface ThreadPoolOptions {
  /** The module to run in each thread, which calls `serve` (thread-service.ts) with a service that keeps no state. */
  readonly url: URL
  readonly name: string
  /** Threads at most; they start when there is work, and end after `idleMs` without. */
  readonly size: number
  /** Calls that may wait for a thread; one more throws QUOTA_EXCEEDED. */
  readonly waiting: number
  readonly idleMs: number
}

interface Waiting<S> {
  start(thread: ServiceThread<S>): void
  fail(error: unknown): void
}

/**
 * A service without state in several threads, one call each at a time. A call that is cancelled leaves the queue, or ends the
 * thread that works on it.
 */
export class ThreadPool<S> {
  readonly #o: ThreadPoolOptions
  readonly #idle: { thread: ServiceThread<S>; timer: NodeJS.Timeout }[] = []
  readonly #busy = new Set<ServiceThread<S>>()
  readonly #queue: Waiting<S>[] = []
  #closed = false

  constructor(options: ThreadPoolOptions) {
    this.#o = options
  }

  /**
   * Runs `work` with a thread of its own. Throws CANCELLED when the signal fires, NOT_RUNNING after `close`, and the codes
   * of the service.
   */
  async run<T>(work: (service: Async<S>) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    const thread = await this.#take(signal)
    const cancelled = Promise.withResolvers<never>()
    const onAbort = () => {
      cancelled.reject(signal?.reason)
      void thread.close()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      // It may have fired between its turn and here.
      signal?.throwIfAborted()
      return await Promise.race([work(thread.service), cancelled.promise])
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#busy.delete(thread)
      this.#give(thread)
    }
  }

  /** Ends all threads; calls under way and waiting reject with NOT_RUNNING. */
  async close(): Promise<void> {
    this.#closed = true
    for (const waiting of this.#queue.splice(0)) waiting.fail(this.#over())
    const idle = this.#idle.splice(0)
    for (const { timer } of idle) clearTimeout(timer)
    await Promise.all([...idle.map(({ thread }) => thread), ...this.#busy].map((thread) => thread.close()))
  }

  async #take(signal?: AbortSignal): Promise<ServiceThread<S>> {
    if (this.#closed) throw this.#over()
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer)
      // One may have ended by itself.
      if (!idle.thread.closed) return this.#use(idle.thread)
    }
    const { url, name, size, waiting: most } = this.#o
    if (this.#busy.size < size) return this.#use(new ServiceThread<S>({ url, name, calls: 1 }))
    if (this.#queue.length >= most)
      throw new EnigmaError('QUOTA_EXCEEDED', `${most} calls already wait for the threads ${name}`)
    const turn = Promise.withResolvers<ServiceThread<S>>()
    const waiting = { start: turn.resolve, fail: turn.reject }
    const onAbort = () => {
      const at = this.#queue.indexOf(waiting)
      // Its turn has come already, and `run` looks at the signal again.
      if (at < 0) return
      this.#queue.splice(at, 1)
      turn.reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#queue.push(waiting)
    return turn.promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  #use(thread: ServiceThread<S>): ServiceThread<S> {
    this.#busy.add(thread)
    return thread
  }

  /** To the next that waits; a thread that ended is replaced. */
  #give(used: ServiceThread<S>): void {
    const { url, name, idleMs } = this.#o
    if (this.#closed) {
      void used.close()
      return
    }
    const next = this.#queue.shift()
    if (next !== undefined)
      next.start(this.#use(used.closed ? new ServiceThread<S>({ url, name, calls: 1 }) : used))
    else if (!used.closed) {
      const timer = setTimeout(() => {
        this.#idle.splice(
          this.#idle.findIndex(({ thread }) => thread === used),
          1,
        )
        void used.close()
      }, idleMs)
      timer.unref()
      this.#idle.push({ thread: used, timer })
    }
  }

  #over(): EnigmaError {
    return new EnigmaError('NOT_RUNNING', `the threads ${this.#o.name} were closed`)
  }
}
