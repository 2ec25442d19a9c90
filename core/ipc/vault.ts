import * as z from 'zod'
import { address, decimal, hash, id, label, nothing, password, time } from './common.ts'
import { method } from './method.ts'

export const recordType = z.enum(['number', 'text', 'table', 'file', 'timeseries'])

const number = z.object({ type: z.literal('number'), value: decimal, unit: z.string().max(40).optional() })
const text = z.object({ type: z.literal('text'), value: z.string().max(1_000_000) })
const table = z.object({
  type: z.literal('table'),
  columns: z
    .array(z.object({ name: z.string().min(1).max(200), kind: z.enum(['number', 'text', 'date']) }))
    .min(1)
    .max(200),
  rows: z.array(z.array(z.string().max(10_000))),
})
const timeseries = z.object({
  type: z.literal('timeseries'),
  unit: z.string().max(40).optional(),
  points: z.array(z.object({ at: time, value: decimal })),
})

/** Cells of a table, or points, in one call; longer ones are imported as a file. */
export const MAX_CELLS = 20_000
const SHORT = `at most ${MAX_CELLS} cells or points in a call; import a file instead`

/** What a person enters. */
const newValue = z.discriminatedUnion('type', [
  number,
  text,
  table.refine(({ columns, rows }) => rows.length * columns.length <= MAX_CELLS, SHORT),
  timeseries.refine(({ points }) => points.length <= MAX_CELLS, SHORT),
])

/** What is in the vault. Of long tables and series the beginning: `data.part` gives the others, up to `total`. */
export const recordValue = z.discriminatedUnion('type', [
  number,
  text,
  table.extend({ total: z.int() }),
  timeseries.extend({ total: z.int() }),
  z.object({
    type: z.literal('file'),
    fileName: z.string().min(1).max(255),
    mediaType: z.string().max(200),
    bytes: z.int().nonnegative(),
    digest: hash,
  }),
])

const holder = z.object({ index: z.int().positive(), nodeId: address, healthy: z.boolean() })

export const shareInfo = z.object({
  ref: hash,
  recordId: id,
  title: z.string(),
  /** The column or field that was shared, if the record has several. */
  column: z.string().optional(),
  identity: address,
  predicateId: hash,
  n: z.int(),
  t: z.int(),
  /** Values in the shared vector. */
  length: z.int(),
  holders: z.array(holder),
  state: z.enum(['active', 'revoked']),
  createdAt: time,
})

export const recordSummary = z.object({
  id,
  title: z.string(),
  type: recordType,
  tags: z.array(z.string()),
  createdAt: time,
  updatedAt: time,
  preview: z.string(),
  rows: z.int().optional(),
  bytes: z.int().optional(),
  removedAt: time.optional(),
  /** Shares that are active, and the worst health among them. */
  shared: z.int(),
  holdersHealthy: z.int(),
  holdersTotal: z.int(),
  threshold: z.int(),
})

const importSource = z.object({
  format: z.enum(['csv', 'json']),
  fileName: z.string().max(255),
  upload: id,
})

export const cellError = z.object({
  row: z.int(),
  column: z.string(),
  excerpt: z.string(),
  problem: z.string(),
  remedy: z.string(),
})

export const vaultMethods = {
  'vault.status': method(
    nothing,
    z.object({
      state: z.enum(['missing', 'locked', 'unlocked']),
      account: address.optional(),
      publicKey: z.string().optional(),
      createdAt: time.optional(),
      lastExportAt: time.optional(),
      lastRehearsalAt: time.optional(),
      /** Seconds until the next attempt to unlock is accepted. */
      backoffSeconds: z.number().optional(),
    }),
  ),
  /** Returns the 24 words, once. */
  'vault.create': method(
    z.strictObject({ password }),
    z.object({ phrase: z.array(z.string()).length(24), account: address }),
  ),
  'vault.unlock': method(z.strictObject({ password }), z.object({ account: address })),
  'vault.lock': method(nothing, nothing),
  'vault.changePassword': method(z.strictObject({ current: password, next: password }), nothing),
  'vault.restore': method(
    z.strictObject({ phrase: z.string().max(400), password }),
    /** `pending`: the network has not given the backup yet; it is asked again until it does. */
    z.object({ account: address, references: z.int(), pending: z.boolean() }),
  ),
  'vault.rehearse': method(
    z.strictObject({ phrase: z.string().max(400) }),
    z.object({ matches: z.boolean(), account: address }),
  ),
  /** Writes an encrypted export; `path` only from a local client. Confirmed by the host. */
  'vault.export': method(
    z.strictObject({ password, path: z.string().max(4096).optional() }),
    z.object({ path: z.string(), bytes: z.int(), records: z.int() }),
    'export',
  ),
  'vault.import': method(
    z.strictObject({
      password,
      path: z.string().max(4096).optional(),
      upload: id.optional(),
    }),
    z.object({ added: z.int(), updated: z.int(), skipped: z.int() }),
  ),

  'data.list': method(
    z.strictObject({
      query: z.string().max(500).optional(),
      type: recordType.optional(),
      tag: z.string().max(100).optional(),
      removed: z.boolean().optional(),
    }),
    z.object({ records: z.array(recordSummary) }),
  ),
  'data.get': method(
    z.strictObject({ id }),
    z.object({
      record: recordSummary,
      value: recordValue,
      history: z.array(z.object({ version: z.int(), at: time, preview: z.string() })),
      shares: z.array(shareInfo),
    }),
  ),
  /** What comes after `from` rows or points. */
  'data.part': method(
    z.strictObject({ id, from: z.int().nonnegative() }),
    z.object({ rows: table.shape.rows.optional(), points: timeseries.shape.points.optional() }),
  ),
  'data.add': method(
    z.strictObject({
      title: label,
      tags: z.array(z.string().min(1).max(100)).max(50).optional(),
      value: newValue,
    }),
    z.object({ id }),
  ),
  'data.update': method(
    z.strictObject({
      id,
      title: label.optional(),
      tags: z.array(z.string().min(1).max(100)).max(50).optional(),
      value: newValue.optional(),
    }),
    nothing,
  ),
  /** To the trash, from where `data.undelete` brings it back; `purge` deletes for good. */
  'data.remove': method(z.strictObject({ id, purge: z.boolean().optional() }), nothing),
  'data.undelete': method(z.strictObject({ id }), nothing),
  'data.restoreVersion': method(z.strictObject({ id, version: z.int() }), nothing),
  /** A piece of a file (base64), for the calls that name an `upload`; the first one begins it. Gone when the vault locks. */
  'data.upload': method(
    z.strictObject({ upload: id.optional(), content: z.string().max(1.5 * 1024 * 1024) }),
    z.object({ upload: id, bytes: z.int() }),
  ),
  'data.previewImport': method(
    importSource,
    z.object({
      columns: z.array(z.object({ name: z.string(), kind: z.enum(['number', 'text', 'date']) })),
      rows: z.int(),
      sample: z.array(z.array(z.string())),
      errors: z.array(cellError),
      errorCount: z.int(),
    }),
  ),
  'data.import': method(
    importSource.extend({
      title: label,
      tags: z.array(z.string()).max(50).optional(),
      skipInvalid: z.boolean().optional(),
    }),
    z.object({ id, rows: z.int(), skipped: z.int() }),
  ),
  /** An `upload`, or a `path` from a local client. */
  'data.addFile': method(
    z.strictObject({
      title: label,
      fileName: z.string().min(1).max(255),
      mediaType: z.string().max(200).optional(),
      tags: z.array(z.string()).max(50).optional(),
      upload: id.optional(),
      path: z.string().max(4096).optional(),
    }),
    z.object({ id }),
  ),
  /** Writes the decrypted file into the export folder. Confirmed by the host. */
  'data.saveFile': method(
    z.strictObject({ id, path: z.string().max(4096).optional() }),
    z.object({ path: z.string(), bytes: z.int() }),
    'export',
  ),

  'activity.list': method(
    z.strictObject({
      kinds: z.array(z.string().max(60)).max(50).optional(),
      from: time.optional(),
      to: time.optional(),
      query: z.string().max(200).optional(),
      limit: z.int().min(1).max(1000).optional(),
      before: z.int().optional(),
    }),
    z.object({
      entries: z.array(
        z.object({
          seq: z.int(),
          at: time,
          kind: z.string(),
          facts: z.record(z.string(), z.string()),
          hash,
        }),
      ),
      total: z.int(),
    }),
  ),
  'activity.verify': method(
    nothing,
    z.object({ valid: z.boolean(), entries: z.int(), head: z.string(), problem: z.string().optional() }),
  ),
  'activity.export': method(
    z.strictObject({ path: z.string().max(4096).optional() }),
    z.object({ path: z.string(), entries: z.int() }),
    'export',
  ),
} as const

export type RecordValue = z.infer<typeof recordValue>
export type NewValue = z.infer<typeof newValue>
export type RecordSummary = z.infer<typeof recordSummary>
export type ShareInfo = z.infer<typeof shareInfo>
export type CellError = z.infer<typeof cellError>
