import type { Log } from '../base/log.ts'
import type { NodeEvent } from '../ipc/index.ts'

/** What changed, told to every face of the node. A listener that throws is reported and does not stop the others. */
export class Events {
  readonly #listeners = new Set<(event: NodeEvent) => void>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  emit(event: NodeEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#log.warn('listener failed', { error: error instanceof Error ? error.message : 'unknown' })
      }
    }
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
