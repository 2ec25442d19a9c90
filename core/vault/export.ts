import { concatBytes, wipe } from '../base/bytes.ts'
import { encodeCanonical } from '../base/cbor.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import type { BlobRef, BlobStore } from './blobs.ts'
import { decodeCanonical } from './codec.ts'
import {
  beginContainer,
  openBody,
  passwordKeySlot,
  phraseKeySlot,
  readHeader,
  type Slot,
  unlockWithPassword,
  unlockWithPhrase,
} from './container.ts'
import {
  parseRecord,
  referencedBlobs,
  type StoredRecord,
  type StoredSetting,
  type VaultState,
} from './state.ts'
import type { ExportKey, KdfParameters, PlainValue, Secret, VaultFs } from './types.ts'
import { checkPlain } from './values.ts'

/**
 * The body of an export is a sequence of frames: type u8 | length u32 | payload. Content files come first, so
 * that an import can place them before it knows the records; the records take effect after the last frame.
 */
const FRAME = { manifest: 1, blob: 2, blobData: 3, record: 4, setting: 5, end: 6 } as const
const FORMAT = 2
const MAX_FRAME = 32 * 1024 * 1024
const MAX_BLOB = 2 * 1024 * 1024 * 1024

export interface ExportManifest {
  format: number
  created: number
  records: number
  files: number
}

/** What an export holds, without its content files. */
export interface ExportContent {
  manifest: ExportManifest
  records: StoredRecord[]
  settings: Map<string, StoredSetting>
}

function frame(type: number, payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(5)
  head[0] = type
  new DataView(head.buffer).setUint32(1, payload.length)
  return concatBytes(head, payload)
}

async function* frames(state: VaultState, blobs: BlobStore, created: number): AsyncGenerator<Uint8Array> {
  const files = referencedBlobs(state)
  const manifest: ExportManifest = { format: FORMAT, created, records: state.records.size, files: files.size }
  yield frame(FRAME.manifest, encodeCanonical(manifest))
  for (const ref of files.values()) {
    yield frame(FRAME.blob, encodeCanonical({ id: ref.id, size: ref.size }))
    for await (const part of blobs.read(ref)) yield frame(FRAME.blobData, part)
  }
  for (const record of state.records.values()) yield frame(FRAME.record, encodeCanonical(record))
  for (const [key, { value, updated }] of state.settings)
    yield frame(FRAME.setting, encodeCanonical([key, value, updated]))
  yield frame(FRAME.end, encodeCanonical([state.records.size, files.size]))
}

/**
 * The bytes of an encrypted export. Everything but the phrase is in it: whoever has the export and its password
 * reads the records, but cannot spend or sign.
 */
export async function* exportBytes(
  state: VaultState,
  blobs: BlobStore,
  protection: { password: Secret; kdf: KdfParameters } | { entropy: Uint8Array },
  created: number,
): AsyncGenerator<Uint8Array> {
  const id = randomBytes(16)
  const fileKey = randomBytes(32)
  const slot: Slot =
    'entropy' in protection
      ? phraseKeySlot('export', id, fileKey, protection.entropy)
      : await passwordKeySlot('export', id, fileKey, protection.password, protection.kdf)
  const { head, sealer } = beginContainer('export', id, [slot], fileKey)
  wipe(fileKey)
  try {
    yield head
    for await (const part of frames(state, blobs, created)) {
      yield* sealer.update(part)
      wipe(part)
    }
    yield sealer.finish()
  } finally {
    sealer.dispose()
  }
}

/** Cuts the decrypted stream into frames again. */
async function* readFrames(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ type: number; payload: Uint8Array }, undefined> {
  let parts: Uint8Array[] = []
  let buffered = 0
  let need = 5
  for await (const chunk of body) {
    parts.push(chunk)
    buffered += chunk.length
    if (buffered < need) continue
    let data = concatBytes(...parts)
    for (;;) {
      if (data.length < 5) {
        need = 5
        break
      }
      const length = new DataView(data.buffer, data.byteOffset).getUint32(1)
      if (length > MAX_FRAME) throw malformed()
      need = 5 + length
      if (data.length < need) break
      yield { type: data[0]!, payload: data.slice(5, need) }
      data = data.subarray(need)
    }
    parts = [data.slice()]
    buffered = data.length
  }
  if (buffered > 0) throw malformed()
  return undefined
}

function malformed(): EnigmaError {
  return new EnigmaError('VAULT_CORRUPT', 'the export opened, but its content is malformed')
}

/** Receives each content file of an export; resolves when it is stored, or merely read in a rehearsal. */
export type BlobSink = (id: string, size: number, content: AsyncIterable<Uint8Array>) => Promise<void>

/**
 * Reads a whole export. Nothing it returns may take effect before it resolves: only then did the last byte
 * authenticate. Throws PASSWORD_WRONG, PHRASE_INVALID, VAULT_CORRUPT, VAULT_VERSION, KDF_DOWNGRADE, NOT_FOUND.
 */
export async function readExport(
  fs: VaultFs,
  path: string,
  key: ExportKey,
  sink: BlobSink,
): Promise<ExportContent> {
  if (!(await fs.exists(path)))
    throw new EnigmaError('NOT_FOUND', 'there is no file at this path', { remedy: 'Choose the export file.' })
  const file = await fs.open(path, 'read')
  let fileKey: Uint8Array | undefined
  try {
    const opened = await readHeader('export', file)
    if ('password' in key) {
      fileKey = await unlockWithPassword('export', opened.header, key.password)
      if (fileKey === undefined)
        throw new EnigmaError('PASSWORD_WRONG', 'the password does not open this export', {
          remedy: opened.header.slots.some((slot) => slot.kind === 'phrase')
            ? 'This export opens with the recovery phrase.'
            : 'Use the password given when it was exported; it can differ from that of the vault.',
        })
    } else {
      fileKey = unlockWithPhrase('export', opened.header, key.phrase)
      if (fileKey === undefined)
        throw new EnigmaError('PHRASE_INVALID', 'this phrase does not open this export', {
          remedy: opened.header.slots.some((slot) => slot.kind === 'password')
            ? 'This export opens with its own password.'
            : 'It was made with another vault. Use the phrase of that vault.',
        })
    }
    const source = readFrames(openBody('export', opened, fileKey, file))
    try {
      return await readContent(source, sink)
    } finally {
      // Ends the decryption and wipes its key also when the sink gave up half-way.
      await source.return(undefined)
    }
  } finally {
    wipe(fileKey)
    await file.close()
  }
}

async function readContent(
  source: AsyncGenerator<{ type: number; payload: Uint8Array }, undefined>,
  sink: BlobSink,
): Promise<ExportContent> {
  const records: StoredRecord[] = []
  const settings = new Map<string, StoredSetting>()
  const blobs = new Map<string, number>()
  const first = await source.next()
  if (first.done || first.value.type !== FRAME.manifest) throw malformed()
  const manifest = decodeCanonical(first.value.payload) as ExportManifest
  if (typeof manifest?.format !== 'number') throw malformed()
  if (manifest.format > FORMAT)
    throw new EnigmaError(
      'VAULT_VERSION',
      `the export has format ${manifest.format}, this program knows ${FORMAT}`,
      {
        remedy: 'Update the program.',
      },
    )
  let ended = false
  for (let next = await source.next(); !next.done; next = await source.next()) {
    const { type, payload } = next.value
    if (ended) throw malformed()
    if (type === FRAME.blob) {
      const { id, size } = decodeCanonical(payload) as BlobRef
      if (typeof id !== 'string' || !Number.isSafeInteger(size) || size < 0 || size > MAX_BLOB)
        throw malformed()
      await sink(id, size, blobParts(source, size))
      blobs.set(id, size)
    } else if (type === FRAME.record) records.push(parseRecord(decodeCanonical(payload)))
    else if (type === FRAME.setting) {
      const [key, value, updated] = decodeCanonical(payload) as [string, PlainValue, number]
      if (typeof key !== 'string' || !Number.isSafeInteger(updated)) throw malformed()
      settings.set(key, { value: checkPlain(value), updated })
    } else if (type === FRAME.end) {
      const [recordCount, blobCount] = decodeCanonical(payload) as [number, number]
      if (recordCount !== records.length || blobCount !== blobs.size) throw malformed()
      ended = true
    } else throw malformed()
  }
  if (!ended || manifest.records !== records.length || manifest.files !== blobs.size) throw malformed()
  for (const ref of referencedBlobs({ records: new Map(records.map((r) => [r.id, r])) }).values())
    if (blobs.get(ref.id) !== ref.size) throw malformed()
  return { manifest, records, settings }
}

/** The data frames of one content file, exactly `size` bytes of them. */
async function* blobParts(
  source: AsyncGenerator<{ type: number; payload: Uint8Array }, undefined>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let left = size
  // An empty content is still one empty data frame.
  do {
    const next = await source.next()
    if (next.done || next.value.type !== FRAME.blobData || next.value.payload.length > left) throw malformed()
    left -= next.value.payload.length
    yield next.value.payload
  } while (left > 0)
}
