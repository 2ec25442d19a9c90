import { EnigmaError } from '../base/errors.ts'
import type { Database } from './database.ts'
import type { KeyValueStore, SettingsStore } from './types.ts'

export class SqliteKeyValueStore implements KeyValueStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  get(namespace: string, key: string): Uint8Array | undefined {
    const row = this.#db
      .prepare('SELECT value FROM entries WHERE namespace = ? AND key = ?')
      .get(namespace, key)
    return row && (row.value as Uint8Array)
  }

  set(namespace: string, key: string, value: Uint8Array): void {
    this.#db
      .prepare(
        `INSERT INTO entries (namespace, key, value) VALUES (?, ?, ?)
         ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value`,
      )
      .run(namespace, key, value)
  }

  add(namespace: string, key: string, value: Uint8Array): boolean {
    return (
      this.#db
        .prepare('INSERT INTO entries (namespace, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
        .run(namespace, key, value).changes > 0
    )
  }

  delete(namespace: string, key: string): boolean {
    return (
      this.#db.prepare('DELETE FROM entries WHERE namespace = ? AND key = ?').run(namespace, key).changes > 0
    )
  }

  list(namespace: string, after = '', limit = 1000): { key: string; value: Uint8Array }[] {
    return this.#db
      .prepare('SELECT key, value FROM entries WHERE namespace = ? AND key > ? ORDER BY key LIMIT ?')
      .all(namespace, after, limit)
      .map((r) => ({ key: String(r.key), value: r.value as Uint8Array }))
  }
}

export class SqliteSettingsStore implements SettingsStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  get(key: string): unknown {
    const row = this.#db.prepare('SELECT value FROM settings WHERE key = ?').get(key)
    return row && JSON.parse(String(row.value))
  }

  set(key: string, value: unknown): void {
    const text = JSON.stringify(value)
    if (text === undefined) throw new EnigmaError('INVALID_ARGUMENT', `setting ${key} is not JSON`)
    this.#db
      .prepare(
        `INSERT INTO settings (key, value) VALUES (?, ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      )
      .run(key, text)
  }

  delete(key: string): boolean {
    return this.#db.prepare('DELETE FROM settings WHERE key = ?').run(key).changes > 0
  }

  all(): Record<string, unknown> {
    const rows = this.#db.prepare('SELECT key, value FROM settings ORDER BY key').all()
    return Object.fromEntries(rows.map((r) => [String(r.key), JSON.parse(String(r.value))]))
  }
}
