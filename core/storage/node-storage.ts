import { type Clock, systemClock } from '../base/clock.ts'
import { GiB } from '../base/units.ts'
import { type Database, type OpenOptions, openDatabase } from './database.ts'
import { SqliteJobStore } from './jobs.ts'
import { SqliteKeyValueStore, SqliteSettingsStore } from './key-value.ts'
import { SqliteCursorStore, SqliteOutboxStore } from './ledger.ts'
import { NODE_MIGRATIONS } from './migrations.ts'
import { SqliteRecordStore } from './records.ts'
import type { Quotas } from './types.ts'

export const DEFAULT_QUOTAS: Quotas = { totalBytes: 20 * GiB, ownerBytes: 2 * GiB, ownerRecords: 100_000 }

export interface NodeStorage {
  readonly database: Database
  readonly records: SqliteRecordStore
  readonly jobs: SqliteJobStore
  readonly settings: SqliteSettingsStore
  readonly kv: SqliteKeyValueStore
  readonly cursors: SqliteCursorStore
  readonly outbox: SqliteOutboxStore
  close(): void
}

/** Everything a node keeps on disk beside the vault, in one file. Codes: those of `openDatabase`. */
export function openNodeStorage(
  path: string,
  options: OpenOptions & { quotas?: Partial<Quotas>; clock?: Clock } = {},
): NodeStorage {
  const database = openDatabase(path, NODE_MIGRATIONS, options)
  return {
    database,
    records: new SqliteRecordStore(database, { ...DEFAULT_QUOTAS, ...options.quotas }),
    jobs: new SqliteJobStore(database, options.clock ?? systemClock),
    settings: new SqliteSettingsStore(database),
    kv: new SqliteKeyValueStore(database),
    cursors: new SqliteCursorStore(database),
    outbox: new SqliteOutboxStore(database),
    close: () => database.close(),
  }
}
