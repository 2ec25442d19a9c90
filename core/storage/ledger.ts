import type { Cursor, CursorStore, OutboxStore, StoredIntent } from '../ledger/types.ts'
import type { Database } from './database.ts'

export class SqliteCursorStore implements CursorStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  get(id: string): Cursor | undefined {
    const row = this.#db.prepare('SELECT cursor FROM cursors WHERE id = ?').get(id)
    return row && (JSON.parse(String(row.cursor)) as Cursor)
  }

  put(id: string, cursor: Cursor): void {
    this.#db
      .prepare(
        `INSERT INTO cursors (id, cursor) VALUES (?, ?)
         ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor`,
      )
      .run(id, JSON.stringify(cursor))
  }
}

export class SqliteOutboxStore implements OutboxStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  put(intent: StoredIntent): void {
    this.#db
      .prepare(
        `INSERT INTO outbox (id, seq, intent) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, intent = excluded.intent`,
      )
      .run(intent.id, intent.seq, JSON.stringify(intent))
  }

  list(): StoredIntent[] {
    return this.#db
      .prepare('SELECT intent FROM outbox ORDER BY seq')
      .all()
      .map((r) => JSON.parse(String(r.intent)) as StoredIntent)
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM outbox WHERE id = ?').run(id)
  }
}
