import { fromHex, toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import type {
  Address,
  Authorization,
  DataRecord,
  Hash,
  Placement,
  RecordKind,
  RecordState,
  RecordStore,
  RecordSummary,
  StoredRecord,
  Usage,
} from '../dht/types.ts'
import type { Database } from './database.ts'
import type { Quotas } from './types.ts'

/** Bytes a row costs beside its bulk, so that many small records cannot evade a quota. */
const ROW_BYTES = 512

const COLUMNS =
  'kind, key, share_index, owner, state, digest, bytes, shape, authorization, placements, expires'

/** Records of this node in SQLite. */
export class SqliteRecordStore implements RecordStore {
  readonly #db: Database
  #quotas: Quotas

  constructor(db: Database, quotas: Quotas) {
    this.#db = db
    this.#quotas = quotas
  }

  /** New limits for what is stored from now on; nothing that is there is removed. */
  limit(quotas: Partial<Quotas>): void {
    this.#quotas = { ...this.#quotas, ...quotas }
  }

  put(entry: StoredRecord): void {
    const { record, digest } = entry
    const parts = partsOf(record)
    const bytes = ROW_BYTES + parts.reduce((sum, [, content]) => sum + content.length, 0)
    const index = record.kind === 'share' ? record.index : 0
    this.#db.transaction(() => {
      const present = this.summary(record.kind, record.key)
      if (present) {
        if (present.digest === digest && present.index === index && present.owner === record.owner) return
        if (present.state === 'active' || present.owner !== record.owner)
          throw new EnigmaError(
            'RECORD_INVALID',
            `another ${record.kind} record is stored under ${record.key}`,
          )
        this.#remove(record.kind, record.key)
      }
      this.#checkQuota(record.owner, bytes)
      const shape = record.kind === 'share' ? { n: record.n, t: record.t, length: record.length } : {}
      this.#db
        .prepare(`INSERT INTO records (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
        .run(
          record.kind,
          record.key,
          index,
          record.owner,
          entry.state,
          digest,
          bytes,
          JSON.stringify(shape),
          JSON.stringify({ ...entry.authorization, signature: toHex(entry.authorization.signature) }),
          JSON.stringify(entry.placements),
          entry.state === 'pending' ? (entry.expires ?? 0) : null,
        )
      const insert = this.#db.prepare('INSERT INTO bodies (kind, key, part, content) VALUES (?, ?, ?, ?)')
      for (const [part, content] of parts) insert.run(record.kind, record.key, part, content)
    })
  }

  get(kind: RecordKind, key: Hash): StoredRecord | undefined {
    const row = this.#row(kind, key)
    if (!row) return undefined
    const parts = new Map(
      this.#db
        .prepare('SELECT part, content FROM bodies WHERE kind = ? AND key = ?')
        .all(kind, key)
        .map((r) => [String(r.part), r.content as Uint8Array]),
    )
    const body = (name: string): Uint8Array => {
      const content = parts.get(name)
      if (!content) throw new EnigmaError('STORAGE_CORRUPT', `record ${key} misses its ${name}`)
      return content
    }
    const owner = String(row.owner) as Address
    const shape = JSON.parse(String(row.shape)) as { n: number; t: number; length: number }
    const record: DataRecord =
      kind === 'share'
        ? {
            kind,
            key,
            index: Number(row.share_index),
            owner,
            ...shape,
            values: body('values'),
            masks: body('masks'),
            commitments: body('commitments'),
          }
        : kind === 'encrypted'
          ? { kind, key, owner, ciphertext: body('data') }
          : { kind, key, owner, data: body('data') }
    const stored = JSON.parse(String(row.authorization)) as Omit<Authorization, 'signature'> & {
      signature: string
    }
    return {
      record,
      digest: String(row.digest) as Hash,
      state: String(row.state) as RecordState,
      authorization: { ...stored, signature: fromHex(stored.signature) },
      placements: JSON.parse(String(row.placements)) as Placement[],
      expires: row.expires === null ? undefined : Number(row.expires),
    }
  }

  summary(kind: RecordKind, key: Hash): RecordSummary | undefined {
    const row = this.#row(kind, key)
    return row && toSummary(row)
  }

  activate(kind: RecordKind, key: Hash, placements: readonly Placement[]): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE records SET state = 'active', expires = NULL, placements = ? WHERE kind = ? AND key = ?`,
        )
        .run(JSON.stringify(placements), kind, key).changes > 0
    )
  }

  setPlacements(kind: RecordKind, key: Hash, placements: readonly Placement[]): void {
    this.#db
      .prepare('UPDATE records SET placements = ? WHERE kind = ? AND key = ?')
      .run(JSON.stringify(placements), kind, key)
  }

  delete(kind: RecordKind, key: Hash, time?: number): boolean {
    const removed = this.#db.transaction(() => {
      if (time !== undefined)
        this.#db
          .prepare(
            `INSERT INTO tombstones (kind, key, time) VALUES (?, ?, ?)
             ON CONFLICT (kind, key) DO UPDATE SET time = max(time, excluded.time)`,
          )
          .run(kind, key, time)
      return this.#remove(kind, key)
    })
    if (removed) this.#compact()
    return removed
  }

  deletedAt(kind: RecordKind, key: Hash): number | undefined {
    const row = this.#db.prepare('SELECT time FROM tombstones WHERE kind = ? AND key = ?').get(kind, key)
    return row && Number(row.time)
  }

  expired(now: number, limit: number): RecordSummary[] {
    return this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM records WHERE state = 'pending' AND expires <= ? ORDER BY expires LIMIT ?`,
      )
      .all(now, limit)
      .map(toSummary)
  }

  scan(cursor: string | undefined, limit: number): RecordSummary[] {
    const [kind, key] = cursor?.split('/') ?? ['', '']
    return this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM records WHERE state = 'active' AND (kind, key) > (?, ?)
         ORDER BY kind, key LIMIT ?`,
      )
      .all(kind ?? '', key ?? '', limit)
      .map(toSummary)
  }

  usage(owner?: Address): Usage {
    const row = this.#db.prepare('SELECT records, bytes FROM usage WHERE owner = ?').get(owner ?? '')
    return { records: Number(row?.records ?? 0), bytes: Number(row?.bytes ?? 0) }
  }

  #row(kind: RecordKind, key: Hash): Record<string, unknown> | undefined {
    return this.#db.prepare(`SELECT ${COLUMNS} FROM records WHERE kind = ? AND key = ?`).get(kind, key)
  }

  #remove(kind: RecordKind, key: Hash): boolean {
    return this.#db.prepare('DELETE FROM records WHERE kind = ? AND key = ?').run(kind, key).changes > 0
  }

  #checkQuota(owner: Address, bytes: number): void {
    const { totalBytes, ownerBytes, ownerRecords } = this.#quotas
    const own = this.usage(owner)
    const refuse = (what: string) => {
      throw new EnigmaError('QUOTA_EXCEEDED', `this node's ${what} is used up`)
    }
    if (this.usage().bytes + bytes > totalBytes) refuse('storage')
    if (own.bytes + bytes > ownerBytes) refuse('storage for this owner')
    if (own.records + 1 > ownerRecords) refuse('number of records for this owner')
  }

  /** Deleted content leaves the write-ahead log too: a revoked share must not linger there. */
  #compact(): void {
    this.#db.pragma('incremental_vacuum(1024)')
    this.#db.pragma('wal_checkpoint(TRUNCATE)')
  }
}

function partsOf(record: DataRecord): [string, Uint8Array][] {
  switch (record.kind) {
    case 'share':
      return [
        ['values', record.values],
        ['masks', record.masks],
        ['commitments', record.commitments],
      ]
    case 'encrypted':
      return [['data', record.ciphertext]]
    case 'public':
      return [['data', record.data]]
  }
}

function toSummary(row: Record<string, unknown>): RecordSummary {
  return {
    kind: String(row.kind) as RecordKind,
    key: String(row.key) as Hash,
    index: Number(row.share_index),
    owner: String(row.owner) as Address,
    state: String(row.state) as RecordState,
    digest: String(row.digest) as Hash,
    content: (JSON.parse(String(row.authorization)) as Authorization).content,
    n: (JSON.parse(String(row.shape)) as { n?: number }).n ?? 0,
    bytes: Number(row.bytes),
    placements: JSON.parse(String(row.placements)) as Placement[],
  }
}
