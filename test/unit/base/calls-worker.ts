import { EnigmaError } from '../../../core/base/errors.ts'
import { serve } from '../../../core/base/thread-service.ts'

/** What thread-pool.test.ts calls. */
export class Calls {
  #made = 0

  /** How many calls this thread has seen. */
  count(): number {
    this.#made += 1
    return this.#made
  }

  async double(bytes: Uint8Array): Promise<{ bytes: Uint8Array; same: Uint8Array[] }> {
    const twice = bytes.map((b) => 2 * b)
    return { bytes: twice, same: [twice, twice.subarray(1)] }
  }

  refuse(): never {
    throw new EnigmaError('PROOF_INVALID', 'no', { details: { at: 7 } })
  }

  /** Answers, and ends its thread a moment later. */
  endSoon(): void {
    setTimeout(() => process.exit(), 50)
  }

  /** Never returns, nor lets anything else run in its thread. */
  spin(): never {
    for (;;);
  }
}

serve(new Calls())
