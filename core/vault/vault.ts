import { join } from 'node:path'
import { wipe } from '../base/bytes.ts'
import { encodeCanonical } from '../base/cbor.ts'
import { systemClock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { turn } from '../base/turns.ts'
import { second } from '../base/units.ts'
import { entropyToPhrase, newEntropy, phraseToEntropy } from '../wallet/phrase.ts'
import type { WalletKeys } from '../wallet/types.ts'
import { Backoff } from './backoff.ts'
import { LIMITS } from './constants.ts'
import { unlockWithPassword } from './container.ts'
import { readExport } from './export.ts'
import { nodeFs } from './fs.ts'
import { importing } from './import-thread.ts'
import { calibrateKdf, checkKdf } from './kdf.ts'
import { lockedError } from './keys.ts'
import { createSession, type Opening, opensWith, reopenSession, reseal } from './opening.ts'
import { checkPassword } from './password.ts'
import {
  encodeValue,
  findRecord,
  liveRecord,
  newRecord,
  nextVersion,
  numericColumnOf,
  previewOf,
  storeValue,
  summary,
  versionInfo,
  versionOf,
  withRecord,
  withShare,
} from './records.ts'
import { rehearseRestore } from './rehearsal.ts'
import { ATTEMPTS_FILE, openVaultFile, type Place, Session, vaultPath } from './session.ts'
import {
  referencedBlobs,
  type StoredContent,
  type StoredRecord,
  type StoredVersion,
  type VaultState,
} from './state.ts'
import { drain, importExport, writeExport } from './transfer.ts'
import type {
  ActivityEntry,
  ActivityFields,
  ActivityFilter,
  ActivityVerdict,
  ExportKey,
  ExportProtection,
  ImportCommit,
  ImportOptions,
  ImportPreview,
  ListFilter,
  MergeResult,
  NewRecord,
  PlainValue,
  RecordChanges,
  RecordSummary,
  RecordVersion,
  RehearsalResult,
  RestoreResult,
  Secret,
  ShareEntry,
  VaultModules,
  VaultOptions,
  VaultRecord,
  VaultService,
  VaultStatus,
} from './types.ts'
import { checkFileNames, checkPlain, checkShare, checkTags, checkTitle } from './values.ts'

/** Locking does not wait longer than this for a write under way (reliability: locked within 1 s). */
const LOCK_WAIT_MS = 0.5 * second

/** The vault on disk. One instance per directory and process; see `VaultService` for the calls. */
export class Vault implements VaultService {
  readonly #place: Place
  readonly #backoff: Backoff
  readonly #opening: Opening
  #session: Session | undefined
  #queue: Promise<unknown> = Promise.resolve()

  constructor(options: VaultOptions, modules: VaultModules = {}) {
    const { clock = systemClock, log = silentLog, fs = nodeFs, kdf } = modules
    if (kdf !== undefined) checkKdf(kdf)
    this.#place = { dir: options.dir, fs, clock, log: log.child('vault') }
    this.#opening = { place: this.#place, kdf }
    this.#backoff = new Backoff(fs, join(options.dir, ATTEMPTS_FILE), clock, this.#place.log)
  }

  // ---------------------------------------------------------------- life cycle

  async status(): Promise<VaultStatus> {
    const exists = await this.#place.fs.exists(vaultPath(this.#place))
    const failedAttempts = await this.#backoff.failures()
    const backoffSeconds = Math.ceil((await this.#backoff.remainingMs()) / second)
    const session = this.#session
    if (session === undefined) return { exists, unlocked: false, failedAttempts, backoffSeconds }
    const { records, backup, rehearsed } = session.state
    const trash = [...records.values()].filter((record) => record.deleted !== undefined).length
    return {
      exists,
      unlocked: true,
      failedAttempts,
      backoffSeconds,
      records: records.size - trash,
      trash,
      address: session.wallet.signer().address,
      depositAddress: session.wallet.deposit().address,
      ...(backup === undefined ? {} : { backupAt: new Date(backup).toISOString() }),
      ...(rehearsed === undefined ? {} : { rehearsedAt: new Date(rehearsed).toISOString() }),
    }
  }

  create(password: Secret, options: { words?: 12 | 24 } = {}): Promise<{ phrase: string; address: string }> {
    return this.#serial(async () => {
      checkPassword(password)
      const entropy = newEntropy(options.words ?? 24)
      const phrase = entropyToPhrase(entropy)
      const session = await this.#use(await createSession(this.#opening, entropy, password))
      await session.note('vault.created')
      return { phrase, address: session.wallet.signer().address }
    })
  }

  unlock(password: Secret): Promise<void> {
    return this.#serial(async () => {
      await this.#checkExists()
      if (this.#session !== undefined) return this.#prove(this.#session, password)
      const { value, failuresBefore } = await this.#backoff.guard(() =>
        openVaultFile(this.#place, ({ header }) => unlockWithPassword('vault', header, password)),
      )
      const { opened, fileKey, state } = value
      const session = await Session.open(this.#place, fileKey, state, opened.header.slots, opened.digest)
      await session.sweep()
      this.#session = session
      await session.note('vault.unlocked', { failedAttempts: failuresBefore })
    })
  }

  async lock(): Promise<void> {
    const session = this.#session
    if (session === undefined) return
    // From here on every call is refused; what is being written gets a moment to finish.
    this.#session = undefined
    const farewell = this.#serial(async () => {
      await session.note('vault.locked')
      if (session.dirty) await session.save(session.state)
    }).catch(() => {})
    const patience = new AbortController()
    await Promise.race([farewell, this.#place.clock.sleep(LOCK_WAIT_MS, patience.signal).catch(() => {})])
    patience.abort()
    await session.close()
  }

  changePassword(current: Secret, next: Secret): Promise<void> {
    return this.#serial(async () => {
      const session = this.#open()
      await this.#prove(session, current)
      checkPassword(next)
      await reseal(this.#opening, session, next)
      await session.note('vault.password-changed')
    })
  }

  revealPhrase(password: Secret): Promise<string> {
    return this.#serial(async () => {
      const session = this.#open()
      await this.#prove(session, password)
      await session.note('vault.phrase-revealed')
      session.keys.check()
      return entropyToPhrase(session.state.entropy)
    })
  }

  confirmPassword(password: Secret): Promise<void> {
    return this.#serial(async () => {
      await this.#prove(this.#open(), password)
    })
  }

  async restore(
    phrase: Secret,
    newPassword: Secret,
    options: { backup?: { path: string; key?: ExportKey } } = {},
  ): Promise<RestoreResult> {
    checkPassword(newPassword)
    const entropy = phraseToEntropy(phrase)
    const backup = options.backup && { path: options.backup.path, key: options.backup.key ?? { phrase } }
    // A backup that does not open must be known before anything is made.
    if (backup !== undefined) await readExport(this.#place.fs, backup.path, backup.key, drain)
    await this.lock()
    const mode = await this.#serial(async () => {
      if (await this.#place.fs.exists(vaultPath(this.#place))) {
        const reopened = await this.#use(await reopenSession(this.#opening, entropy, newPassword))
        await reopened.note('vault.reopened-with-phrase')
        return 'reopened' as const
      }
      const session = await this.#use(await createSession(this.#opening, entropy.slice(), newPassword))
      await session.note('vault.restored')
      return 'created' as const
    }).finally(() => wipe(entropy))
    const merged = backup === undefined ? undefined : await this.importFrom(backup.path, backup.key)
    const { wallet } = this.#open()
    return {
      mode,
      address: wallet.signer().address,
      depositAddress: wallet.deposit().address,
      ...(merged === undefined ? {} : { merged }),
    }
  }

  rehearseRestore(phrase: Secret, options: { backupPath?: string } = {}): Promise<RehearsalResult> {
    return rehearseRestore(this.#place, phrase, options.backupPath)
  }

  markRehearsed(): Promise<void> {
    return this.#mutate(async (session, state) => {
      await session.save({ ...state, rehearsed: this.#place.clock.now() })
      return ['vault.restore-rehearsed', {}, undefined]
    })
  }

  wallet(): WalletKeys {
    return this.#open().wallet
  }

  // ---------------------------------------------------------------- records

  async add(record: NewRecord): Promise<RecordSummary> {
    const title = checkTitle(record.title)
    const tags = checkTags(record.tags ?? [])
    return this.#mutate(async (session) => {
      const content = await storeValue(session.blobs, await encodeValue(record.value))
      return this.#insert(session, title, tags, content, 'record.added')
    })
  }

  async addFile(
    file: { title: string; tags?: string[]; name: string; mime: string },
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<RecordSummary> {
    const title = checkTitle(file.title)
    const tags = checkTags(file.tags ?? [])
    const { name, mime } = file
    checkFileNames(name, mime)
    // Outside the queue: hundreds of megabytes must not hold up every other call.
    const writer = this.#open()
    const blob = await writer.blobs.write(content, LIMITS.file)
    const stored: StoredContent = { type: 'file', shape: { name, mime, bytes: blob.size }, blob }
    return this.#mutate(async (session) => {
      // Locked and unlocked meanwhile: the sweep may have removed what no record referred to.
      if (session !== writer) throw lockedError()
      return this.#insert(session, title, tags, stored, 'record.added')
    })
  }

  async openFile(id: string): Promise<AsyncIterable<Uint8Array>> {
    const session = this.#open()
    const { content } = findRecord(session.state, id)
    if (content.type !== 'file' || content.blob === undefined)
      throw new EnigmaError('INVALID_ARGUMENT', 'this record is not a file')
    return session.blobs.read(content.blob)
  }

  async get(id: string): Promise<VaultRecord> {
    const session = this.#open()
    return this.#full(session, findRecord(session.state, id))
  }

  async summary(id: string): Promise<RecordSummary> {
    return summary(findRecord(this.#open().state, id))
  }

  async list(filter: ListFilter = {}): Promise<(RecordSummary & { preview: string })[]> {
    const session = this.#open()
    const { query = '', type, tag, trash = false } = filter
    const found = query.trim() === '' ? undefined : (await session.index()).find(query)
    session.keys.check()
    const chosen = [...session.state.records.values()]
      .filter(
        (record) =>
          (record.deleted !== undefined) === trash &&
          (type === undefined || record.content.type === type) &&
          (tag === undefined || record.tags.includes(tag)) &&
          (found === undefined || found.has(record.id)),
      )
      .sort((a, b) => b.time - a.time || (a.id < b.id ? -1 : 1))
    const out: (RecordSummary & { preview: string })[] = []
    for (const record of chosen) {
      await turn()
      const preview = record.content.preview ?? previewOf(await session.value(record.content))
      out.push({ ...summary(record), preview })
    }
    session.keys.check()
    return out
  }

  async update(id: string, changes: RecordChanges): Promise<RecordSummary> {
    const title = changes.title === undefined ? undefined : checkTitle(changes.title)
    const tags = changes.tags === undefined ? undefined : checkTags(changes.tags)
    return this.#mutate(async (session, state) => {
      const record = liveRecord(state, id)
      if (changes.value !== undefined && changes.value.type !== record.content.type)
        throw new EnigmaError('INVALID_ARGUMENT', `this record holds a ${record.content.type}`, {
          remedy: 'Add a new record for another type of value.',
        })
      const content =
        changes.value === undefined
          ? undefined
          : await storeValue(session.blobs, await encodeValue(changes.value))
      return this.#replace(session, record, {
        ...(title === undefined ? {} : { title }),
        ...(tags === undefined ? {} : { tags }),
        ...(content === undefined ? {} : { content }),
      })
    })
  }

  async history(id: string): Promise<RecordVersion[]> {
    return findRecord(this.#open().state, id).history.map(versionInfo).reverse()
  }

  async getVersion(id: string, version: number): Promise<VaultRecord> {
    const session = this.#open()
    const record = findRecord(session.state, id)
    return this.#full(session, { ...record, ...versionOf(record, version) })
  }

  restoreVersion(id: string, version: number): Promise<RecordSummary> {
    return this.#mutate(async (session, state) => {
      const record = liveRecord(state, id)
      const { title, tags, content } = versionOf(record, version)
      return this.#replace(session, record, { title, tags, content })
    })
  }

  remove(id: string): Promise<void> {
    return this.#mutate(async (session, state) => {
      const record = findRecord(state, id)
      if (record.deleted === undefined)
        await session.save(
          withRecord(state, { ...record, deleted: Math.max(this.#place.clock.now(), record.time) }),
        )
      return ['record.removed', { record: id }, undefined]
    })
  }

  undelete(id: string): Promise<void> {
    return this.#mutate(async (session, state) => {
      const { deleted: _, ...record } = findRecord(state, id)
      await session.save(withRecord(state, record))
      return ['record.undeleted', { record: id }, undefined]
    })
  }

  purge(id: string): Promise<void> {
    return this.#mutate(async (session, state) => {
      if (findRecord(state, id).deleted === undefined)
        throw new EnigmaError('INVALID_ARGUMENT', 'only records in the trash can be purged', {
          remedy: 'Move it to the trash first.',
        })
      const records = new Map(state.records)
      records.delete(id)
      await session.save({ ...state, records })
      await session.sweep()
      return ['record.purged', { record: id }, undefined]
    })
  }

  async numericColumn(id: string, column?: string): Promise<string[]> {
    const session = this.#open()
    return numericColumnOf(await session.value(findRecord(session.state, id).content), column)
  }

  async putShare(id: string, share: ShareEntry): Promise<void> {
    const entry = checkShare(share)
    return this.#mutate(async (session, state) => {
      await session.save(withRecord(state, withShare(findRecord(state, id), entry)))
      return undefined
    })
  }

  removeShare(id: string, shareId: string): Promise<void> {
    return this.#mutate(async (session, state) => {
      const record = findRecord(state, id)
      await session.save(
        withRecord(state, { ...record, shares: record.shares.filter((s) => s.id !== shareId) }),
      )
      return undefined
    })
  }

  // ---------------------------------------------------------------- import

  async previewImport(content: readonly Uint8Array[], options: ImportOptions): Promise<ImportPreview> {
    this.#open()
    return importing(content, (importer) => importer.preview(content, options))
  }

  async importTable(
    content: readonly Uint8Array[],
    options: ImportOptions,
    commit: ImportCommit,
  ): Promise<RecordSummary & { rows: number; skipped: number }> {
    const title = checkTitle(commit.title)
    const tags = checkTags(commit.tags ?? [])
    this.#open()
    // Outside the queue: a long file must not hold up every other call.
    const { skipped, ...value } = await importing(content, (importer) =>
      importer.value(content, options, commit),
    )
    return this.#mutate(async (session) => {
      const stored = await storeValue(session.blobs, value)
      const rows = stored.shape.rows ?? 0
      const facts = { rows, skippedRows: skipped }
      const [kind, fields, record] = await this.#insert(
        session,
        title,
        tags,
        stored,
        'record.imported',
        facts,
      )
      return [kind, fields, { ...record, rows, skipped }]
    })
  }

  // ---------------------------------------------------------------- settings

  async getSetting(key: string): Promise<PlainValue | undefined> {
    const setting = this.#open().state.settings.get(key)
    return setting === undefined ? undefined : checkPlain(setting.value)
  }

  async putSetting(key: string, value: PlainValue): Promise<void> {
    if (typeof key !== 'string' || key.length === 0 || key.length > 200 || !key.isWellFormed())
      throw new EnigmaError('INVALID_ARGUMENT', 'a setting needs a key of at most 200 characters')
    const checked = checkPlain(value)
    if (encodeCanonical(checked).length > LIMITS.setting)
      throw new EnigmaError('QUOTA_EXCEEDED', `a setting has at most ${LIMITS.setting} bytes`)
    return this.#mutate(async (session, state) => {
      const settings = new Map(state.settings).set(key, { value: checked, updated: this.#place.clock.now() })
      await session.save({ ...state, settings })
      return undefined
    })
  }

  deleteSetting(key: string): Promise<void> {
    return this.#mutate(async (session, state) => {
      const settings = new Map(state.settings)
      if (settings.delete(key)) await session.save({ ...state, settings })
      return undefined
    })
  }

  async settingKeys(prefix = ''): Promise<string[]> {
    return [...this.#open().state.settings.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  // ---------------------------------------------------------------- backup

  exportTo(
    path: string,
    protection: ExportProtection,
  ): Promise<{ records: number; files: number; bytes: number }> {
    return this.#mutate(async (session, state) => {
      if ('password' in protection) checkPassword(protection.password)
      const seal =
        'password' in protection
          ? { password: protection.password, kdf: this.#opening.kdf ?? (await calibrateKdf()) }
          : { entropy: state.entropy }
      const now = this.#place.clock.now()
      const bytes = await writeExport(this.#place, session, path, seal, now)
      await session.save({ ...state, backup: now })
      const counts = { records: state.records.size, files: referencedBlobs(state).size }
      return ['vault.exported', counts, { ...counts, bytes }]
    })
  }

  importFrom(path: string, key: ExportKey | { phrase: true }): Promise<MergeResult> {
    return this.#mutate(async (session) => {
      const merged = await importExport(this.#place, session, path, key)
      return ['vault.imported', { ...merged }, merged]
    })
  }

  // ---------------------------------------------------------------- activity

  async logActivity(kind: string, fields: ActivityFields = {}): Promise<ActivityEntry> {
    return this.#open().activity.append(kind, fields)
  }

  async activity(filter: ActivityFilter = {}): Promise<ActivityEntry[]> {
    return this.#open().activity.read(filter)
  }

  async verifyActivity(): Promise<ActivityVerdict> {
    return this.#open().activity.verify()
  }

  async exportActivity(filter: ActivityFilter = {}): Promise<string> {
    return this.#open().activity.lines(filter)
  }

  // ---------------------------------------------------------------- inside

  #serial<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run)
    this.#queue = result.catch(() => {})
    return result
  }

  #open(): Session {
    if (this.#session === undefined) throw lockedError()
    return this.#session
  }

  /** Serialised change of an open vault: [kind for the activity log, its fields, result], or nothing to log. */
  #mutate<T>(
    run: (session: Session, state: VaultState) => Promise<[string, ActivityFields, T] | undefined>,
  ): Promise<T> {
    return this.#serial(async () => {
      const session = this.#open()
      const done = await run(session, session.state)
      if (done === undefined) return undefined as T
      const [kind, fields, result] = done
      await session.note(kind, fields)
      return result
    })
  }

  async #checkExists(): Promise<void> {
    if (!(await this.#place.fs.exists(vaultPath(this.#place))))
      throw new EnigmaError('VAULT_MISSING', 'there is no vault here', {
        remedy: 'Create one, or restore it from your phrase.',
      })
  }

  /** With back-off. */
  async #prove(session: Session, password: Secret): Promise<void> {
    const { place } = this.#opening
    await this.#backoff.guard(async () => (await opensWith(place, session, password)) || undefined)
  }

  async #use(session: Session): Promise<Session> {
    await this.#backoff.reset()
    this.#session = session
    return session
  }

  async #full(session: Session, record: StoredRecord): Promise<VaultRecord> {
    const value = await session.value(record.content)
    session.keys.check()
    return { ...summary(record), value }
  }

  async #insert(
    session: Session,
    title: string,
    tags: string[],
    content: StoredContent,
    kind: string,
    fields: ActivityFields = {},
  ): Promise<[string, ActivityFields, RecordSummary]> {
    const record = newRecord(this.#place.clock.now(), title, tags, content)
    return this.#commit(session, record, [kind, { record: record.id, type: content.type, ...fields }])
  }

  async #replace(
    session: Session,
    record: StoredRecord,
    change: Partial<Pick<StoredVersion, 'title' | 'tags' | 'content'>>,
  ): Promise<[string, ActivityFields, RecordSummary]> {
    const next = nextVersion(record, this.#place.clock.now(), change)
    return this.#commit(session, next, ['record.updated', { record: record.id, version: next.version }])
  }

  async #commit(
    session: Session,
    record: StoredRecord,
    [kind, fields]: [string, ActivityFields],
  ): Promise<[string, ActivityFields, RecordSummary]> {
    const { blob } = record.content
    try {
      await session.save(withRecord(session.state, record))
    } finally {
      if (blob !== undefined) session.blobs.release(blob)
    }
    return [kind, fields, summary(record)]
  }
}
