import { type Clock, systemClock } from '../base/clock.ts'
import { ADMISSION_TTL_MS } from './constants.ts'
import type { NodeId } from './types.ts'

/** Whether the registry admits a node. */
export type IsAdmitted = (node: NodeId) => Promise<boolean>

/**
 * Remembers the registry's answers for `ttlMs`. A registry that does not answer admits nobody new, but keeps
 * those whose last answer was yes: losing the chain must not dissolve the network.
 */
export class Admission {
  readonly #ask: IsAdmitted
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #answers = new Map<NodeId, { admitted: boolean; until: number }>()
  readonly #asking = new Map<NodeId, Promise<boolean>>()

  constructor(ask: IsAdmitted, clock: Clock = systemClock, ttlMs: number = ADMISSION_TTL_MS) {
    this.#ask = ask
    this.#clock = clock
    this.#ttlMs = ttlMs
  }

  async admits(node: NodeId): Promise<boolean> {
    const known = this.#answers.get(node)
    if (known && known.until > this.#clock.now()) return known.admitted
    let asking = this.#asking.get(node)
    if (!asking) {
      asking = this.#refresh(node, known?.admitted ?? false).finally(() => this.#asking.delete(node))
      this.#asking.set(node, asking)
    }
    return asking
  }

  /** Has the registry asked again about everybody, for instance after it changed. */
  expire(): void {
    for (const answer of this.#answers.values()) answer.until = 0
  }

  async #refresh(node: NodeId, last: boolean): Promise<boolean> {
    let admitted: boolean
    try {
      admitted = await this.#ask(node)
    } catch {
      return last
    }
    if (this.#answers.size >= 4096) {
      const oldest = this.#answers.keys().next().value
      if (oldest !== undefined) this.#answers.delete(oldest)
    }
    // A refusal is asked again soon: a node that registers should not wait out the whole interval.
    this.#answers.set(node, {
      admitted,
      until: this.#clock.now() + (admitted ? this.#ttlMs : Math.min(this.#ttlMs, 1000)),
    })
    return admitted
  }
}
