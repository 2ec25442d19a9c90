import { createHash } from 'node:crypto'
import { equalBytes } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import type { Commitments, EpochRecord, MaterialChunk, MaterialRecords } from '../preprocessing/types.ts'
import type { NodeId } from '../transport/types.ts'
import type { Database } from './database.ts'
import type { Migration } from './types.ts'

/** The database of preprocessed material: a file of its own, because it grows and shrinks by gigabytes. */
export const MATERIAL_MIGRATIONS: readonly Migration[] = [
  {
    name: 'epochs, chunks, marks',
    sql: `
      CREATE TABLE epochs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        parties TEXT NOT NULL,
        party INTEGER NOT NULL,
        mac_key BLOB NOT NULL,
        destroyed TEXT
      ) STRICT;

      CREATE TABLE chunks (
        epoch TEXT NOT NULL REFERENCES epochs (id),
        lane TEXT NOT NULL,
        start INTEGER NOT NULL,
        count INTEGER NOT NULL,
        width INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (epoch, lane, start)
      ) STRICT;

      CREATE TABLE lanes (
        epoch TEXT NOT NULL REFERENCES epochs (id),
        lane TEXT NOT NULL,
        mark INTEGER NOT NULL,
        finish INTEGER NOT NULL,
        job TEXT,
        PRIMARY KEY (epoch, lane)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: 'MAC checks under way',
    sql: 'ALTER TABLE epochs ADD COLUMN checking INTEGER NOT NULL DEFAULT 0',
  },
  {
    // SHA-256 of what was committed to and of the commitments, then masks and points of each share.
    name: 'commitments made ahead',
    sql: `
      ALTER TABLE chunks ADD COLUMN commitments BLOB;
      CREATE INDEX committed ON chunks (epoch, lane, count) WHERE commitments IS NOT NULL;
      CREATE INDEX uncommitted ON chunks (epoch, lane, start) WHERE commitments IS NULL;
    `,
  },
]

const DIGEST_BYTES = 32
const MASK_BYTES = 32
const POINT_BYTES = 64

/** What is deleted is overwritten in the file (see `openDatabase`): used and destroyed material is not found there. */
export class SqliteMaterialRecords implements MaterialRecords {
  readonly #db: Database

  /** Erases what a process that ended had claimed and not taken. */
  constructor(db: Database) {
    this.#db = db
    db.prepare(
      `DELETE FROM chunks WHERE start < (SELECT mark FROM lanes l WHERE l.epoch = chunks.epoch AND l.lane = chunks.lane)`,
    ).run()
  }

  epochs(): readonly EpochRecord[] {
    return this.#db
      .prepare('SELECT id, parties, party, mac_key, checking, destroyed FROM epochs ORDER BY seq')
      .all()
      .map((row) => ({
        id: String(row.id),
        parties: JSON.parse(String(row.parties)) as NodeId[],
        index: Number(row.party),
        macKey: row.mac_key as Uint8Array,
        checking: row.checking === 1,
        ...(row.destroyed === null ? {} : { destroyed: String(row.destroyed) }),
      }))
  }

  addEpoch({ id, parties, index, macKey }: EpochRecord): void {
    const { changes } = this.#db
      .prepare('INSERT INTO epochs (id, parties, party, mac_key) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
      .run(id, JSON.stringify(parties), index, macKey)
    if (changes === 0) throw new EnigmaError('MATERIAL_USED', `epoch ${id} exists already`)
  }

  checking(epochId: string, underWay: boolean): void {
    const write = () =>
      this.#db.prepare('UPDATE epochs SET checking = ? WHERE id = ?').run(Number(underWay), epochId)
    if (underWay) write()
    else this.#db.lazily(write)
  }

  destroy(epochId: string, reason: string): void {
    this.#db.transaction(() => {
      this.#db
        .prepare('UPDATE epochs SET mac_key = ?, destroyed = ? WHERE id = ? AND destroyed IS NULL')
        .run(new Uint8Array(), reason, epochId)
      this.#db.prepare('DELETE FROM chunks WHERE epoch = ?').run(epochId)
    })
  }

  end(epochId: string, lane: string): number {
    return this.#lane(epochId, lane).finish
  }

  mark(epochId: string, lane: string): number {
    return this.#lane(epochId, lane).mark
  }

  committed(epochId: string, lane: string): number {
    const row = this.#db
      .prepare(
        'SELECT sum(count) AS items FROM chunks WHERE epoch = ? AND lane = ? AND commitments IS NOT NULL',
      )
      .get(epochId, lane)
    return Number(row?.items ?? 0)
  }

  uncommitted(epochId: string, lane: string, below: number): MaterialChunk | undefined {
    const row = this.#db
      .prepare(
        `SELECT start, count, width, data FROM chunks
         WHERE epoch = ? AND lane = ? AND start < ? AND commitments IS NULL ORDER BY start LIMIT 1`,
      )
      .get(epochId, lane, below)
    return row && toChunk(row)
  }

  commit(epochId: string, lane: string, chunk: MaterialChunk, commitments: Commitments): boolean {
    const { changes } = this.#db
      .prepare(
        `UPDATE chunks SET commitments = ?
         WHERE epoch = ? AND lane = ? AND start = ? AND count = ? AND commitments IS NULL`,
      )
      .run(encodeCommitments(chunk.components, commitments), epochId, lane, chunk.start, chunk.count)
    return changes > 0
  }

  append(epochId: string, lane: string, chunk: MaterialChunk): void {
    const { start, count } = chunk
    this.#db.transaction(() => {
      if (this.#lane(epochId, lane).finish !== start)
        throw new EnigmaError('INTERNAL', `${lane}: material is appended at the end`)
      this.#insert(epochId, lane, chunk)
      this.#db
        .prepare(
          `INSERT INTO lanes (epoch, lane, mark, finish) VALUES (?, ?, 0, ?)
           ON CONFLICT (epoch, lane) DO UPDATE SET finish = excluded.finish`,
        )
        .run(epochId, lane, start + count)
    })
  }

  claim(
    epochId: string,
    jobId: string,
    ranges: readonly { readonly lane: string; readonly from: number; readonly count: number }[],
  ): void {
    this.#db.transaction(() => {
      for (const { lane, from, count } of ranges) {
        const { mark, finish } = this.#lane(epochId, lane)
        const end = from + count
        if (from < mark)
          throw new EnigmaError(
            'MATERIAL_USED',
            `${lane}: items from ${from} on were claimed before (up to ${mark})`,
          )
        if (end > finish)
          throw new EnigmaError('MATERIAL_EXHAUSTED', `${lane}: ${finish - from} of ${count} items are there`)
        this.#split(epochId, lane, from)
        this.#split(epochId, lane, end)
        this.#db
          .prepare('DELETE FROM chunks WHERE epoch = ? AND lane = ? AND start >= ? AND start < ?')
          .run(epochId, lane, mark, from)
        this.#db
          .prepare('UPDATE lanes SET mark = ?, job = ? WHERE epoch = ? AND lane = ?')
          .run(end, jobId, epochId, lane)
      }
    })
  }

  take(epochId: string, lane: string, from: number, to: number): MaterialChunk | undefined {
    const row = this.#db
      .prepare(
        `SELECT start, count, width, data, commitments FROM chunks
         WHERE epoch = ? AND lane = ? AND start >= ? AND start < ? ORDER BY start LIMIT 1`,
      )
      .get(epochId, lane, from, to)
    if (row === undefined) return undefined
    // The mark is on the disk already.
    this.#db.lazily(() => this.#delete(epochId, lane, Number(row.start)))
    return toChunk(row)
  }

  /** Makes a chunk begin at item `at`, if it is there. */
  #split(epochId: string, lane: string, at: number): void {
    const row = this.#db
      .prepare(
        `SELECT start, count, width, data, commitments FROM chunks
         WHERE epoch = ? AND lane = ? AND start < ? AND start + count > ?`,
      )
      .get(epochId, lane, at, at)
    if (row === undefined) return
    const chunk = toChunk(row)
    this.#delete(epochId, lane, chunk.start)
    this.#insert(epochId, lane, part(chunk, chunk.start, at))
    this.#insert(epochId, lane, part(chunk, at, chunk.start + chunk.count))
  }

  #delete(epochId: string, lane: string, start: number): void {
    this.#db
      .prepare('DELETE FROM chunks WHERE epoch = ? AND lane = ? AND start = ?')
      .run(epochId, lane, start)
  }

  #lane(epochId: string, lane: string): { mark: number; finish: number } {
    const row = this.#db
      .prepare('SELECT mark, finish FROM lanes WHERE epoch = ? AND lane = ?')
      .get(epochId, lane)
    return { mark: Number(row?.mark ?? 0), finish: Number(row?.finish ?? 0) }
  }

  #insert(epochId: string, lane: string, chunk: MaterialChunk): void {
    const { start, count, components, commitments } = chunk
    const width = (components[0]?.length ?? 0) / count
    const encoded = commitments === undefined ? null : encodeCommitments(components, commitments)
    this.#db
      .prepare(
        'INSERT INTO chunks (epoch, lane, start, count, width, data, commitments) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(epochId, lane, start, count, width, Buffer.concat(components), encoded)
  }
}

function toChunk(row: Record<string, unknown>): MaterialChunk {
  const count = Number(row.count)
  const size = count * Number(row.width)
  const data = row.data as Uint8Array
  const components = parts(data, size)
  const commitments = decodeCommitments(row.commitments as Uint8Array | null | undefined, data, count)
  return { start: Number(row.start), count, components, ...(commitments && { commitments }) }
}

function parts(data: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: data.length / size }, (_, k) => data.subarray(k * size, (k + 1) * size))
}

function digestOf(...all: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const bytes of all) hash.update(bytes)
  return hash.digest()
}

function encodeCommitments(components: readonly Uint8Array[], { masks, points }: Commitments): Buffer {
  const vectors = [...masks, ...points]
  return Buffer.concat([digestOf(...components, ...vectors), ...vectors])
}

/**
 * Undefined when share, mask or point is not what it was: to open another share than the one committed to is to cheat, so a
 * damaged disk must not make it look like that.
 */
function decodeCommitments(
  bytes: Uint8Array | null | undefined,
  data: Uint8Array,
  count: number,
): Commitments | undefined {
  if (bytes === null || bytes === undefined) return undefined
  const vectors = bytes.subarray(DIGEST_BYTES)
  if (!equalBytes(bytes.subarray(0, DIGEST_BYTES), digestOf(data, vectors))) return undefined
  const shares = vectors.length / (count * (MASK_BYTES + POINT_BYTES))
  const points = shares * count * MASK_BYTES
  return {
    masks: parts(vectors.subarray(0, points), count * MASK_BYTES),
    points: parts(vectors.subarray(points), count * POINT_BYTES),
  }
}

/** Items [from, to) of a chunk, by their numbers. */
function part(chunk: MaterialChunk, from: number, to: number): MaterialChunk {
  const { start, count, commitments } = chunk
  const cut = (vectors: readonly Uint8Array[]) =>
    vectors.map((bytes) => {
      const width = bytes.length / count
      return bytes.slice((from - start) * width, (to - start) * width)
    })
  return {
    start: from,
    count: to - from,
    components: cut(chunk.components),
    ...(commitments && {
      commitments: { masks: cut(commitments.masks), points: cut(commitments.points) },
    }),
  }
}
