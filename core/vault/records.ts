import { concatBytes, toHex } from '../base/bytes.ts'
import { encodeCanonical, encodeInTurns } from '../base/cbor.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import type { BlobRef, BlobStore } from './blobs.ts'
import { decodeInTurns } from './codec.ts'
import { INLINE_BYTES, LIMITS } from './constants.ts'
import {
  adoptBlob,
  type StoredContent,
  type StoredRecord,
  type StoredVersion,
  type VaultState,
} from './state.ts'
import type { NewRecordValue, RecordSummary, RecordValue, RecordVersion, ShareEntry } from './types.ts'
import { checkValue } from './values.ts'

const MAX_VALUE_BYTES = 512 * 1024 * 1024
const PREVIEW = 80

/** The first version of a record. */
export function newRecord(now: number, title: string, tags: string[], content: StoredContent): StoredRecord {
  const id = toHex(randomBytes(16)).slice(2)
  return { id, version: 1, time: now, created: now, title, tags, content, history: [], shares: [] }
}

/** Throws NOT_FOUND. */
export function findRecord(state: VaultState, id: string): StoredRecord {
  const record = state.records.get(id)
  if (record === undefined) throw new EnigmaError('NOT_FOUND', 'there is no such record')
  return record
}

/** A record that is not in the trash. Throws NOT_FOUND, INVALID_ARGUMENT. */
export function liveRecord(state: VaultState, id: string): StoredRecord {
  const record = findRecord(state, id)
  if (record.deleted !== undefined)
    throw new EnigmaError('INVALID_ARGUMENT', 'this record is in the trash', {
      remedy: 'Take it back first.',
    })
  return record
}

function shapeOf(value: NewRecordValue): RecordSummary['shape'] {
  switch (value.type) {
    case 'number':
      return value.unit === undefined ? {} : { unit: value.unit }
    case 'text':
      return { bytes: Buffer.byteLength(value.text) }
    case 'table':
      return { rows: value.rows.length, columns: value.columns }
    case 'timeseries':
      return { rows: value.times.length, ...(value.unit === undefined ? {} : { unit: value.unit }) }
  }
}

/** What a list shows of a value, at most 80 characters. */
export function previewOf(value: RecordValue): string {
  switch (value.type) {
    case 'number':
      return value.unit === undefined ? value.value : `${value.value} ${value.unit}`
    case 'text':
      return value.text.slice(0, PREVIEW).toWellFormed()
    case 'table':
      return value.columns
        .map((column) => column.name)
        .join(', ')
        .slice(0, PREVIEW)
        .toWellFormed()
    case 'timeseries':
      return value.values.slice(-3).join(', ')
    case 'file':
      return value.name
  }
}

/** What the record keeps of a value, with the bytes that go into a blob if they are too many to be kept there. */
export interface EncodedValue {
  content: StoredContent
  encoded?: Uint8Array
}

/** Throws INVALID_ARGUMENT. */
export async function encodeValue(value: NewRecordValue): Promise<EncodedValue> {
  const checked = await checkValue(value)
  const encoded = await encodeInTurns(checked)
  const content = { type: checked.type, shape: shapeOf(checked), preview: previewOf(checked) }
  return encoded.length <= INLINE_BYTES ? { content: { ...content, inline: checked } } : { content, encoded }
}

/** A blob is pending until released. */
export async function storeValue(
  blobs: BlobStore,
  { content, encoded }: EncodedValue,
): Promise<StoredContent> {
  return encoded === undefined ? content : { ...content, blob: await blobs.write([encoded], MAX_VALUE_BYTES) }
}

/** Throws VAULT_CORRUPT when the stored value is not one we would have stored. */
export async function loadValue(blobs: BlobStore, content: StoredContent): Promise<RecordValue> {
  const { type, shape, inline, blob } = content
  if (type === 'file') {
    if (blob === undefined || shape.name === undefined || shape.mime === undefined)
      throw new EnigmaError('VAULT_CORRUPT', 'a file record is incomplete')
    return { type, name: shape.name, mime: shape.mime, size: blob.size, contentId: blob.id }
  }
  const value = inline ?? ((await decodeInTurns(await blobs.readAll(blob as BlobRef))) as NewRecordValue)
  try {
    const checked = await checkValue(value)
    if (checked.type !== type) throw new Error('type')
    return checked
  } catch {
    throw new EnigmaError('VAULT_CORRUPT', 'a stored value is malformed')
  }
}

export function summary(record: StoredRecord): RecordSummary {
  const { id, title, tags, content, created, time, version, history, shares, deleted } = record
  return structuredClone({
    id,
    title,
    type: content.type,
    tags,
    created: new Date(created).toISOString(),
    updated: new Date(time).toISOString(),
    version,
    versions: history.length,
    shares,
    shape: content.shape,
    ...(deleted === undefined ? {} : { deleted: new Date(deleted).toISOString() }),
  })
}

export function versionInfo({ version, time, title, tags, content }: StoredVersion): RecordVersion {
  return { version, time: new Date(time).toISOString(), title, tags: [...tags], type: content.type }
}

/** The next version of a record; the current one joins the history, whose oldest falls out past the limit. */
export function nextVersion(
  record: StoredRecord,
  time: number,
  change: Partial<Pick<StoredVersion, 'title' | 'tags' | 'content'>>,
): StoredRecord {
  const { version, time: before, title, tags, content } = record
  return {
    ...record,
    ...change,
    version: version + 1,
    // A clock that was set back must not make the newest version look old when vaults are merged.
    time: Math.max(time, before + 1),
    history: [...record.history, { version, time: before, title, tags, content }].slice(-LIMITS.history),
  }
}

/** Throws NOT_FOUND. */
export function versionOf(record: StoredRecord, version: number): StoredVersion {
  const found = version === record.version ? record : record.history.find((old) => old.version === version)
  if (found === undefined) throw new EnigmaError('NOT_FOUND', `there is no version ${version} of this record`)
  const { time, title, tags, content } = found
  return { version, time, title, tags, content }
}

/** With `entry` in place of the one with the same id. Throws QUOTA_EXCEEDED. */
export function withShare(record: StoredRecord, entry: ShareEntry): StoredRecord {
  const shares = [...record.shares.filter((s) => s.id !== entry.id), entry]
  if (shares.length > LIMITS.shares)
    throw new EnigmaError('QUOTA_EXCEEDED', `a record has at most ${LIMITS.shares} share entries`)
  return { ...record, shares }
}

export function withRecord(state: VaultState, record: StoredRecord): VaultState {
  if (!state.records.has(record.id) && state.records.size >= LIMITS.records)
    throw new EnigmaError('QUOTA_EXCEEDED', `a vault holds at most ${LIMITS.records} records`)
  let records = new Map(state.records).set(record.id, record)
  if (record.content.blob !== undefined) records = adoptBlob(records, record.content.blob)
  return { ...state, records }
}

/** What full-text search sees of a record; `value` only where it is cheap or asked for. */
export function* searchTexts(record: StoredRecord, value: RecordValue): Generator<string> {
  yield record.title
  yield* record.tags
  if (value.type === 'text') yield value.text
  if (value.type === 'file') yield value.name
  if (value.type === 'number') yield* [value.value, value.unit ?? '']
  if (value.type === 'table') {
    yield* value.columns.map((column) => column.name)
    const textual = value.columns.flatMap((column, i) => (column.type === 'text' ? [i] : []))
    for (const row of value.rows) for (const i of textual) yield row[i]!
  }
}

/** Decimal strings of a value, for sharing. Throws INVALID_ARGUMENT with the columns to choose from. */
export function numericColumnOf(value: RecordValue, column?: string): string[] {
  if (value.type === 'number' && column === undefined) return [value.value]
  if (value.type === 'timeseries' && column === undefined) return value.values
  if (value.type !== 'table')
    throw new EnigmaError('INVALID_ARGUMENT', `a ${value.type} record has no column of numbers`)
  const numeric = value.columns.flatMap((c, i) => (c.type === 'number' ? [{ name: c.name, i }] : []))
  const chosen =
    column === undefined
      ? numeric.length === 1
        ? numeric[0]
        : undefined
      : numeric.find((c) => c.name === column)
  if (chosen === undefined)
    throw new EnigmaError(
      'INVALID_ARGUMENT',
      column === undefined
        ? `the table has ${numeric.length} columns of numbers`
        : 'the table has no such column of numbers',
      {
        remedy: numeric.length === 0 ? 'Import it with a number column.' : 'Name one of its number columns.',
      },
    )
  return value.rows.map((row) => row[chosen.i]!)
}

/** Identity of a version's content, for merging: two versions are the same when this is. */
export function fingerprint(version: StoredVersion): string {
  const { title, tags, content } = version
  const what = content.blob === undefined ? content.inline : [content.blob.id, content.blob.size]
  return toHex(concatBytes(encodeCanonical([version.time, title, tags, content.type, what])))
}
