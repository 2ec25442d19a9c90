import { chmodSync, existsSync, statSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { EnigmaError } from '../base/errors.ts'
import { MiB } from '../base/units.ts'
import type { Migration } from './types.ts'

/** A database that was closed properly and is larger than this is not checked again on opening. */
const CHECK_BELOW = 64 * MiB

type Value = string | number | bigint | Uint8Array | null

export interface Statement {
  run(...values: Value[]): { changes: number }
  get(...values: Value[]): Record<string, unknown> | undefined
  all(...values: Value[]): Record<string, unknown>[]
}

export interface OpenOptions {
  /** Refuses with STORAGE_BUSY while another process has the database open. Default true. */
  exclusive?: boolean
  /** Upper bound of the file in bytes; reaching it is STORAGE_FULL. */
  maxBytes?: number
}

const REMEDY = {
  STORAGE_CORRUPT: 'Restore the data directory from a backup, or move the file away to start afresh.',
  STORAGE_FULL:
    'Free disk space or raise the storage limit, then try again. Nothing that was acknowledged is lost.',
  STORAGE_VERSION: 'Install the newer version of the program that wrote this file. The file was not changed.',
  STORAGE_BUSY: 'Close the other program that uses this data directory.',
} as const

function storageError(code: keyof typeof REMEDY, message: string, cause?: unknown): EnigmaError {
  return new EnigmaError(code, message, { remedy: REMEDY[code], cause })
}

/** What SQLite threw, as an EnigmaError. */
export function mapError(error: unknown, path: string): EnigmaError {
  if (error instanceof EnigmaError) return error
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_WRITE' || code === 'ENOSPC')
    return storageError('STORAGE_FULL', `no space left for ${path}`, error)
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'SQLITE_IOERR_SHORT_READ')
    return storageError('STORAGE_CORRUPT', `${path} is damaged`, error)
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return storageError('STORAGE_BUSY', `${path} is in use`, error)
  return new EnigmaError('INTERNAL', `${path}: ${code || 'database error'}`, { cause: error })
}

/** One SQLite file: a transaction that returned has reached the disk. */
export class Database {
  readonly path: string
  readonly #db: Sqlite.Database
  readonly #lock: Sqlite.Database | undefined
  readonly #statements = new Map<string, Statement>()
  #depth = 0

  constructor(path: string, db: Sqlite.Database, lock: Sqlite.Database | undefined) {
    this.path = path
    this.#db = db
    this.#lock = lock
  }

  /** Compiled once per text. Every error is an EnigmaError. */
  prepare(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known) return known
    const raw = this.#guard(() => this.#db.prepare(sql))
    const statement: Statement = {
      run: (...values) => ({ changes: this.#guard(() => raw.run(...values)).changes }),
      get: (...values) => this.#guard(() => raw.get(...values)) as Record<string, unknown> | undefined,
      all: (...values) => this.#guard(() => raw.all(...values)) as Record<string, unknown>[],
    }
    this.#statements.set(sql, statement)
    return statement
  }

  exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql))
  }

  pragma(text: string): unknown {
    return this.#guard(() => this.#db.pragma(text, { simple: true }))
  }

  /** All or nothing; nested calls join the outer transaction. `work` must be synchronous. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.exec('BEGIN IMMEDIATE')
    this.#depth++
    try {
      const result = work()
      this.exec('COMMIT')
      return result
    } catch (error) {
      // A failed COMMIT may have rolled back by itself.
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      throw mapError(error, this.path)
    } finally {
      this.#depth--
    }
  }

  /**
   * A write that does not wait for the disk: it outlives the process, and a power failure once the next transaction has
   * reached the disk. Not inside a transaction.
   */
  lazily<T>(work: () => T): T {
    this.pragma('synchronous = NORMAL')
    try {
      return work()
    } finally {
      this.pragma('synchronous = FULL')
    }
  }

  /** Throws STORAGE_CORRUPT with the first finding. */
  checkIntegrity(): void {
    const finding = this.pragma('quick_check(1)')
    if (finding !== 'ok') throw storageError('STORAGE_CORRUPT', `${this.path} is damaged: ${String(finding)}`)
    const orphans = this.#guard(() => this.#db.pragma('foreign_key_check')) as unknown[]
    if (orphans.length > 0)
      throw storageError('STORAGE_CORRUPT', `${this.path} has rows without their parent`)
  }

  close(): void {
    if (!this.#db.open) return
    try {
      this.#guard(() => {
        this.#db.exec('UPDATE database_state SET clean = 1')
        this.#db.pragma('wal_checkpoint(TRUNCATE)')
      })
    } finally {
      this.#db.close()
      this.#lock?.close()
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw mapError(error, this.path)
    }
  }
}

/**
 * Opens or creates a database: WAL, every commit fsynced, foreign keys, deleted content overwritten. Applies
 * the migrations it has not seen, each in a transaction of its own. Codes: STORAGE_VERSION (written by a newer
 * program; the file stays untouched), STORAGE_CORRUPT, STORAGE_FULL, STORAGE_BUSY.
 */
export function openDatabase(
  path: string,
  migrations: readonly Migration[],
  options: OpenOptions = {},
): Database {
  const lock = options.exclusive === false || path === ':memory:' ? undefined : acquire(path)
  let db: Sqlite.Database | undefined
  try {
    if (path !== ':memory:' && existsSync(path)) refuseNewer(path, migrations.length)
    db = new Sqlite(path, { timeout: 5000 })
    db.pragma('auto_vacuum = INCREMENTAL')
    // Shares and jobs are nobody else's business; the -wal and -shm files take the mode of the database.
    if (path !== ':memory:') chmodSync(path, 0o600)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    db.pragma('secure_delete = ON')
    db.pragma(`journal_size_limit = ${64 * MiB}`)
    db.pragma('trusted_schema = OFF')
    if (options.maxBytes !== undefined) {
      const pageSize = Number(db.pragma('page_size', { simple: true }))
      db.pragma(`max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`)
    }
    const database = new Database(path, db, lock)
    db.exec(
      'CREATE TABLE IF NOT EXISTS database_state (one INTEGER PRIMARY KEY CHECK (one = 1), clean INTEGER NOT NULL) STRICT',
    )
    db.exec('INSERT OR IGNORE INTO database_state VALUES (1, 0)')
    const clean = db.prepare('SELECT clean FROM database_state').pluck().get() === 1
    if (path !== ':memory:' && (!clean || statSync(path).size < CHECK_BELOW)) database.checkIntegrity()
    db.exec('UPDATE database_state SET clean = 0')
    migrate(database, migrations)
    return database
  } catch (error) {
    db?.close()
    lock?.close()
    throw mapError(error, path)
  }
}

/** A lock that the system releases with the process, however it ends: an open exclusive transaction. */
function acquire(path: string): Sqlite.Database {
  const lock = new Sqlite(`${path}.lock`, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    throw mapError(error, path)
  }
}

function refuseNewer(path: string, known: number): void {
  let db: Sqlite.Database | undefined
  try {
    db = new Sqlite(path, { readonly: true })
    const version = Number(db.pragma('user_version', { simple: true }))
    if (version > known)
      throw storageError(
        'STORAGE_VERSION',
        `${path} has schema version ${version}; this program knows ${known}`,
      )
  } catch (error) {
    throw mapError(error, path)
  } finally {
    db?.close()
  }
}

function migrate(database: Database, migrations: readonly Migration[]): void {
  const version = Number(database.pragma('user_version'))
  for (const [i, migration] of migrations.entries()) {
    if (i < version) continue
    database.transaction(() => {
      database.exec(migration.sql)
      database.exec(`PRAGMA user_version = ${i + 1}`)
    })
  }
}
