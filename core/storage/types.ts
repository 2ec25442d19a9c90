/** One step of a schema. Runs once, in a transaction, in the order of the list; its number is its position + 1. */
export interface Migration {
  name: string
  sql: string
}

export type JobState = 'queued' | 'running' | 'waiting' | 'done' | 'failed' | 'cancelled'

/** Long-running work as a row: resumable after a crash, observable, cancellable. */
export interface JobRow {
  id: string
  /** 'share', 'compute', 'declassify', … */
  kind: string
  state: JobState
  /** The kind's own JSON, at most 1 MiB. */
  data: unknown
  /** Milliseconds since the epoch. */
  created: number
  updated: number
}

export interface JobStore {
  /** Throws INVALID_ARGUMENT if the id exists. */
  create(job: Omit<JobRow, 'created' | 'updated'>): JobRow
  get(id: string): JobRow | undefined
  /** Changes state and data; throws NOT_FOUND. With `from`, only if the present state is among them, else returns undefined. */
  update(
    id: string,
    change: { state?: JobState; data?: unknown },
    from?: readonly JobState[],
  ): JobRow | undefined
  /** Newest first. */
  list(filter?: { kind?: string; states?: readonly JobState[]; limit?: number }): JobRow[]
  /** Jobs that are neither done, failed nor cancelled, oldest first: what a restart resumes. */
  unfinished(kind?: string): JobRow[]
  delete(id: string): boolean
}

/** JSON values by key. */
export interface SettingsStore {
  get(key: string): unknown
  set(key: string, value: unknown): void
  delete(key: string): boolean
  all(): Record<string, unknown>
}

/** Binary values by namespace and key: small durable state of any folder. */
export interface KeyValueStore {
  get(namespace: string, key: string): Uint8Array | undefined
  set(namespace: string, key: string, value: Uint8Array): void
  /** Sets only if absent; false otherwise. For use-once records. */
  add(namespace: string, key: string, value: Uint8Array): boolean
  delete(namespace: string, key: string): boolean
  /** Entries in key order, from the first key > `after`. */
  list(namespace: string, after?: string, limit?: number): { key: string; value: Uint8Array }[]
}

/** Bytes and records a node grants. */
export interface Quotas {
  totalBytes: number
  ownerBytes: number
  ownerRecords: number
}
