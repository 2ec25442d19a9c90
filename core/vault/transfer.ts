import { EnigmaError } from '../base/errors.ts'
import { entropyToPhrase } from '../wallet/phrase.ts'
import type { BlobStore } from './blobs.ts'
import { LIMITS } from './constants.ts'
import { type BlobSink, exportBytes, readExport } from './export.ts'
import { replaceFile } from './fs.ts'
import { mergeRecords, mergeSettings } from './merge.ts'
import { loadValue } from './records.ts'
import type { Place, Session } from './session.ts'
import { adoptBlob, type StoredRecord, type StoredVersion } from './state.ts'
import type { ExportKey, MergeResult } from './types.ts'
import { checkTags, checkTitle } from './values.ts'

/**
 * Writes the open vault into an encrypted file. Returns its bytes. Throws INVALID_ARGUMENT when there is a file, VAULT_LOCKED
 * when the vault is locked meanwhile.
 */
export async function writeExport(
  place: Place,
  { keys, blobs, state }: Session,
  path: string,
  seal: Parameters<typeof exportBytes>[2],
  now: number,
): Promise<number> {
  if (await place.fs.exists(path))
    throw new EnigmaError('INVALID_ARGUMENT', 'a file with this name exists already', {
      remedy: 'Choose another name.',
    })
  let bytes = 0
  const counted = async function* () {
    for await (const part of exportBytes(state, blobs, seal, now)) {
      keys.check()
      bytes += part.length
      yield part
    }
  }
  await replaceFile(place.fs, path, counted())
  return bytes
}

/** Merges an export into the open vault. Nothing changes before all of it was read and checked. */
export async function importExport(
  place: Place,
  session: Session,
  path: string,
  key: ExportKey | { phrase: true },
): Promise<MergeResult> {
  const { blobs, state } = session
  const opens: ExportKey =
    'phrase' in key && key.phrase === true ? { phrase: entropyToPhrase(state.entropy) } : (key as ExportKey)
  const stored = new Map<string, Awaited<ReturnType<BlobStore['write']>>>()
  try {
    const content = await readExport(place.fs, path, opens, async (id, size, parts) => {
      stored.set(id, await blobs.write(parts, size))
    })
    // Content ids are keyed per vault: the records get the ids the content has here.
    const local = <T extends StoredVersion>(version: T): T => {
      const ref = version.content.blob && stored.get(version.content.blob.id)
      return ref === undefined ? version : { ...version, content: { ...version.content, blob: ref } }
    }
    const theirs = content.records.map((record) => ({
      ...local(record),
      history: record.history.map(local),
    }))
    for (const record of theirs) await checkRecord(blobs, record)
    let { records, result } = mergeRecords(state.records, theirs)
    for (const ref of stored.values()) records = adoptBlob(records, ref)
    if (records.size > LIMITS.records)
      throw new EnigmaError('QUOTA_EXCEEDED', 'the vault would hold too many records')
    await session.save({ ...state, records, settings: mergeSettings(state.settings, content.settings) })
    const merged = { ...result, files: stored.size }
    await session.sweep()
    return merged
  } finally {
    for (const ref of stored.values()) blobs.release(ref)
  }
}

/** Reads every version of a record to its end. Throws VAULT_CORRUPT. */
export async function checkRecord(blobs: BlobStore, record: StoredRecord): Promise<void> {
  checkTitle(record.title)
  checkTags(record.tags)
  for (const { content } of [record, ...record.history]) {
    if (content.type !== 'file') await loadValue(blobs, content)
    else if (content.blob !== undefined)
      await drain(content.blob.id, content.blob.size, blobs.read(content.blob))
  }
}

/** Reads content to its end and keeps nothing. */
export const drain: BlobSink = async (_id, size, content) => {
  let read = 0
  for await (const part of content) read += part.length
  if (read !== size) throw new EnigmaError('VAULT_CORRUPT', 'a content file is cut off')
}
