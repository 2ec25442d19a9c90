import type { Cursor, CursorStore, OutboxStore, StoredIntent } from './types.ts'

/** Cursors that last as long as the process: for tests and one-shot commands. */
export class MemoryCursorStore implements CursorStore {
  readonly #cursors = new Map<string, Cursor>()

  get(id: string): Cursor | undefined {
    return structuredClone(this.#cursors.get(id))
  }

  put(id: string, cursor: Cursor): void {
    this.#cursors.set(id, structuredClone(cursor))
  }
}

/** An outbox that lasts as long as the process. */
export class MemoryOutboxStore implements OutboxStore {
  readonly #intents = new Map<string, StoredIntent>()

  put(intent: StoredIntent): void {
    this.#intents.set(intent.id, { ...intent })
  }

  list(): StoredIntent[] {
    return [...this.#intents.values()].map((intent) => ({ ...intent })).sort((a, b) => a.seq - b.seq)
  }

  delete(id: string): void {
    this.#intents.delete(id)
  }
}
