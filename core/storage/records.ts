import { fromHex, toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { Exclusive } from '../base/exclusive.ts'
import { turn } from '../base/turns.ts'
import { KiB } from '../base/units.ts'
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

/** What is written, read or erased in one turn of the event loop. */
const PIECE_BYTES = 256 * KiB

/** Pages that are given back to the file system after an erasure, and how many of them in one turn. */
const VACUUM_PAGES = 1024
const VACUUM_STEP = 64

/** In place of a digest: the record is being written or erased, and not there for anybody else. */
const INCOMPLETE = ''

const COLUMNS =
  'kind, key, share_index, owner, state, digest, bytes, shape, authorization, placements, expires'

/** Records of this node in SQLite. */
export class SqliteRecordStore implements RecordStore {
  readonly #db: Database
  readonly #changing = new Exclusive()
  #quotas: Quotas

  constructor(db: Database, quotas: Quotas) {
    this.#db = db
    this.#quotas = quotas
  }

  /** New limits for what is stored from now on; nothing that is there is removed. */
  limit(quotas: Partial<Quotas>): void {
    this.#quotas = { ...this.#quotas, ...quotas }
  }

  put(entry: StoredRecord): Promise<void> {
    return this.#changing.run(nameOf(entry.record), () => this.#put(entry))
  }

  async #put(entry: StoredRecord): Promise<void> {
    const { kind, key } = entry.record
    const steps = stepsOf(entry.record)
    if (this.#begin(entry, steps)) return
    try {
      for (const step of steps.slice(1, -1)) {
        await turn()
        this.#db.lazily(() => this.#db.transaction(() => this.#append(kind, key, step)))
      }
      await turn()
      if (steps.length > 1)
        this.#db.transaction(() => {
          this.#append(kind, key, steps.at(-1) ?? [])
          this.#complete(entry)
        })
    } catch (error) {
      // What cannot be erased now is erased when the node starts again.
      await this.#erase(kind, key).catch(() => undefined)
      throw error
    }
  }

  async get(kind: RecordKind, key: Hash): Promise<StoredRecord | undefined> {
    const row = this.#row(kind, key)
    if (!row) return undefined
    const owner = String(row.owner) as Address
    const shape = JSON.parse(String(row.shape)) as { n: number; t: number; length: number }
    const body = (part: string) => this.#read(kind, key, part)
    let record: DataRecord
    try {
      record =
        kind === 'share'
          ? {
              kind,
              key,
              index: Number(row.share_index),
              owner,
              ...shape,
              values: await body('values'),
              masks: await body('masks'),
              commitments: await body('commitments'),
            }
          : kind === 'encrypted'
            ? { kind, key, owner, ciphertext: await body('data') }
            : { kind, key, owner, data: await body('data') }
    } catch (error) {
      if (this.#row(kind, key)?.digest !== row.digest) return undefined
      throw error
    }
    // Erased, or replaced, while it was read.
    if (this.#row(kind, key)?.digest !== row.digest) return undefined
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
          `UPDATE records SET state = 'active', expires = NULL, placements = ?
           WHERE kind = ? AND key = ? AND digest <> ?`,
        )
        .run(JSON.stringify(placements), kind, key, INCOMPLETE).changes > 0
    )
  }

  setPlacements(kind: RecordKind, key: Hash, placements: readonly Placement[]): void {
    this.#db
      .prepare('UPDATE records SET placements = ? WHERE kind = ? AND key = ?')
      .run(JSON.stringify(placements), kind, key)
  }

  delete(kind: RecordKind, key: Hash, time?: number): Promise<boolean> {
    return this.#changing.run(nameOf({ kind, key }), () => this.#delete(kind, key, time))
  }

  async #delete(kind: RecordKind, key: Hash, time?: number): Promise<boolean> {
    const present = this.#db.transaction(() => {
      if (time !== undefined)
        this.#db
          .prepare(
            `INSERT INTO tombstones (kind, key, time) VALUES (?, ?, ?)
             ON CONFLICT (kind, key) DO UPDATE SET time = max(time, excluded.time)`,
          )
          .run(kind, key, time)
      return (
        this.#db
          .prepare('UPDATE records SET digest = ? WHERE kind = ? AND key = ? AND digest <> ?')
          .run(INCOMPLETE, kind, key, INCOMPLETE).changes > 0
      )
    })
    if (present) await this.#erase(kind, key)
    return present
  }

  async recover(): Promise<void> {
    const rows = this.#db.prepare('SELECT kind, key FROM records WHERE digest = ?').all(INCOMPLETE)
    for (const row of rows) {
      const kind = String(row.kind) as RecordKind
      const key = String(row.key) as Hash
      await this.#changing.run(nameOf({ kind, key }), () => this.#erase(kind, key))
    }
  }

  deletedAt(kind: RecordKind, key: Hash): number | undefined {
    const row = this.#db.prepare('SELECT time FROM tombstones WHERE kind = ? AND key = ?').get(kind, key)
    return row && Number(row.time)
  }

  expired(now: number, limit: number): RecordSummary[] {
    return this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM records WHERE state = 'pending' AND expires <= ? AND digest <> ?
         ORDER BY expires LIMIT ?`,
      )
      .all(now, INCOMPLETE, limit)
      .map(toSummary)
  }

  scan(cursor: string | undefined, limit: number): RecordSummary[] {
    const [kind, key] = cursor?.split('/') ?? ['', '']
    return this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM records WHERE state = 'active' AND digest <> ? AND (kind, key) > (?, ?)
         ORDER BY kind, key LIMIT ?`,
      )
      .all(INCOMPLETE, kind ?? '', key ?? '', limit)
      .map(toSummary)
  }

  usage(owner?: Address): Usage {
    const row = this.#db.prepare('SELECT records, bytes FROM usage WHERE owner = ?').get(owner ?? '')
    return { records: Number(row?.records ?? 0), bytes: Number(row?.bytes ?? 0) }
  }

  #row(kind: RecordKind, key: Hash): Record<string, unknown> | undefined {
    return this.#db
      .prepare(`SELECT ${COLUMNS} FROM records WHERE kind = ? AND key = ? AND digest <> ?`)
      .get(kind, key, INCOMPLETE)
  }

  /** The row and the first step, with which a small record is complete. True when the same record is there. */
  #begin(entry: StoredRecord, steps: readonly Step[]): boolean {
    const { record, digest } = entry
    const { kind, key, owner } = record
    const index = record.kind === 'share' ? record.index : 0
    const shape = record.kind === 'share' ? { n: record.n, t: record.t, length: record.length } : {}
    const bytes = steps.flat().reduce((sum, { content }) => sum + content.length, ROW_BYTES)
    return this.#db.transaction(() => {
      const present = this.summary(kind, key)
      if (present) {
        if (present.digest === digest && present.index === index && present.owner === owner) return true
        if (present.state === 'active' || present.owner !== owner)
          throw new EnigmaError('RECORD_INVALID', `another ${kind} record is stored under ${key}`)
      }
      this.#remove(kind, key)
      this.#checkQuota(owner, bytes)
      this.#db
        .prepare(`INSERT INTO records (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
        .run(
          kind,
          key,
          index,
          owner,
          entry.state,
          INCOMPLETE,
          bytes,
          JSON.stringify(shape),
          JSON.stringify({ ...entry.authorization, signature: toHex(entry.authorization.signature) }),
          JSON.stringify(entry.placements),
          entry.state === 'pending' ? (entry.expires ?? 0) : null,
        )
      this.#append(kind, key, steps[0] ?? [])
      if (steps.length < 2) this.#complete(entry)
      return false
    })
  }

  #append(kind: RecordKind, key: Hash, step: Step): void {
    const insert = this.#db.prepare(
      'INSERT INTO pieces (kind, key, part, piece, content) VALUES (?, ?, ?, ?, ?)',
    )
    for (const { part, piece, content } of step) insert.run(kind, key, part, piece, content)
  }

  #complete({ record: { kind, key }, digest }: StoredRecord): void {
    this.#db.prepare('UPDATE records SET digest = ? WHERE kind = ? AND key = ?').run(digest, kind, key)
  }

  async #read(kind: RecordKind, key: Hash, part: string): Promise<Uint8Array> {
    const corrupt = () => new EnigmaError('STORAGE_CORRUPT', `record ${key} misses its ${part}`)
    const sizes = this.#db
      .prepare(
        `SELECT piece, length(content) AS bytes FROM pieces
         WHERE kind = ? AND key = ? AND part = ? ORDER BY piece`,
      )
      .all(kind, key, part)
    if (sizes.length === 0) throw corrupt()
    const body = new Uint8Array(sizes.reduce((sum, { bytes }) => sum + Number(bytes), 0))
    let offset = 0
    for (const { piece } of sizes) {
      await turn()
      const row = this.#db
        .prepare('SELECT content FROM pieces WHERE kind = ? AND key = ? AND part = ? AND piece = ?')
        .get(kind, key, part, Number(piece))
      const content = row?.content as Uint8Array | undefined
      if (content === undefined || offset + content.length > body.length) throw corrupt()
      body.set(content, offset)
      offset += content.length
    }
    return body
  }

  /** Erases an incomplete record, its row last. */
  async #erase(kind: RecordKind, key: Hash): Promise<void> {
    const pieces = this.#db
      .prepare('SELECT part, piece FROM pieces WHERE kind = ? AND key = ?')
      .all(kind, key)
    const erase = this.#db.prepare('DELETE FROM pieces WHERE kind = ? AND key = ? AND part = ? AND piece = ?')
    for (const { part, piece } of pieces) {
      await turn()
      this.#db.lazily(() => erase.run(kind, key, String(part), Number(piece)))
    }
    this.#remove(kind, key)
    // Deleted content leaves the write-ahead log too: a revoked share must not linger there.
    for (let pages = 0; pages < VACUUM_PAGES; pages += VACUUM_STEP) {
      if (Number(this.#db.pragma('freelist_count')) === 0) break
      this.#db.pragma(`incremental_vacuum(${VACUUM_STEP})`)
      await turn()
    }
    this.#db.pragma('wal_checkpoint(TRUNCATE)')
  }

  #remove(kind: RecordKind, key: Hash): void {
    this.#db.prepare('DELETE FROM records WHERE kind = ? AND key = ?').run(kind, key)
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
}

const nameOf = ({ kind, key }: { kind: RecordKind; key: Hash }) => `${kind}/${key}`

interface Piece {
  readonly part: string
  readonly piece: number
  readonly content: Uint8Array
}

/** Pieces that are written together. */
type Step = Piece[]

/** The bulk of a record in steps of at most PIECE_BYTES. */
function stepsOf(record: DataRecord): Step[] {
  const steps: Step[] = [[]]
  let room = PIECE_BYTES
  for (const [part, content] of partsOf(record)) {
    let piece = 0
    let offset = 0
    do {
      if (room === 0) {
        steps.push([])
        room = PIECE_BYTES
      }
      const next = content.subarray(offset, offset + room)
      steps.at(-1)?.push({ part, piece: piece++, content: next })
      offset += next.length
      room -= next.length
    } while (offset < content.length)
  }
  return steps
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
