import { second } from '../../base/units.ts'
import type { NodeContext } from '../context.ts'

/** A block of most chains, and some more. */
export const STEP_MS = 20 * second

/**
 * Members of a committee that would all send the same transaction take turns: the first at once, each other after one more
 * span, to see first whether it is still needed. Nobody relies on those before it.
 */
export class Rota {
  readonly #clock: NodeContext['clock']
  readonly #stopping = new AbortController()

  constructor({ clock }: Pick<NodeContext, 'clock'>) {
    this.#clock = clock
  }

  /** Waits for the turn of rank 0, 1, …. Throws CANCELLED after `stop`. */
  async wait(rank: number): Promise<void> {
    if (rank > 0) await this.#clock.sleep(rank * STEP_MS, this.#stopping.signal)
  }

  stop(): void {
    this.#stopping.abort()
  }
}
