import { z } from 'zod'
import { encodeInTurns } from '../base/cbor.ts'
import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import type { BlobRef } from './blobs.ts'
import { decodeInTurns } from './codec.ts'
import { STATE_FORMAT } from './constants.ts'
import type { NewRecordValue, PlainValue, RecordSummary, ShareEntry } from './types.ts'

/** Where a value is: in the vault file, or in a blob. A file's value is in its shape. */
export interface StoredContent {
  type: RecordSummary['type']
  shape: RecordSummary['shape']
  /** Absent from what format 1 stored. */
  preview?: string
  inline?: NewRecordValue
  blob?: BlobRef
}

export interface StoredVersion {
  version: number
  /** Milliseconds since the epoch, like every time in the state. */
  time: number
  title: string
  tags: string[]
  content: StoredContent
}

/** The current version, and the previous ones, oldest first. */
export interface StoredRecord extends StoredVersion {
  id: string
  created: number
  history: StoredVersion[]
  shares: ShareEntry[]
  deleted?: number
}

export interface StoredSetting {
  value: PlainValue
  updated: number
}

/** How long the activity log was, at least, when the vault was saved. */
export interface LogAnchor {
  count: number
  hash: Uint8Array
  bytes: number
}

/** What vault.enigma holds. Immutable: a change makes a new one, which takes effect when it is saved. */
export interface VaultState {
  id: Uint8Array
  created: number
  contentKey: Uint8Array
  entropy: Uint8Array
  records: ReadonlyMap<string, StoredRecord>
  settings: ReadonlyMap<string, StoredSetting>
  anchor: LogAnchor
  backup?: number
  rehearsed?: number
}

const bytes = (length?: number) =>
  z.custom<Uint8Array>((v) => v instanceof Uint8Array && (length === undefined || v.length === length))
const plain = z.custom<PlainValue>((v) => v !== undefined)
const time = z.int()
const blobSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  salt: bytes(16),
  size: z.int().min(0),
})
const columnSchema = z.strictObject({ name: z.string(), type: z.enum(['number', 'text', 'date', 'boolean']) })
const contentSchema = z
  .strictObject({
    type: z.enum(['number', 'text', 'table', 'file', 'timeseries']),
    shape: z.strictObject({
      rows: z.int().optional(),
      columns: z.array(columnSchema).optional(),
      bytes: z.int().optional(),
      name: z.string().optional(),
      mime: z.string().optional(),
      unit: z.string().optional(),
    }),
    preview: z.string().max(1000).optional(),
    inline: z.custom<NewRecordValue>((v) => typeof v === 'object' && v !== null).optional(),
    blob: blobSchema.optional(),
  })
  .refine((c) => (c.inline === undefined) !== (c.blob === undefined))
  .refine((c) => c.type !== 'file' || c.blob !== undefined)
  .refine((c) => c.inline === undefined || c.inline.type === c.type)
const version = {
  version: z.int().min(1),
  time,
  title: z.string(),
  tags: z.array(z.string()),
  content: contentSchema,
}
const recordSchema = z.strictObject({
  ...version,
  id: z.string().regex(/^[0-9a-f]{32}$/),
  created: time,
  history: z.array(z.strictObject(version)),
  shares: z.array(z.custom<ShareEntry>((v) => typeof (v as ShareEntry | null)?.id === 'string')),
  deleted: time.optional(),
})
const stateSchema = z.strictObject({
  format: z.literal(STATE_FORMAT),
  id: bytes(16),
  created: time,
  contentKey: bytes(32),
  entropy: bytes().refine((e) => e.length >= 16 && e.length <= 32),
  records: z.array(z.unknown()),
  settings: z.array(z.tuple([z.string(), plain, time])),
  anchor: z.strictObject({ count: z.int().min(0), hash: bytes(32), bytes: z.int().min(0) }),
  backup: time.optional(),
  rehearsed: time.optional(),
})

function corrupt(): EnigmaError {
  return new EnigmaError('VAULT_CORRUPT', 'the vault opened, but its content is malformed')
}

/** zod marks absent members `T | undefined`; what was parsed has none that is present and undefined. */
function exact<T>(value: unknown): T {
  return value as T
}

/** A record from outside this vault. Throws VAULT_CORRUPT. */
export function parseRecord(value: unknown): StoredRecord {
  const parsed = recordSchema.safeParse(value)
  if (!parsed.success) throw corrupt()
  return exact<StoredRecord>(parsed.data)
}

/** Canonical bytes; the caller wipes them once they are sealed. */
export function encodeState(state: VaultState): Promise<Uint8Array> {
  return encodeInTurns({
    ...state,
    format: STATE_FORMAT,
    records: [...state.records.values()],
    settings: [...state.settings].map(([key, { value, updated }]) => [key, value, updated]),
  })
}

/** From the format named by the key to the next one. Each stays for ever, so that every older vault opens. */
export type Migrations = Readonly<Record<number, (state: Record<string, unknown>) => Record<string, unknown>>>

const MIGRATIONS: Migrations = {
  // Contents have previews since.
  1: (state) => ({ ...state, format: 2 }),
}

/**
 * Throws VAULT_VERSION for a newer format, VAULT_CORRUPT for anything malformed. An older one is brought up to
 * date in memory; the file changes with the next save.
 */
export async function decodeState(
  encoded: Uint8Array,
  migrations: Migrations = MIGRATIONS,
): Promise<VaultState> {
  let value = (await decodeInTurns(encoded)) as Record<string, unknown>
  for (;;) {
    const format = typeof value === 'object' && value !== null ? value.format : undefined
    if (typeof format !== 'number') throw corrupt()
    if (format > STATE_FORMAT)
      throw new EnigmaError(
        'VAULT_VERSION',
        `the vault has format ${format}, this program knows ${STATE_FORMAT}`,
        {
          remedy: 'Update the program. The file was not touched.',
          details: { version: format, supported: STATE_FORMAT },
        },
      )
    if (format === STATE_FORMAT) break
    const migrate = migrations[format]
    if (migrate === undefined) throw corrupt()
    value = migrate(value)
    if (value.format !== format + 1) throw corrupt()
  }
  const parsed = stateSchema.safeParse(value)
  if (!parsed.success) throw corrupt()
  const { format: _, settings, ...rest } = parsed.data
  const records = new Map<string, StoredRecord>()
  for (const value of parsed.data.records) {
    await turn()
    const record = parseRecord(value)
    records.set(record.id, record)
  }
  return exact<VaultState>({
    ...rest,
    records,
    settings: new Map(settings.map(([key, setting, updated]) => [key, { value: setting, updated }])),
  })
}

/** Every blob that some version of some record needs. */
export function referencedBlobs(state: Pick<VaultState, 'records'>): Map<string, BlobRef> {
  const out = new Map<string, BlobRef>()
  for (const record of state.records.values())
    for (const { content } of [record, ...record.history])
      if (content.blob) out.set(content.blob.id, content.blob)
  return out
}

/** Points every reference to the same content at `ref`: its file may just have replaced a damaged one. */
export function adoptBlob(
  records: ReadonlyMap<string, StoredRecord>,
  ref: BlobRef,
): Map<string, StoredRecord> {
  const fix = <T extends StoredVersion>(v: T): T =>
    v.content.blob?.id === ref.id ? { ...v, content: { ...v.content, blob: ref } } : v
  return new Map(
    [...records].map(([id, record]) => [id, { ...fix(record), history: record.history.map((v) => fix(v)) }]),
  )
}
