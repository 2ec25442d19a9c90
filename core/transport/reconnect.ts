import type { Clock } from '../base/clock.ts'
import { minute } from '../base/units.ts'
import { Spacing } from './spacing.ts'
import type { NodeId } from './types.ts'

const FIRST_MS = 500
const LAST_MS = 1 * minute

/** Keeps connections to chosen nodes: tries again after 0.5, 1, 2 … 60 s, with jitter. */
export class Reconnector {
  readonly #connect: (node: NodeId) => Promise<void>
  readonly #clock: Clock
  readonly #kept = new Set<NodeId>()
  readonly #trying = new Set<NodeId>()
  /** Handshakes with many at once would hold the event loop. */
  readonly #spacing = new Spacing()
  readonly #stop = new AbortController()

  constructor(connect: (node: NodeId) => Promise<void>, clock: Clock) {
    this.#connect = connect
    this.#clock = clock
  }

  keep(node: NodeId): void {
    if (this.#kept.has(node)) return
    this.#kept.add(node)
    void this.#try(node, 0)
  }

  lost(node: NodeId): void {
    if (this.#kept.has(node)) void this.#try(node, FIRST_MS)
  }

  stop(): void {
    this.#stop.abort()
  }

  async #try(node: NodeId, firstMs: number): Promise<void> {
    if (this.#trying.has(node)) return
    this.#trying.add(node)
    let waitMs = firstMs
    try {
      while (!this.#stop.signal.aborted) {
        await this.#clock.sleep(waitMs * (0.75 + Math.random() / 2), this.#stop.signal)
        try {
          await this.#spacing.run(() => this.#connect(node))
          return
        } catch {
          waitMs = Math.min(LAST_MS, Math.max(FIRST_MS, waitMs * 2))
        }
      }
    } catch {
      // Stopped while waiting.
    } finally {
      this.#trying.delete(node)
    }
  }
}
