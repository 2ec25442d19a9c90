import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { WalletKeys } from '../wallet/types.ts'

/** Text from a person or bytes (UTF-8). Bytes are preferred: the caller can wipe them. */
export type Secret = string | Uint8Array

/* ---------- records ---------- */

export type RecordType = 'number' | 'text' | 'table' | 'file' | 'timeseries'
export type ColumnType = 'number' | 'text' | 'date' | 'boolean'

export interface Column {
  name: string
  type: ColumnType
}

/** Numbers are decimal strings, exact: -12.50. No exponent, no thousands separator. At most 60 digits. */
export interface NumberValue {
  type: 'number'
  value: string
  unit?: string
}
export interface TextValue {
  type: 'text'
  text: string
}
/** At most 100,000 rows and 256 columns; a cell of a number column is a decimal string, of a date column ISO 8601. */
export interface TableValue {
  type: 'table'
  columns: Column[]
  rows: string[][]
}
/** `times` in milliseconds since the epoch, strictly increasing; `values` decimal strings of the same length. */
export interface TimeSeriesValue {
  type: 'timeseries'
  times: number[]
  values: string[]
  unit?: string
}
/** The content is read with `openFile`. */
export interface FileValue {
  type: 'file'
  name: string
  mime: string
  size: number
  /** HMAC of the content under a key of this vault, hex. */
  contentId: string
}
export type RecordValue = NumberValue | TextValue | TableValue | TimeSeriesValue | FileValue
/** What `add` and `update` accept; files come through `addFile`. */
export type NewRecordValue = NumberValue | TextValue | TableValue | TimeSeriesValue

/** Opaque to the vault: JSON-like data (null, boolean, number, string, bytes, arrays, plain objects). */
export type PlainValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PlainValue[]
  | { [key: string]: PlainValue }

/** What the composer keeps about one sharing of a record. `id` names it (for instance the reference a_x). */
export interface ShareEntry {
  id: string
  [key: string]: PlainValue
}

export interface RecordSummary {
  id: string
  title: string
  type: RecordType
  tags: string[]
  /** ISO 8601. */
  created: string
  updated: string
  version: number
  /** Number of previous versions that can be restored. */
  versions: number
  shares: ShareEntry[]
  /** Present while the record is in the trash. */
  deleted?: string
  /** Short description of the content: row and column count, size in bytes. Never the content. */
  shape: { rows?: number; columns?: Column[]; bytes?: number; name?: string; mime?: string; unit?: string }
}

export interface VaultRecord extends RecordSummary {
  value: RecordValue
}

export interface RecordVersion {
  version: number
  time: string
  title: string
  tags: string[]
  type: RecordType
}

export interface NewRecord {
  title: string
  tags?: string[]
  value: NewRecordValue
}

export interface RecordChanges {
  title?: string
  tags?: string[]
  value?: NewRecordValue
}

export interface ListFilter {
  /** Full-text query; words (prefixes) and Chinese, Japanese or Korean characters. All terms must match. */
  query?: string
  type?: RecordType
  tag?: string
  /** true: only the trash; default: only what is not in the trash. */
  trash?: boolean
}

/* ---------- import ---------- */

export interface ImportOptions {
  format: 'csv' | 'json'
  /** Default: detected among , ; tab and |. */
  separator?: ',' | ';' | '\t' | '|'
  /** Overrides the inferred type of a column, by name. */
  types?: Record<string, ColumnType>
}

export type ImportProblem =
  | 'empty'
  | 'not-a-number'
  | 'decimal-comma'
  | 'thousands-separator'
  | 'exponent'
  | 'currency-or-unit'
  | 'too-many-digits'
  | 'not-a-date'
  | 'not-a-boolean'
  | 'too-long'
  | 'cell-count'
  | 'nested-value'

export interface ImportCellError {
  /** 1 = first data row. */
  row: number
  /** Line of the file the row starts on (CSV). */
  line?: number
  column: string
  /** At most 40 characters of the offending cell. */
  value: string
  problem: ImportProblem
  remedy: string
}

export interface ImportPreview {
  columns: Column[]
  rowCount: number
  /** The first rows, as text. */
  sample: string[][]
  /** The first 1,000 errors. */
  errors: ImportCellError[]
  errorCount: number
  /** Rows with at least one error: what `skipInvalidRows` would leave out. */
  invalidRows: number
  separator?: string
}

export interface ImportCommit {
  title: string
  tags?: string[]
  /** Without it a file with errors is refused with IMPORT_INVALID. */
  skipInvalidRows?: boolean
  /** A table by default; `timeseries` needs one date column and one number column. */
  as?: 'table' | 'timeseries'
}

/* ---------- activity ---------- */

/** Public facts only: never a password, phrase, key, share or value. */
export type ActivityFields = Record<string, string | number | boolean>

export interface ActivityEntry {
  index: number
  /** ISO 8601. */
  time: string
  /** Dotted, lower case: record.added, share.stored, vault.unlocked. */
  kind: string
  fields: ActivityFields
  /** sha256(prev ‖ canonical CBOR of the entry), hex. */
  hash: string
}

export interface ActivityFilter {
  /** Exact kind, or a prefix that ends in a dot ("share."). */
  kind?: string
  /** ISO 8601, inclusive. */
  from?: string
  to?: string
  /** Newest first, at most `limit` (default 1,000), skipping `offset`. */
  limit?: number
  offset?: number
}

export interface ActivityVerdict {
  ok: boolean
  entries: number
  /** Hash of the last entry, hex; 64 zeros when empty. */
  head: string
  /** What is wrong and at which entry, when not ok. */
  problem?: string
  at?: number
}

/* ---------- backup and restore ---------- */

export type ExportProtection = { password: Secret } | { phrase: true }
export type ExportKey = { password: Secret } | { phrase: Secret }

export interface MergeResult {
  added: number
  updated: number
  unchanged: number
  files: number
}

export interface RestoreResult {
  /** `created`: a new vault on an empty machine. `reopened`: the vault here was opened with its phrase. */
  mode: 'created' | 'reopened'
  address: string
  depositAddress: string
  merged?: MergeResult
}

export interface RehearsalResult {
  /** Everything that was tried succeeded. */
  ok: boolean
  address: string
  depositAddress: string
  /** The phrase opens the vault file on this machine, every record and file authenticates. */
  vault: { opens: boolean; records: number; files: number; problem?: string }
  /** The same for the export, if one was named. */
  backup?: { opens: boolean; records: number; files: number; created?: string; problem?: string }
}

export interface VaultStatus {
  exists: boolean
  unlocked: boolean
  /** Wrong passwords since the last right one, and how long unlocking is refused. */
  failedAttempts: number
  backoffSeconds: number
  /** Only while unlocked. */
  records?: number
  trash?: number
  address?: string
  depositAddress?: string
  /** ISO 8601 of the last complete export, and of the last rehearsed restore. */
  backupAt?: string
  rehearsedAt?: string
}

/* ---------- the service ---------- */

/** Argon2id parameters (RFC 9106). Floor 19 MiB / t = 2 (OWASP); default 64 MiB, t = 3 and up. */
export interface KdfParameters {
  memoryKiB: number
  iterations: number
  parallelism: number
}

export interface VaultOptions {
  /** Directory of vault.enigma, blobs/ and activity.enigma. Created with mode 0700. */
  dir: string
}

export interface VaultModules {
  clock?: Clock
  log?: Log
  fs?: VaultFs
  /** Skips calibration. Still subject to the floor. */
  kdf?: KdfParameters
}

/**
 * The personal data store (paper §8.7). Calls are serialised; a call that rejects has changed nothing in
 * memory. Everything but create, unlock, restore, rehearseRestore and status throws VAULT_LOCKED while locked.
 */
export interface VaultService {
  status(): Promise<VaultStatus>
  /** Throws VAULT_EXISTS, PASSWORD_WEAK. The vault is unlocked afterwards. The phrase is shown once. */
  create(password: Secret, options?: { words?: 12 | 24 }): Promise<{ phrase: string; address: string }>
  /** Throws VAULT_MISSING, PASSWORD_WRONG, BACKOFF (details.seconds), VAULT_CORRUPT, VAULT_VERSION, KDF_DOWNGRADE. */
  unlock(password: Secret): Promise<void>
  /** Wipes keys and drops records. Idempotent, never throws. */
  lock(): Promise<void>
  /** Throws PASSWORD_WRONG, BACKOFF, PASSWORD_WEAK. */
  changePassword(current: Secret, next: Secret): Promise<void>
  /** Asks for the password again (same back-off as unlock). */
  revealPhrase(password: Secret): Promise<string>
  /** Checks the password as unlock does, without any other effect: for decisions that need the owner. */
  confirmPassword(password: Secret): Promise<void>
  /**
   * On an empty directory: recreates keys and accounts, then merges `backup` if given. Where a vault exists:
   * opens it with the phrase and sets the new password. Throws PHRASE_INVALID, PASSWORD_WEAK. Unlocked afterwards.
   */
  restore(
    phrase: Secret,
    newPassword: Secret,
    options?: { backup?: { path: string; key?: ExportKey } },
  ): Promise<RestoreResult>
  /** Tries a restore without writing anything. Works locked and unlocked. Throws PHRASE_INVALID. */
  rehearseRestore(phrase: Secret, options?: { backupPath?: string }): Promise<RehearsalResult>
  /** Notes that a rehearsal succeeded now (`status().rehearsedAt`). */
  markRehearsed(): Promise<void>

  /** Keys of this vault. Valid until lock. Throws VAULT_LOCKED. */
  wallet(): WalletKeys

  add(record: NewRecord): Promise<RecordSummary>
  /** Streams the content into an encrypted blob; up to 1 GiB. */
  addFile(
    file: { title: string; tags?: string[]; name: string; mime: string },
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<RecordSummary>
  /** Chunks are authenticated one by one before they are yielded; a truncated file throws VAULT_CORRUPT. */
  openFile(id: string): Promise<AsyncIterable<Uint8Array>>
  /** The value is not to be changed: who asks next for a long one gets the same. */
  get(id: string): Promise<VaultRecord>
  summary(id: string): Promise<RecordSummary>
  list(filter?: ListFilter): Promise<(RecordSummary & { preview: string })[]>
  update(id: string, changes: RecordChanges): Promise<RecordSummary>
  history(id: string): Promise<RecordVersion[]>
  /** The value as it was in `version`. */
  getVersion(id: string, version: number): Promise<VaultRecord>
  /** Makes an old version the current one; the current one joins the history. */
  restoreVersion(id: string, version: number): Promise<RecordSummary>
  /** Into the trash; `undelete` takes it back; `purge` removes it and its files for good. */
  remove(id: string): Promise<void>
  undelete(id: string): Promise<void>
  purge(id: string): Promise<void>
  /**
   * Decimal strings for sharing: a number record gives one, a time series its values, a table the cells of
   * `column` (may be left out if there is one number column). Throws INVALID_ARGUMENT.
   */
  numericColumn(id: string, column?: string): Promise<string[]>
  /** Adds or replaces the share entry with the same `id`; does not make a new version of the record. */
  putShare(id: string, share: ShareEntry): Promise<void>
  removeShare(id: string, shareId: string): Promise<void>

  /** `content`: the pieces of a file. Throws IMPORT_INVALID when it cannot be read as a whole. */
  previewImport(content: readonly Uint8Array[], options: ImportOptions): Promise<ImportPreview>
  /** Throws IMPORT_INVALID while there are errors that are not skipped on purpose. */
  importTable(
    content: readonly Uint8Array[],
    options: ImportOptions,
    commit: ImportCommit,
  ): Promise<RecordSummary & { rows: number; skipped: number }>

  /** Encrypted settings and secrets of the composer. Keys like "dht/key/<id>". Values up to 1 MiB encoded. */
  getSetting(key: string): Promise<PlainValue | undefined>
  putSetting(key: string, value: PlainValue): Promise<void>
  deleteSetting(key: string): Promise<void>
  settingKeys(prefix?: string): Promise<string[]>

  /** Writes an encrypted export of everything but the phrase. `path` must not exist. Throws PASSWORD_WEAK. */
  exportTo(
    path: string,
    protection: ExportProtection,
  ): Promise<{ records: number; files: number; bytes: number }>
  /**
   * Adds what is missing; of two versions of a record the newer becomes current, the other history. `phrase: true`
   * when the file is sealed under the phrase of this vault.
   */
  importFrom(path: string, key: ExportKey | { phrase: true }): Promise<MergeResult>

  /** Appends to the hash-chained log, durable when it resolves. */
  logActivity(kind: string, fields?: ActivityFields): Promise<ActivityEntry>
  activity(filter?: ActivityFilter): Promise<ActivityEntry[]>
  verifyActivity(): Promise<ActivityVerdict>
  /** JSON lines, oldest first. */
  exportActivity(filter?: ActivityFilter): Promise<string>
}

/* ---------- file system ---------- */

export interface VaultFile {
  write(data: Uint8Array): Promise<void>
  /** Fewer bytes than asked only at the end of the file. */
  read(length: number, position: number): Promise<Uint8Array>
  size(): Promise<number>
  truncate(length: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** What the vault needs of a file system, so that tests can fail every call in turn. */
export interface VaultFs {
  /** `create` fails if the path exists (mode 0600); `append` creates it. */
  open(path: string, mode: 'read' | 'create' | 'append'): Promise<VaultFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Names in a directory; empty if it does not exist. */
  list(dir: string): Promise<string[]>
  exists(path: string): Promise<boolean>
  makeDir(dir: string): Promise<void>
  syncDir(dir: string): Promise<void>
}
