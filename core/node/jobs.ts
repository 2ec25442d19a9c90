import { systemClock } from '../base/clock.ts'
import { EnigmaError, type ErrorObject, hasCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { randomBytes } from '../base/random.ts'
import { minute, second } from '../base/units.ts'
import type { Job } from '../ipc/index.ts'
import type { JobRow, JobStore } from '../storage/types.ts'
import type { Events } from './events.ts'

const CHAIN_RETRY_MS = 1 * second
const CHAIN_PATIENCE_MS = 10 * minute

/** A job's row: what the interface shows, and what its handler needs to go on after a restart (never a secret). */
interface JobData {
  title: string
  phase: string
  progress: number
  state: Record<string, unknown>
  error?: ErrorObject
  result?: Record<string, string>
}

export interface JobHandle<S> {
  readonly id: string
  readonly title: string
  readonly signal: AbortSignal
  /** The last durable state. */
  readonly state: S
  /** A new phase or a `patch`, merged into the state, is durable when it returns; mere progress is only shown. */
  update(phase: string, progress: number, patch?: Partial<S>): void
  /** From here on the job can no longer be cancelled (something irrevocable is under way). */
  commit(): void
  /** Whether the signal was aborted by the owner, not by the node's stop. */
  cancelled(): boolean
}

interface Running {
  abort: AbortController
  committed: boolean
  progress: number
  done: Promise<void>
}

export type JobHandler<S> = (job: JobHandle<S>) => Promise<Record<string, string>>

/** Long-running work as rows with a state machine: resumable after a crash, observable, cancellable. */
export class JobRunner {
  readonly #store: JobStore
  readonly #events: Events
  readonly #log: Log
  readonly #handlers = new Map<string, JobHandler<never>>()
  readonly #running = new Map<string, Running>()
  readonly #cancelled = new Set<string>()
  #stopping = false

  constructor(modules: { store: JobStore; events: Events; log: Log }) {
    this.#store = modules.store
    this.#events = modules.events
    this.#log = modules.log
  }

  /** The handler is called again with the last durable state after a restart, so each step must be repeatable. */
  register<S extends object>(kind: Job['kind'], handler: JobHandler<S>): void {
    this.#handlers.set(kind, handler as JobHandler<never>)
  }

  start<S extends object>(kind: Job['kind'], title: string, state: S): string {
    const id = Buffer.from(randomBytes(12)).toString('hex')
    const data: JobData = { title, phase: 'queued', progress: 0, state: state as Record<string, unknown> }
    this.#run(this.#store.create({ id, kind, state: 'running', data }))
    return id
  }

  /** Continues what a restart or a locked vault interrupted. */
  resume(): void {
    this.#stopping = false
    for (const row of this.#store.unfinished()) {
      if (!this.#running.has(row.id) && this.#handlers.has(row.kind)) this.#run(row)
    }
  }

  get(id: string): Job {
    const row = this.#store.get(id)
    if (row === undefined) throw new EnigmaError('NOT_FOUND', `no job ${id}`)
    return this.#live(row)
  }

  /** The id of a job of this kind whose state satisfies the predicate, the newest first. */
  find<S>(kind: Job['kind'], matches: (state: S) => boolean): string | undefined {
    return this.#store.list({ kind }).find((row) => matches((row.data as JobData).state as S))?.id
  }

  list(): Job[] {
    return this.#store.list({ limit: 200 }).map((row) => this.#live(row))
  }

  /** Resolves with the finished job; rejects with the job's own error. */
  async finished(id: string): Promise<Job> {
    await this.#running.get(id)?.done
    return this.get(id)
  }

  cancel(id: string): Job {
    const row = this.#store.get(id)
    if (row === undefined) throw new EnigmaError('NOT_FOUND', `no job ${id}`)
    const running = this.#running.get(id)
    if (running?.committed)
      throw new EnigmaError('INVALID_ARGUMENT', 'this job has passed the point where it can be cancelled', {
        remedy: 'Wait until it ends, then undo it (revoke what was shared).',
      })
    if (running === undefined) {
      const data = row.data as JobData
      this.#save(row.id, 'cancelled', { ...ended(data), phase: 'cancelled' }, [
        'queued',
        'running',
        'waiting',
      ])
    } else {
      this.#cancelled.add(id)
      running.abort.abort()
    }
    return this.get(id)
  }

  /** Interrupts without ending the jobs: they continue at the next start. */
  async stop(): Promise<void> {
    this.#stopping = true
    const all = [...this.#running.values()]
    for (const job of all) job.abort.abort()
    await Promise.allSettled(all.map((job) => job.done))
  }

  #live(row: JobRow): Job {
    const job = toJob(row)
    const running = this.#running.get(row.id)
    return running === undefined || job.state !== 'running'
      ? job
      : { ...job, progress: Math.max(job.progress, running.progress) }
  }

  #run(row: JobRow): void {
    const abort = new AbortController()
    const entry: Running = { abort, committed: false, progress: 0, done: Promise.resolve() }
    entry.done = this.#execute(row, entry).finally(() => this.#running.delete(row.id))
    this.#running.set(row.id, entry)
  }

  async #execute(row: JobRow, entry: Running): Promise<void> {
    let data = row.data as JobData
    const handler = this.#handlers.get(row.kind)
    const save = (state: JobRow['state'], next: JobData) => {
      data = next
      this.#save(row.id, state, data)
    }
    const handle: JobHandle<Record<string, unknown>> = {
      id: row.id,
      title: data.title,
      signal: entry.abort.signal,
      get state() {
        return data.state
      },
      update: (phase, progress, patch) => {
        const durable = patch !== undefined || phase !== data.phase
        data = { ...data, phase, progress, state: { ...data.state, ...patch } }
        entry.progress = progress
        if (durable) save('running', data)
        else this.#events.emit({ type: 'job', id: row.id })
      },
      commit: () => {
        entry.committed = true
      },
      cancelled: () => this.#cancelled.has(row.id),
    }
    try {
      if (handler === undefined) throw new EnigmaError('UNSUPPORTED', `no handler for ${row.kind} jobs`)
      save('running', data)
      const result = await patiently(handle, handler as JobHandler<Record<string, unknown>>)
      save('done', { ...ended(data), phase: 'done', progress: 1, result })
    } catch (thrown) {
      const error = EnigmaError.from(thrown)
      if (this.#cancelled.delete(row.id)) save('cancelled', { ...ended(data), phase: 'cancelled' })
      else if (this.#stopping) return
      else if (hasCode(error, 'VAULT_LOCKED')) save('waiting', { ...data, phase: 'unlock' })
      else {
        this.#log.warn('job failed', { job: row.id, kind: row.kind, code: error.code, reason: error.message })
        save('failed', { ...ended(data), error: error.toObject() })
      }
    }
  }

  #save(id: string, state: JobRow['state'], data: JobData, from?: JobRow['state'][]): void {
    this.#store.update(id, { state, data }, from)
    this.#events.emit({ type: 'job', id })
  }
}

/** What is kept of a job that is over: its lists, which can be long, only served to go on. */
function ended(data: JobData): JobData {
  const state = Object.fromEntries(Object.entries(data.state).filter(([, part]) => typeof part !== 'object'))
  return { ...data, state }
}

/** A chain that is away, or came back some blocks earlier, delays a job: its steps are repeatable. */
async function patiently(
  handle: JobHandle<Record<string, unknown>>,
  handler: JobHandler<Record<string, unknown>>,
): Promise<Record<string, string>> {
  const until = Date.now() + CHAIN_PATIENCE_MS
  for (;;) {
    try {
      return await handler(handle)
    } catch (error) {
      if (!hasCode(error, 'LEDGER_UNREACHABLE', 'LEDGER_REORG') || Date.now() > until) throw error
    }
    await systemClock.sleep(CHAIN_RETRY_MS, handle.signal)
  }
}

function toJob(row: JobRow): Job {
  const data = row.data as JobData
  return {
    id: row.id,
    kind: row.kind as Job['kind'],
    state: row.state === 'queued' ? 'running' : row.state,
    phase: data.phase,
    progress: data.progress,
    title: data.title,
    startedAt: row.created,
    updatedAt: row.updated,
    ...(data.error === undefined ? {} : { error: data.error }),
    ...(data.result === undefined ? {} : { result: data.result }),
  }
}
