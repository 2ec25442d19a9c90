import { EnigmaError } from '../base/errors.ts'
import type { EpochRecord, MaterialChunk, MaterialRecords } from '../preprocessing/types.ts'
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
]

/** What is deleted is overwritten in the file (see `openDatabase`): used and destroyed material is not found there. */
export class SqliteMaterialRecords implements MaterialRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
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

  append(epochId: string, lane: string, { start, count, components }: MaterialChunk): void {
    this.#db.transaction(() => {
      if (this.#lane(epochId, lane).finish !== start)
        throw new EnigmaError('INTERNAL', `${lane}: material is appended at the end`)
      this.#insert(epochId, lane, { start, count, components })
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
  ): ReadonlyMap<string, MaterialChunk[]> {
    return this.#db.transaction(
      () => new Map(ranges.map((range) => [range.lane, this.#take(epochId, jobId, range)])),
    )
  }

  #take(
    epochId: string,
    jobId: string,
    { lane, from, count }: { lane: string; from: number; count: number },
  ): MaterialChunk[] {
    const { mark, finish } = this.#lane(epochId, lane)
    const end = from + count
    if (from < mark)
      throw new EnigmaError(
        'MATERIAL_USED',
        `${lane}: items from ${from} on were claimed before (up to ${mark})`,
      )
    if (end > finish)
      throw new EnigmaError('MATERIAL_EXHAUSTED', `${lane}: ${finish - from} of ${count} items are there`)
    const rows = this.#db
      .prepare(
        `SELECT start, count, width, data FROM chunks
         WHERE epoch = ? AND lane = ? AND start < ? AND start + count > ? ORDER BY start`,
      )
      .all(epochId, lane, end, from)
    const taken: MaterialChunk[] = []
    for (const row of rows) {
      const chunk = toChunk(row)
      taken.push(part(chunk, Math.max(from, chunk.start), Math.min(end, chunk.start + chunk.count)))
    }
    const last = rows.at(-1)
    const rest = last && toChunk(last)
    this.#db.prepare('DELETE FROM chunks WHERE epoch = ? AND lane = ? AND start < ?').run(epochId, lane, end)
    if (rest !== undefined && rest.start + rest.count > end)
      this.#insert(epochId, lane, part(rest, end, rest.start + rest.count))
    this.#db
      .prepare('UPDATE lanes SET mark = ?, job = ? WHERE epoch = ? AND lane = ?')
      .run(end, jobId, epochId, lane)
    return taken
  }

  #lane(epochId: string, lane: string): { mark: number; finish: number } {
    const row = this.#db
      .prepare('SELECT mark, finish FROM lanes WHERE epoch = ? AND lane = ?')
      .get(epochId, lane)
    return { mark: Number(row?.mark ?? 0), finish: Number(row?.finish ?? 0) }
  }

  #insert(epochId: string, lane: string, { start, count, components }: MaterialChunk): void {
    const width = (components[0]?.length ?? 0) / count
    this.#db
      .prepare('INSERT INTO chunks (epoch, lane, start, count, width, data) VALUES (?, ?, ?, ?, ?, ?)')
      .run(epochId, lane, start, count, width, Buffer.concat(components))
  }
}

function toChunk(row: Record<string, unknown>): MaterialChunk {
  const count = Number(row.count)
  const size = count * Number(row.width)
  const data = row.data as Uint8Array
  return {
    start: Number(row.start),
    count,
    components: Array.from({ length: data.length / size }, (_, k) => data.subarray(k * size, (k + 1) * size)),
  }
}

/** Items [from, to) of a chunk, by their numbers. */
function part({ start, count, components }: MaterialChunk, from: number, to: number): MaterialChunk {
  return {
    start: from,
    count: to - from,
    components: components.map((bytes) => {
      const width = bytes.length / count
      return bytes.slice((from - start) * width, (to - start) * width)
    }),
  }
}
