import { Worker } from 'node:worker_threads'
import { EnigmaError, type ErrorObject } from '../base/errors.ts'
import type { BgvOptions } from './parameters.ts'
import type { BgvService } from './service.ts'

export interface Call {
  readonly id: number
  readonly method: keyof BgvService
  readonly args: readonly unknown[]
}

export type Answer = { readonly id: number } & (
  | { readonly result: unknown }
  | { readonly error: ErrorObject }
)

/** `BgvService` with promises. */
export type AsyncBgv = {
  readonly [K in keyof BgvService]: (...args: Parameters<BgvService[K]>) => Promise<ReturnType<BgvService[K]>>
}

/** Calls under way or waiting in one thread; more wait here. */
const MAX_CALLS = 8

/**
 * The scheme in a thread of its own, so that arithmetic of tens of milliseconds never holds the event loop. Calls are
 * answered in order. A call that was given up is still computed, and its answer dropped.
 */
export class BgvThread {
  readonly bgv: AsyncBgv
  readonly #worker: Worker
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #queue: (() => void)[] = []
  #next = 1
  #closed: EnigmaError | undefined

  constructor(options: BgvOptions) {
    const { n, levels, replyLevels, batch, insecure } = options
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { n, levels, replyLevels, batch, ...(insecure === undefined ? {} : { insecure }) },
      name: 'bgv',
    })
    this.#worker.unref()
    this.#worker.on('message', (answer: Answer) => this.#answered(answer))
    this.#worker.on('error', (error) => this.#end(EnigmaError.from(error)))
    this.#worker.on('exit', () => this.#end(new EnigmaError('NOT_RUNNING', 'the thread of the scheme ended')))
    this.bgv = new Proxy({} as AsyncBgv, {
      get: (_, method: string) =>
        method === 'then' ? undefined : (...args: unknown[]) => this.#call(method as keyof BgvService, args),
    })
  }

  /** Ends the thread; calls under way reject with NOT_RUNNING. */
  async close(): Promise<void> {
    this.#end(new EnigmaError('NOT_RUNNING', 'the thread of the scheme was closed'))
    await this.#worker.terminate()
  }

  async #call(method: keyof BgvService, args: readonly unknown[]): Promise<unknown> {
    while (this.#waiting.size >= MAX_CALLS && this.#closed === undefined)
      await new Promise<void>((resolve) => this.#queue.push(resolve))
    if (this.#closed !== undefined) throw this.#closed
    const id = this.#next++
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    this.#worker.ref()
    this.#worker.postMessage({ id, method, args } satisfies Call)
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
