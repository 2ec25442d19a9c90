import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { MATERIAL_FILE } from '../../core/node/preprocessing.ts'
import type { Amounts, MaterialKind } from '../../core/preprocessing/types.ts'
import { openDatabase } from '../../core/storage/database.ts'
import { MATERIAL_MIGRATIONS } from '../../core/storage/material.ts'

/** One durable move of a mark of a consume-once store, in the order in which they happened. */
interface Claim {
  readonly epoch: string
  readonly lane: string
  readonly before: number
  readonly mark: number
  readonly job: string
}

export interface MaterialState {
  readonly claims: readonly Claim[]
  /** Committees of the epochs, newest last. */
  readonly epochs: readonly {
    readonly id: string
    readonly parties: readonly string[]
    readonly items: number
  }[]
}

/**
 * Has the database note every claim in the transaction that makes it: nothing a node consumes goes unseen. Makes the database, if
 * the node has not computed yet.
 */
export function recordClaims(dataDir: string): void {
  const path = join(dataDir, MATERIAL_FILE)
  if (!existsSync(path)) openDatabase(path, MATERIAL_MIGRATIONS).close()
  const db = new Sqlite(path, { timeout: 5000 })
  try {
    db.exec(`
      CREATE TABLE claims (seq INTEGER PRIMARY KEY, epoch TEXT, lane TEXT, before INTEGER, mark INTEGER, job TEXT);
      CREATE TRIGGER record_claims AFTER UPDATE OF mark ON lanes BEGIN
        INSERT INTO claims (epoch, lane, before, mark, job)
        VALUES (NEW.epoch, NEW.lane, OLD.mark, NEW.mark, NEW.job);
      END;
    `)
  } finally {
    db.close()
  }
}

/** Reads beside the running node. */
function read<T>(dataDir: string, work: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(join(dataDir, MATERIAL_FILE), { readonly: true, timeout: 5000 })
  try {
    return work(db)
  } finally {
    db.close()
  }
}

export function materialState(dataDir: string): MaterialState {
  return read(dataDir, (db) => ({
    claims: db.prepare('SELECT epoch, lane, before, mark, job FROM claims ORDER BY seq').all() as Claim[],
    epochs: (
      db
        .prepare(
          `SELECT id, parties, (SELECT COALESCE(SUM(finish), 0) FROM lanes WHERE epoch = id) AS items
           FROM epochs ORDER BY seq`,
        )
        .all() as { id: string; parties: string; items: number }[]
    ).map(({ parties, ...rest }) => ({ ...rest, parties: JSON.parse(parties) as string[] })),
  }))
}

/**
 * That no item was consumed twice: at a node marks only go up and nothing below them is left to hand out; over all nodes
 * ranges of one lane are the same range of the same job, or apart. Every job claims `amounts`. Throws on a violation.
 */
export function checkConsumption(dataDirs: readonly string[], amounts: Amounts): number {
  const ranges = new Map<string, { from: number; to: number; job: string }[]>()
  let seen = 0
  for (const dir of dataDirs) {
    const marks = new Map<string, number>()
    for (const { epoch, lane, before, mark, job } of materialState(dir).claims) {
      const key = `${epoch} ${lane}`
      const count = amounts[lane.split('/')[0] as MaterialKind] ?? 0
      const from = mark - count
      if (before !== (marks.get(key) ?? 0))
        throw new Error(`${dir}: the mark of ${key} went to ${before} unseen`)
      if (count === 0 || from < before)
        throw new Error(`${dir}: ${key}: items from ${from} on were consumed again (mark ${before})`)
      marks.set(key, mark)
      ranges.set(key, [...(ranges.get(key) ?? []), { from, to: mark, job }])
      seen += 1
    }
    const left = read(dir, (db) =>
      db.prepare('SELECT lane, start FROM chunks JOIN lanes USING (epoch, lane) WHERE start < mark').get(),
    )
    if (left !== undefined)
      throw new Error(`${dir}: consumed items are left to hand out: ${JSON.stringify(left)}`)
  }
  for (const [key, claimed] of ranges)
    for (const a of claimed)
      for (const b of claimed)
        if (a.from < b.to && b.from < a.to && (a.from !== b.from || a.job !== b.job))
          throw new Error(`${key}: items of job ${a.job} and of job ${b.job} overlap`)
  return seen
}
