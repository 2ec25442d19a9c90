import { type Clock, systemClock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import { MiB } from '../base/units.ts'
import type { Database } from './database.ts'
import type { JobRow, JobState, JobStore } from './types.ts'

const MAX_DATA = 1 * MiB
const OVER = `('done', 'failed', 'cancelled')`

export class SqliteJobStore implements JobStore {
  readonly #db: Database
  readonly #clock: Clock

  constructor(db: Database, clock: Clock = systemClock) {
    this.#db = db
    this.#clock = clock
  }

  create(job: Omit<JobRow, 'created' | 'updated'>): JobRow {
    const now = this.#clock.now()
    const { changes } = this.#db
      .prepare(
        `INSERT INTO jobs (id, kind, state, data, created, updated) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO NOTHING`,
      )
      .run(job.id, job.kind, job.state, json(job.data), now, now)
    if (changes === 0) throw new EnigmaError('INVALID_ARGUMENT', `job ${job.id} exists already`)
    return { ...job, created: now, updated: now }
  }

  get(id: string): JobRow | undefined {
    const row = this.#db.prepare('SELECT * FROM jobs WHERE id = ?').get(id)
    return row && toJob(row)
  }

  update(
    id: string,
    change: { state?: JobState; data?: unknown },
    from?: readonly JobState[],
  ): JobRow | undefined {
    return this.#db.transaction(() => {
      const job = this.get(id)
      if (!job) throw new EnigmaError('NOT_FOUND', `there is no job ${id}`)
      if (from && !from.includes(job.state)) return undefined
      const next: JobRow = {
        ...job,
        state: change.state ?? job.state,
        data: 'data' in change ? change.data : job.data,
        updated: this.#clock.now(),
      }
      this.#db
        .prepare('UPDATE jobs SET state = ?, data = ?, updated = ? WHERE id = ?')
        .run(next.state, json(next.data), next.updated, id)
      return next
    })
  }

  list(filter: { kind?: string; states?: readonly JobState[]; limit?: number } = {}): JobRow[] {
    const states = filter.states ?? []
    const where = [
      ...(filter.kind === undefined ? [] : ['kind = ?']),
      ...(states.length === 0 ? [] : [`state IN (${states.map(() => '?').join(', ')})`]),
    ]
    const values = [...(filter.kind === undefined ? [] : [filter.kind]), ...states]
    return this.#db
      .prepare(
        `SELECT * FROM jobs ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
         ORDER BY created DESC, rowid DESC LIMIT ?`,
      )
      .all(...values, filter.limit ?? 1000)
      .map(toJob)
  }

  unfinished(kind?: string): JobRow[] {
    return this.#db
      .prepare(
        `SELECT * FROM jobs WHERE state NOT IN ${OVER} AND kind = ifnull(?, kind) ORDER BY created, rowid`,
      )
      .all(kind ?? null)
      .map(toJob)
  }

  delete(id: string): boolean {
    return this.#db.prepare('DELETE FROM jobs WHERE id = ?').run(id).changes > 0
  }
}

function json(data: unknown): string {
  const text = JSON.stringify(data ?? null)
  if (text.length > MAX_DATA)
    throw new EnigmaError('INVALID_ARGUMENT', `a job's data exceed ${MAX_DATA} characters`)
  return text
}

function toJob(row: Record<string, unknown>): JobRow {
  return {
    id: String(row.id),
    kind: String(row.kind),
    state: String(row.state) as JobState,
    data: JSON.parse(String(row.data)),
    created: Number(row.created),
    updated: Number(row.updated),
  }
}
