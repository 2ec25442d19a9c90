import { type Async, ServiceThread } from '../base/thread.ts'
import type { BgvOptions } from './parameters.ts'
import type { BgvService } from './service.ts'

/** `BgvService` with promises. */
export type AsyncBgv = Async<BgvService>

/** Calls under way in the thread. */
const MAX_CALLS = 8
/** What these are called with has been received, or made for them. */
const GIVES = [
  'importKey',
  'encrypt',
  'importCiphertexts',
  'decryptReply',
  'toSlots',
  'toCoefficients',
] as const satisfies (keyof BgvService)[]

/**
 * The scheme in a thread of its own, so that arithmetic of tens of milliseconds never holds the event loop. Calls are
 * answered in order. A call that was given up is still computed, and its answer dropped. Keys from others, ciphertexts and
 * plaintexts are given away: their bytes cannot be used after the call.
 */
export class BgvThread {
  readonly #thread: ServiceThread<BgvService>

  constructor(options: BgvOptions) {
    const { n, levels, replyLevels, batch, insecure } = options
    this.#thread = new ServiceThread({
      url: new URL('./worker.ts', import.meta.url),
      name: 'bgv',
      data: { n, levels, replyLevels, batch, ...(insecure === undefined ? {} : { insecure }) },
      calls: MAX_CALLS,
      gives: GIVES,
    })
  }

  get bgv(): AsyncBgv {
    return this.#thread.service
  }

  /** Ends the thread; calls under way reject with NOT_RUNNING. */
  close(): Promise<void> {
    return this.#thread.close()
  }
}
