import { MessagePort, Worker } from 'node:worker_threads'
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

export interface CallOptions {
  /** Calls under way at once; more wait here. */
  readonly calls: number
  /** Methods whose byte arrays and ports the caller does not use again: they are handed over. */
  readonly gives?: readonly string[]
}

/**
 * Calls of a service at the other end of a port, which is served there (thread-service.ts). They are taken in order. Arguments
 * and results are copied; memory that belongs to a result alone, or to what is given, is handed over.
 */
export class Caller<S> {
  readonly service: Async<S>
  readonly #port: Worker | MessagePort
  readonly #calls: number
  readonly #gives: ReadonlySet<string>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #queue: (() => void)[] = []
  #next = 1
  #ended: EnigmaError | undefined

  constructor(port: Worker | MessagePort, { calls, gives = [] }: CallOptions) {
    this.#port = port
    this.#calls = calls
    this.#gives = new Set(gives)
    port.on('message', (answer: Answer) => this.#answered(answer))
    // Only calls under way keep the process alive.
    port.unref()
    this.service = new Proxy({} as Async<S>, {
      get: (_, method: string) =>
        method === 'then' ? undefined : (...args: unknown[]) => this.#call(method, args),
    })
  }

  /** Whether it takes no more calls. */
  get ended(): boolean {
    return this.#ended !== undefined
  }

  /** Rejects the calls under way and all to come; the first reason stays. */
  end(error: EnigmaError): void {
    this.#ended ??= error
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended)
    this.#waiting.clear()
    for (const resume of this.#queue.splice(0)) resume()
  }

  async #call(method: string, args: readonly unknown[]): Promise<unknown> {
    while (this.#waiting.size >= this.#calls && this.#ended === undefined)
      await new Promise<void>((resolve) => this.#queue.push(resolve))
    if (this.#ended !== undefined) throw this.#ended
    const id = this.#next++
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    this.#port.ref()
    const given = this.#gives.has(method) ? owned(args, GIVEN_DEPTH) : []
    this.#port.postMessage({ id, method, args } satisfies Call, given)
    return answer.promise
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#port.unref()
    if ('error' in answer) waiting?.reject(EnigmaError.fromObject(answer.error))
    else waiting?.resolve(answer.result)
    this.#queue.shift()?.()
  }
}

export interface ThreadOptions extends CallOptions {
  /** The module to run, which calls `serve` (thread-service.ts). */
  readonly url: URL
  readonly name: string
  /** For the module, as `workerData`; ports in it are handed over. */
  readonly data?: unknown
}

/** A service in a thread of its own; see `Caller`. */
export class ServiceThread<S> {
  readonly #worker: Worker
  readonly #caller: Caller<S>
  readonly #name: string

  constructor({ url, name, data, ...calls }: ThreadOptions) {
    this.#name = name
    this.#worker = new Worker(url, { workerData: data, name, transferList: owned(data) })
    this.#caller = new Caller(this.#worker, calls)
    this.#worker.on('error', (error) => this.#caller.end(EnigmaError.from(error)))
    this.#worker.on('exit', () =>
      this.#caller.end(new EnigmaError('NOT_RUNNING', `the thread ${name} ended`)),
    )
  }

  get service(): Async<S> {
    return this.#caller.service
  }

  /** Whether it takes no more calls. */
  get closed(): boolean {
    return this.#caller.ended
  }

  /** Ends the thread, in the middle of whatever it does; calls under way reject with NOT_RUNNING. */
  async close(): Promise<void> {
    this.#caller.end(new EnigmaError('NOT_RUNNING', `the thread ${this.#name} was closed`))
    await this.#worker.terminate()
  }
}

/** Levels below the arguments of a call that gives: a list of orders about records has its bytes in the fifth. */
const GIVEN_DEPTH = 5

/** A message's header, which is not worth a copy of the rest. */
const HEADER_BYTES = 64

/** The bytes in a buffer of their own, copied if they share one: what is handed over takes its whole buffer along. */
export function alone(bytes: Uint8Array): Uint8Array {
  return owned(bytes).length > 0 ? bytes : bytes.slice()
}

/** Ports in `value`, down to `depth` levels below it, and buffers that byte arrays fill alone or but for a header. */
export function owned(value: unknown, depth = 2): (ArrayBuffer | MessagePort)[] {
  if (value instanceof MessagePort) return [value]
  if (value instanceof Uint8Array) {
    const { buffer, byteLength } = value
    // Node's pool of small buffers is not anybody's own.
    const own = buffer instanceof ArrayBuffer && byteLength > Buffer.poolSize
    return own && buffer.byteLength - byteLength <= HEADER_BYTES ? [buffer] : []
  }
  if (depth === 0 || typeof value !== 'object' || value === null) return []
  return [...new Set(Object.values(value).flatMap((part) => owned(part, depth - 1)))]
}
