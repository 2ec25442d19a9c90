import { join } from 'node:path'
import { toHex, wipe } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { second } from '../base/units.ts'
import { Keystore } from '../wallet/keystore.ts'
import { ActivityLog } from './activity.ts'
import { BlobStore } from './blobs.ts'
import { beginContainer, type OpenedHeader, readBody, readHeader, type Slot } from './container.ts'
import { removeTemporaries, replaceFile } from './fs.ts'
import { KeyRing } from './keys.ts'
import { loadValue, searchTexts } from './records.ts'
import { SearchIndex } from './search.ts'
import {
  decodeState,
  encodeState,
  referencedBlobs,
  type StoredContent,
  type StoredRecord,
  type VaultState,
} from './state.ts'
import type { ActivityFields, RecordValue, VaultFs } from './types.ts'

export const VAULT_FILE = 'vault.enigma'
export const ATTEMPTS_FILE = 'unlock.json'

/** Larger contents are found by title, tags and column names only. */
const MAX_INDEXED_BYTES = 16 * 1024 * 1024
/** How long a value is kept after it was last read. */
const RECENT_MS = 5 * second

export interface Place {
  dir: string
  fs: VaultFs
  clock: Clock
  log: Log
}

export function vaultPath(place: Pick<Place, 'dir'>): string {
  return join(place.dir, VAULT_FILE)
}

function nameOf(id: Uint8Array): string {
  return toHex(id).slice(2)
}

/** Opens the vault file with the key that `unlock` finds in its header. Undefined when it finds none. */
export async function openVaultFile(
  place: Pick<Place, 'dir' | 'fs'>,
  unlock: (opened: OpenedHeader) => Promise<Uint8Array | undefined>,
): Promise<{ opened: OpenedHeader; fileKey: Uint8Array; state: VaultState } | undefined> {
  const path = vaultPath(place)
  if (!(await place.fs.exists(path)))
    throw new EnigmaError('VAULT_MISSING', 'there is no vault here', {
      remedy: 'Create one, or restore it from your phrase.',
    })
  const file = await place.fs.open(path, 'read')
  try {
    const opened = await readHeader('vault', file)
    const fileKey = await unlock(opened)
    if (fileKey === undefined) return undefined
    const body = await readBody('vault', opened, fileKey, file)
    const state = await decodeState(body)
    wipe(body)
    if (nameOf(state.id) !== nameOf(opened.header.id))
      throw new EnigmaError('VAULT_CORRUPT', 'the vault file has two ids')
    return { opened, fileKey, state }
  } finally {
    await file.close()
  }
}

export function blobDir(place: Pick<Place, 'dir'>, id: Uint8Array): string {
  return join(place.dir, `blobs-${nameOf(id)}`)
}

/** Everything that exists only while the vault is unlocked. */
export class Session {
  readonly keys: KeyRing
  readonly wallet: Keystore
  readonly blobs: BlobStore
  readonly activity: ActivityLog
  readonly #place: Place
  #state: VaultState
  #slots: Slot[]
  /** Digests of file versions that are ours: usually one, two while a replacement is not known to be durable. */
  #onDisk: Set<string>
  #index: SearchIndex | undefined
  #indexing = Promise.resolve()
  readonly #indexed = new Map<string, StoredRecord>()
  /** The last value that came from a blob, for a moment: long ones are read page by page. */
  #recent: { id: string; value: Promise<RecordValue>; timer: NodeJS.Timeout } | undefined

  private constructor(
    place: Place,
    parts: { keys: KeyRing; wallet: Keystore; blobs: BlobStore; activity: ActivityLog },
    state: VaultState,
    slots: Slot[],
    onDisk: string[],
  ) {
    this.#place = place
    this.keys = parts.keys
    this.wallet = parts.wallet
    this.blobs = parts.blobs
    this.activity = parts.activity
    this.#state = state
    this.#slots = slots
    this.#onDisk = new Set(onDisk)
  }

  /** Takes ownership of `fileKey` and of the secrets in `state`. `digest`: of the file it came from, if any. */
  static async open(
    place: Place,
    fileKey: Uint8Array,
    state: VaultState,
    slots: Slot[],
    digest?: Uint8Array,
  ): Promise<Session> {
    const { fs, dir, clock } = place
    const keys = new KeyRing(fileKey, state.contentKey)
    let wallet: Keystore | undefined
    try {
      wallet = await Keystore.fromEntropy(state.entropy)
      const path = join(dir, `activity-${nameOf(state.id)}.enigma`)
      const activity = await ActivityLog.open(fs, path, keys, state.id, clock, state.anchor)
      const blobs = new BlobStore(fs, blobDir(place, state.id), keys)
      return new Session(
        place,
        { keys, wallet, blobs, activity },
        state,
        slots,
        digest ? [toHex(digest)] : [],
      )
    } catch (error) {
      keys.close()
      wallet?.dispose()
      wipe(state.entropy)
      throw error
    }
  }

  get state(): VaultState {
    return this.#state
  }

  /**
   * Makes `next` durable, then current. Throws VAULT_CHANGED when another program replaced the file since we
   * read it. `sealing` gives it a new key and new slots (change of password).
   */
  async save(next: VaultState, sealing?: { fileKey: Uint8Array; slots: Slot[] }): Promise<void> {
    // A wiped key must not be used, nor a wiped state written.
    this.keys.check()
    const anchor = this.activity.anchor
    const state = { ...next, anchor }
    const slots = sealing?.slots ?? this.#slots
    const plain = await encodeState(state)
    // Locked meanwhile.
    this.keys.check()
    const { head, digest, sealer } = beginContainer(
      'vault',
      state.id,
      slots,
      sealing?.fileKey ?? this.keys.fileKey,
    )
    // Sealed before the next await: locking meanwhile wipes keys, not this.
    const parts = [head, ...sealer.update(plain), sealer.finish()]
    wipe(plain)
    await this.#checkUnchanged()
    await replaceFile(this.#place.fs, vaultPath(this.#place), parts, () => this.#onDisk.add(toHex(digest)))
    this.#onDisk = new Set([toHex(digest)])
    if (!this.keys.closed) this.#state = state
    this.activity.anchored(anchor)
    if (sealing !== undefined && !this.keys.closed) {
      this.#slots = sealing.slots
      this.keys.replaceFileKey(sealing.fileKey)
    }
  }

  /** Whether a save is due only for the anchor of the activity log, or to undo a replacement that failed late. */
  get dirty(): boolean {
    return this.#onDisk.size > 1 || this.activity.anchor.count !== this.#state.anchor.count
  }

  /** Appends to the activity log; what was done is done, so a failure is only reported. */
  async note(kind: string, fields: ActivityFields = {}): Promise<void> {
    try {
      await this.activity.append(kind, fields)
    } catch (error) {
      this.#place.log.warn('activity not logged', { kind, code: EnigmaError.from(error).code })
    }
  }

  /** Removes leftovers of interrupted writes and content that nothing refers to. Never throws. */
  async sweep(): Promise<void> {
    // Once closed the state is empty, and everything would look unreferenced.
    if (this.keys.closed) return
    const referenced = new Set(referencedBlobs(this.#state).keys())
    await removeTemporaries(this.#place.fs, this.#place.dir)
    await this.blobs.sweep(referenced)
  }

  /** Throws VAULT_CORRUPT. */
  async value(content: StoredContent): Promise<RecordValue> {
    const { type, blob } = content
    if (type === 'file' || blob === undefined) return loadValue(this.blobs, content)
    const value = this.#recent?.id === blob.id ? this.#recent.value : loadValue(this.blobs, content)
    this.#forget()
    const timer = setTimeout(() => this.#forget(), RECENT_MS).unref()
    const recent = { id: blob.id, value, timer }
    this.#recent = recent
    try {
      return await value
    } catch (error) {
      if (this.#recent === recent) this.#forget()
      throw error
    }
  }

  /** The index, brought up to date with the records; built when the first search needs it. */
  index(): Promise<SearchIndex> {
    // One after the other: what is indexed later must be the later content.
    const index = this.#indexing.then(() => this.#indexNow())
    this.#indexing = index.then(
      () => undefined,
      () => undefined,
    )
    return index
  }

  async #indexNow(): Promise<SearchIndex> {
    this.keys.check()
    this.#index ??= new SearchIndex()
    const index = this.#index
    for (const id of this.#indexed.keys())
      if (!this.#state.records.has(id)) {
        index.delete(id)
        this.#indexed.delete(id)
      }
    for (const record of this.#state.records.values()) {
      const known = this.#indexed.get(record.id)
      if (known?.content === record.content && known.title === record.title && known.tags === record.tags)
        continue
      await index.put(record.id, await this.#texts(record))
      this.keys.check()
      this.#indexed.set(record.id, record)
    }
    return index
  }

  /** Wipes keys and drops what was decrypted. */
  async close(): Promise<void> {
    this.keys.close()
    this.wallet.dispose()
    wipe(this.#state.entropy)
    this.#state = { ...this.#state, records: new Map(), settings: new Map() }
    this.#index?.clear()
    this.#index = undefined
    this.#indexed.clear()
    this.#forget()
    await this.activity.close()
  }

  #forget(): void {
    clearTimeout(this.#recent?.timer)
    this.#recent = undefined
  }

  async #texts(record: StoredRecord): Promise<Iterable<string>> {
    const { content } = record
    if (content.type !== 'file' && (content.blob?.size ?? 0) <= MAX_INDEXED_BYTES)
      try {
        return searchTexts(record, await loadValue(this.blobs, content))
      } catch (error) {
        // A damaged content file must not stop the search of all others.
        if (!(error instanceof EnigmaError) || error.code !== 'VAULT_CORRUPT') throw error
      }
    const names = (content.shape.columns ?? []).map((column) => column.name)
    return [record.title, ...record.tags, content.shape.name ?? '', ...names]
  }

  async #checkUnchanged(): Promise<void> {
    const { fs } = this.#place
    const path = vaultPath(this.#place)
    if (this.#onDisk.size === 0 || !(await fs.exists(path))) return
    const file = await fs.open(path, 'read')
    try {
      const { digest } = await readHeader('vault', file)
      if (this.#onDisk.has(toHex(digest))) return
    } finally {
      await file.close()
    }
    throw new EnigmaError('VAULT_CHANGED', 'another program changed the vault file', {
      remedy: 'Close the other program, lock and unlock again. Nothing was overwritten.',
    })
  }
}
