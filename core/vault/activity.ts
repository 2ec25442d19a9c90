import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { concatBytes, equalBytes, toHex, utf8, wipe } from '../base/bytes.ts'
import { encodeCanonical } from '../base/cbor.ts'
import type { Clock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import { turn } from '../base/turns.ts'
import { seal, unseal } from './aead.ts'
import { decodeCanonical } from './codec.ts'
import { diskError } from './fs.ts'
import { type KeyRing, lockedError } from './keys.ts'
import type { LogAnchor } from './state.ts'
import type {
  ActivityEntry,
  ActivityFields,
  ActivityFilter,
  ActivityVerdict,
  VaultFile,
  VaultFs,
} from './types.ts'

/** File: magic (8) | version u16 | first index u64 | hash before it (32) | frames: length u32 | its complement | nonce (12) | sealed. */
const MAGIC = utf8('ENIGMAAL')
const VERSION = 1
const HEAD = 50
const FRAME = 20
const MAX_ENTRY = 64 * 1024
const ZERO_HASH = new Uint8Array(32)
const KIND = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/
const FORBIDDEN = /passw|phrase|mnemonic|secret|private|seed/i

export const EMPTY_ANCHOR: LogAnchor = { count: 0, hash: ZERO_HASH, bytes: 0 }

interface Parsed {
  entry: ActivityEntry
  hash: Uint8Array
  /** Position after the frame. */
  end: number
}

/** What stops a scan: nothing, an append that a crash cut off, or a frame that is not ours. */
type Ending = { kind: 'clean' } | { kind: 'torn' } | { kind: 'tampered'; problem: string }

function header(first: number, before: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEAD)
  out.set(MAGIC)
  const view = new DataView(out.buffer)
  view.setUint16(8, VERSION)
  view.setBigUint64(10, BigInt(first))
  out.set(before, 18)
  return out
}

/**
 * After a power cut a file can be longer than what reached the disk, and the rest reads as zeros: torn when
 * nothing but zeros follows the first `written` − 1 bytes, else tampered with.
 */
function endsInZeros(rest: Uint8Array, written: number, problem: string): Ending {
  const last = rest.findLastIndex((b) => b !== 0)
  return last < written - 1 ? { kind: 'torn' } : { kind: 'tampered', problem }
}

function checkEntry(kind: string, fields: ActivityFields): void {
  const bad = (what: string) => new EnigmaError('INVALID_ARGUMENT', `activity: ${what}`)
  if (kind.length > 64 || !KIND.test(kind)) throw bad('the kind is dotted lower case')
  const entries = Object.entries(fields)
  if (entries.length > 32) throw bad('at most 32 fields')
  for (const [key, value] of entries) {
    // A last net: names like these have no business in a log that people export.
    if (key.length > 64 || FORBIDDEN.test(key)) throw bad('a field name is not allowed')
    const ok =
      typeof value === 'boolean' ||
      (typeof value === 'number' && Number.isFinite(value)) ||
      (typeof value === 'string' && value.length <= 1000 && value.isWellFormed())
    if (!ok) throw bad(`the field ${key} is not a short text, finite number or boolean`)
  }
}

/**
 * Append-only, encrypted, hash-chained log in a file of its own, so that an entry costs one write and one fsync.
 * Every entry carries the hash of its predecessor and is bound to its index; the vault file holds an anchor, so
 * that cutting off what was there when the vault was last saved is noticed too.
 */
export class ActivityLog {
  readonly #fs: VaultFs
  readonly #path: string
  readonly #clock: Clock
  readonly #key: Uint8Array
  readonly #aad: Uint8Array
  #closed = false
  #file: VaultFile | undefined
  #first = 0
  #count = 0
  #hash: Uint8Array = ZERO_HASH
  #bytes = 0
  #anchor: LogAnchor
  #entries: ActivityEntry[] | undefined
  /** The file does not exist yet; its header is written with the first entry. */
  #unwritten = false
  /** An append failed, and what it left is not cut off yet. */
  #halfWritten = false
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(
    fs: VaultFs,
    path: string,
    keys: KeyRing,
    id: Uint8Array,
    clock: Clock,
    anchor: LogAnchor,
  ) {
    this.#fs = fs
    this.#path = path
    this.#clock = clock
    this.#key = keys.derive('activity')
    this.#aad = concatBytes(utf8('enigma/activity/v1'), id)
    this.#anchor = anchor
  }

  /**
   * Reads on from the anchor. An entry that a crash cut off is dropped (it was never acknowledged). A file that
   * was tampered with is moved aside, never deleted, and a new one starts with an entry that says so. Throws
   * VAULT_VERSION for a newer format.
   */
  static async open(
    fs: VaultFs,
    path: string,
    keys: KeyRing,
    id: Uint8Array,
    clock: Clock,
    anchor: LogAnchor,
  ): Promise<ActivityLog> {
    const log = new ActivityLog(fs, path, keys, id, clock, anchor)
    try {
      await log.#open()
    } catch (error) {
      await log.close()
      throw error
    }
    return log
  }

  /** Durable when it resolves. Throws INVALID_ARGUMENT, STORAGE_FULL, VAULT_LOCKED. */
  append(kind: string, fields: ActivityFields = {}): Promise<ActivityEntry> {
    checkEntry(kind, fields)
    return this.#serial(() => this.#append(kind, fields))
  }

  /** Newest first. */
  async read(filter: ActivityFilter = {}): Promise<ActivityEntry[]> {
    const all = await this.#serial(() => this.#load())
    const { kind, limit = 1000, offset = 0 } = filter
    const from = filter.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(filter.from)
    const to = filter.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(filter.to)
    if (Number.isNaN(from) || Number.isNaN(to))
      throw new EnigmaError('INVALID_ARGUMENT', 'the time is not ISO 8601')
    const matches: ActivityEntry[] = []
    for (const entry of [...all].reverse()) {
      await this.#turn()
      if (matches.length === offset + limit) break
      const at = Date.parse(entry.time)
      if (at < from || at > to) continue
      if (kind === undefined || (kind.endsWith('.') ? entry.kind.startsWith(kind) : entry.kind === kind))
        matches.push({ ...entry, fields: { ...entry.fields } })
    }
    return matches.slice(offset)
  }

  /** A line of JSON for each entry, oldest first. */
  async lines(filter: ActivityFilter = {}): Promise<string> {
    const entries = await this.read({ limit: Number.POSITIVE_INFINITY, ...filter })
    const lines: string[] = []
    for (const entry of entries.reverse()) {
      await this.#turn()
      lines.push(`${JSON.stringify(entry)}\n`)
    }
    return lines.join('')
  }

  /** Reads the whole file again and checks every entry, the chain, the anchor and the head. */
  verify(): Promise<ActivityVerdict> {
    return this.#serial(() => this.#verify())
  }

  /** For the vault file, whenever it is saved. */
  get anchor(): LogAnchor {
    return { count: this.#count, hash: this.#hash, bytes: this.#bytes }
  }

  /** The anchor is now in a durable vault file. */
  anchored(anchor: LogAnchor): void {
    this.#anchor = anchor
  }

  /** Wipes the key at once, then waits for the write under way. */
  async close(): Promise<void> {
    this.#closed = true
    wipe(this.#key)
    this.#entries = undefined
    await this.#queue.catch(() => {})
    const file = this.#file
    this.#file = undefined
    await file?.close().catch(() => {})
  }

  async #turn(): Promise<void> {
    await turn()
    if (this.#closed) throw lockedError()
  }

  #serial<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(lockedError())
    const result = this.#queue.then(run)
    this.#queue = result.catch(() => {})
    return result
  }

  async #append(kind: string, fields: ActivityFields): Promise<ActivityEntry> {
    // A wiped key must never seal.
    if (this.#closed) throw lockedError()
    const index = this.#count
    const plain = encodeCanonical({ i: index, t: this.#clock.now(), k: kind, f: fields })
    if (plain.length > MAX_ENTRY)
      throw new EnigmaError('INVALID_ARGUMENT', 'activity: the entry is too large')
    const hash = this.#chain(this.#hash, plain)
    // Random, not the index: after a torn append the same index is written again with other content.
    const nonce = randomBytes(12)
    const sealed = seal(this.#key, nonce, this.#frameAad(index), concatBytes(this.#hash, plain))
    const frame = new Uint8Array(FRAME + sealed.length)
    const view = new DataView(frame.buffer)
    view.setUint32(0, sealed.length)
    // A flipped length must not look like an entry that a crash cut off.
    view.setUint32(4, ~sealed.length)
    frame.set(nonce, 8)
    frame.set(sealed, FRAME)
    try {
      const file = await this.#writable()
      this.#halfWritten = true
      await file.write(frame)
      await file.sync()
      this.#halfWritten = false
    } catch (error) {
      // A half-written frame must not stay in front of the next one; if this fails too, #writable tries again.
      if (this.#halfWritten) await this.#cutTail().catch(() => {})
      throw diskError(error, 'the activity log')
    }
    this.#hash = hash
    this.#count++
    this.#bytes += frame.length
    const entry = this.#entry(index, plain, hash)
    this.#entries?.push(entry)
    return entry
  }

  #chain(before: Uint8Array, plain: Uint8Array): Uint8Array {
    return new Uint8Array(createHash('sha256').update(before).update(plain).digest())
  }

  #frameAad(index: number): Uint8Array {
    const n = new Uint8Array(8)
    new DataView(n.buffer).setBigUint64(0, BigInt(index))
    return concatBytes(this.#aad, n)
  }

  #entry(index: number, plain: Uint8Array, hash: Uint8Array): ActivityEntry {
    const { t, k, f } = decodeCanonical(plain) as { t: number; k: string; f: ActivityFields }
    return { index, time: new Date(t).toISOString(), kind: k, fields: f, hash: toHex(hash).slice(2) }
  }

  /** The open file, exactly as long as its last good frame. */
  async #writable(): Promise<VaultFile> {
    this.#file ??= await this.#fs.open(this.#path, 'append')
    const size = await this.#file.size()
    if (size < this.#bytes)
      throw new EnigmaError('VAULT_CORRUPT', 'the activity log was shortened while it was open')
    if (size > this.#bytes) {
      if (!this.#halfWritten)
        throw new EnigmaError('VAULT_CHANGED', 'another program appended to the activity log', {
          remedy: 'Close the other program, lock and unlock again. Nothing was overwritten.',
        })
      await this.#cutTail()
    }
    if (this.#unwritten) {
      this.#halfWritten = true
      await this.#file.write(header(this.#first, this.#hash))
      await this.#file.sync()
      await this.#fs.syncDir(dirname(this.#path))
      this.#halfWritten = false
      this.#unwritten = false
      this.#bytes = HEAD
    }
    return this.#file
  }

  async #cutTail(): Promise<void> {
    this.#file ??= await this.#fs.open(this.#path, 'append')
    await this.#file.truncate(this.#bytes)
    await this.#file.sync()
    this.#halfWritten = false
  }

  async #open(): Promise<void> {
    if (!(await this.#fs.exists(this.#path))) {
      if (this.#anchor.count === 0) this.#begin(0, ZERO_HASH)
      else await this.#startAfterDamage('the file is missing')
      return
    }
    this.#file = await this.#fs.open(this.#path, 'append')
    const size = await this.#file.size()
    const head = await this.#file.read(HEAD, 0)
    if (size < HEAD && this.#anchor.count === 0) {
      // The very first write was cut off.
      this.#begin(0, ZERO_HASH)
      this.#halfWritten = true
      return
    }
    const view = new DataView(head.buffer, head.byteOffset, head.length)
    if (head.length < HEAD || !equalBytes(head.subarray(0, 8), MAGIC))
      return this.#startAfterDamage('not a log')
    if (view.getUint16(8) > VERSION)
      throw new EnigmaError('VAULT_VERSION', 'the activity log was written by a newer version', {
        remedy: 'Update the program. The file was not touched.',
      })
    const first = Number(view.getBigUint64(10))
    this.#first = first
    const anchored = this.#anchor.count > 0
    if (anchored && (size < this.#anchor.bytes || first > this.#anchor.count))
      return this.#startAfterDamage('entries are missing at the end')
    const from = anchored
      ? { count: this.#anchor.count, hash: this.#anchor.hash, at: this.#anchor.bytes }
      : { count: first, hash: head.slice(18, HEAD), at: HEAD }
    const { parsed, ending } = await this.#scan(this.#file, from.at, from.count, from.hash)
    const last = parsed.at(-1)
    this.#count = from.count + parsed.length
    this.#hash = last?.hash ?? from.hash
    this.#bytes = last?.end ?? from.at
    if (ending.kind === 'tampered') return this.#startAfterDamage(ending.problem)
    if (ending.kind === 'torn') await this.#cutTail()
  }

  #begin(first: number, before: Uint8Array): void {
    this.#unwritten = true
    this.#first = first
    this.#count = first
    this.#hash = before
    this.#bytes = 0
  }

  async #startAfterDamage(problem: string): Promise<void> {
    const count = Math.max(this.#count, this.#anchor.count)
    const hash = this.#count >= this.#anchor.count && this.#count > 0 ? this.#hash : this.#anchor.hash
    await this.#file?.close()
    this.#file = undefined
    let moved = ''
    if (await this.#fs.exists(this.#path)) {
      moved = `${this.#path}.damaged-${this.#clock.now()}`
      await this.#fs.rename(this.#path, moved)
    }
    this.#begin(count, hash)
    // On a full disk the vault must still open; verify() reports the damage all the same.
    await this.#append('log.damaged', { problem, keptAside: moved !== '' }).catch(() => {})
  }

  async #load(): Promise<ActivityEntry[]> {
    if (this.#unwritten) return []
    if (this.#entries === undefined) {
      const { parsed } = await this.#scanAll()
      this.#entries = parsed.map(({ entry }) => entry)
    }
    return this.#entries
  }

  async #scanAll() {
    const file = await this.#fs.open(this.#path, 'read')
    try {
      const head = await file.read(HEAD, 0)
      const result = await this.#scan(file, HEAD, this.#first, head.slice(18))
      return { ...result, head }
    } finally {
      await file.close()
    }
  }

  async #verify(): Promise<ActivityVerdict> {
    const verdict = (problem?: string, at?: number): ActivityVerdict => ({
      ok: problem === undefined,
      entries: this.#count - this.#first,
      head: toHex(this.#hash).slice(2),
      ...(problem === undefined ? {} : { problem }),
      ...(at === undefined ? {} : { at }),
    })
    if (this.#unwritten)
      return this.#first === 0 ? verdict() : verdict('an earlier part was damaged and kept aside', 0)
    let scan: { parsed: Parsed[]; ending: Ending; head: Uint8Array }
    try {
      scan = await this.#scanAll()
    } catch (error) {
      if (this.#closed) throw error
      return verdict('the file cannot be read', this.#first)
    }
    const { parsed, ending, head } = scan
    const next = this.#first + parsed.length
    const start = this.#first === 0 ? ZERO_HASH : head.slice(18)
    if (!equalBytes(head, header(this.#first, start))) return verdict('the header was changed', this.#first)
    if (ending.kind === 'tampered') return verdict(ending.problem, next)
    if (ending.kind === 'torn') return verdict('the last entry is cut off', next)
    if (next < this.#count) return verdict('entries are missing at the end', next)
    const anchored = this.#anchor.count - this.#first
    const atAnchor = anchored > 0 ? parsed[anchored - 1]?.hash : anchored === 0 ? start : undefined
    if (this.#anchor.count > 0 && atAnchor !== undefined && !equalBytes(atAnchor, this.#anchor.hash))
      return verdict('the log is not the one the vault knows', this.#anchor.count)
    if (!equalBytes(parsed.at(-1)?.hash ?? start, this.#hash) || next > this.#count)
      return verdict('the log changed behind the running program', next)
    if (this.#first > 0) return verdict('an earlier part was damaged and kept aside', this.#first)
    return verdict()
  }

  async #scan(
    file: VaultFile,
    start: number,
    count: number,
    before: Uint8Array,
  ): Promise<{ parsed: Parsed[]; ending: Ending }> {
    const size = await file.size()
    const data = await file.read(Math.max(0, size - start), start)
    if (this.#closed) throw lockedError()
    const view = new DataView(data.buffer, data.byteOffset, data.length)
    const parsed: Parsed[] = []
    let at = 0
    let hash = before
    while (at < data.length) {
      await this.#turn()
      const index = count + parsed.length
      const rest = data.subarray(at)
      if (rest.length < FRAME) return { parsed, ending: { kind: 'torn' } }
      const length = view.getUint32(at)
      if (length < 48 || length > MAX_ENTRY + 48 || view.getUint32(at + 4) !== ~length >>> 0)
        return { parsed, ending: endsInZeros(rest, FRAME, `entry ${index} has an impossible length`) }
      if (rest.length < FRAME + length) return { parsed, ending: { kind: 'torn' } }
      const plain = unseal(
        this.#key,
        rest.slice(8, FRAME),
        this.#frameAad(index),
        rest.subarray(FRAME, FRAME + length),
      )
      if (plain === undefined)
        return {
          parsed,
          ending: endsInZeros(rest, FRAME + length - 15, `entry ${index} does not authenticate`),
        }
      if (!equalBytes(plain.subarray(0, 32), hash))
        return {
          parsed,
          ending: { kind: 'tampered', problem: `entry ${index} does not follow its predecessor` },
        }
      const body = plain.subarray(32)
      hash = this.#chain(hash, body)
      at += FRAME + length
      parsed.push({ entry: this.#entry(index, body, hash), hash, end: start + at })
    }
    return { parsed, ending: { kind: 'clean' } }
  }
}
