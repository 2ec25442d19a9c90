import { Worker } from 'node:worker_threads'
import { EnigmaError, type ErrorObject } from './errors.ts'

export interface Call {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

export type Answer = { readonly id: number } & (
  | { readonly result: unknown }
  | { readonly error: ErrorObject }
)

/** A service, called from another thread. */
export type Async<S> = {
  readonly [K in keyof S]: S[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

export interface ThreadOptions {
  /** The module to run, which calls `serve` (thread-service.ts). */
  readonly url: URL
  readonly name: string
  /** For the module, as `workerData`. */
  readonly data?: unknown
  /** Calls under way at once; more wait here. */
  readonly calls: number
  /** Methods whose byte arrays the caller does not use again: their memory is handed over. */
  readonly gives?: readonly string[]
}

/**
 * A service in a thread of its own. Calls are taken in order. Arguments and results are copied; memory that belongs to a
 * result alone, or to what is given, is handed over.
 */
export class ServiceThread<S> {
  readonly service: Async<S>
  readonly #worker: Worker
  readonly #calls: number
  readonly #gives: ReadonlySet<string>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #queue: (() => void)[] = []
  readonly #name: string
  #next = 1
  #closed: EnigmaError | undefined

  constructor({ url, name, data, calls, gives = [] }: ThreadOptions) {
    this.#name = name
    this.#calls = calls
    this.#gives = new Set(gives)
    this.#worker = new Worker(url, { workerData: data, name })
    this.#worker.unref()
    this.#worker.on('message', (answer: Answer) => this.#answered(answer))
    this.#worker.on('error', (error) => this.#end(EnigmaError.from(error)))
    this.#worker.on('exit', () => this.#end(new EnigmaError('NOT_RUNNING', `the thread ${name} ended`)))
    this.service = new Proxy({} as Async<S>, {
      get: (_, method: string) =>
        method === 'then' ? undefined : (...args: unknown[]) => this.#call(method, args),
    })
  }

  /** Whether it takes no more calls. */
  get closed(): boolean {
    return this.#closed !== undefined
  }

  /** Ends the thread, in the middle of whatever it does; calls under way reject with NOT_RUNNING. */
  async close(): Promise<void> {
    this.#end(new EnigmaError('NOT_RUNNING', `the thread ${this.#name} was closed`))
    await this.#worker.terminate()
  }

  async #call(method: string, args: readonly unknown[]): Promise<unknown> {
    while (this.#waiting.size >= this.#calls && this.#closed === undefined)
      await new Promise<void>((resolve) => this.#queue.push(resolve))
    if (this.#closed !== undefined) throw this.#closed
    const id = this.#next++
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    this.#worker.ref()
    this.#worker.postMessage(
      { id, method, args } satisfies Call,
      this.#gives.has(method) ? ownedBuffers(args) : [],
    )
    return answer.promise
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if ('error' in answer) waiting?.reject(EnigmaError.fromObject(answer.error))
    else waiting?.resolve(answer.result)
    this.#queue.shift()?.()
  }

  #end(error: EnigmaError): void {
    this.#closed ??= error
    for (const waiting of this.#waiting.values()) waiting.reject(this.#closed)
    this.#waiting.clear()
    for (const resume of this.#queue.splice(0)) resume()
  }
}

/** A message's header, which is not worth a copy of the rest. */
const HEADER_BYTES = 64

/** Buffers that byte arrays in `value`, down to two levels below it, fill alone or but for a header. */
export function ownedBuffers(value: unknown, depth = 2): ArrayBuffer[] {
  if (value instanceof Uint8Array) {
    const { buffer, byteLength } = value
    // Node's pool of small buffers is not anybody's own.
    const own = buffer instanceof ArrayBuffer && byteLength > Buffer.poolSize
    return own && buffer.byteLength - byteLength <= HEADER_BYTES ? [buffer] : []
  }
  if (depth === 0 || typeof value !== 'object' || value === null) return []
  return [...new Set(Object.values(value).flatMap((part) => ownedBuffers(part, depth - 1)))]
}
