import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { concatBytes, equalBytes, utf8, wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import { KiB } from '../base/units.ts'
import { openStream, StreamSealer, sealedLength } from './aead.ts'
import { diskError, removeTemporaries, temporaryName } from './fs.ts'
import type { KeyRing } from './keys.ts'
import type { VaultFile, VaultFs } from './types.ts'

const MAGIC = utf8('ENIGMABL')
const SALT = 16
const HEAD = MAGIC.length + SALT
const NAME = /^[0-9a-f]{64}$/
/** Bytes that are encrypted at once. */
const PIECE_BYTES = 256 * KiB

/** What a record keeps about content in a file of its own. */
export interface BlobRef {
  /** HMAC-SHA256 of the content under the vault's naming key, hex: the file's name. */
  id: string
  /** From which the file's key is derived; a file put in its place under another salt does not open. */
  salt: Uint8Array
  /** Bytes of plaintext. */
  size: number
}

/**
 * Encrypted files beside the vault, named by a keyed hash of their content, so that equal content is stored
 * once and the names tell nothing. Layout: magic (8) | salt (16) | STREAM.
 */
export class BlobStore {
  readonly #fs: VaultFs
  readonly #dir: string
  readonly #keys: KeyRing
  /** Written but not yet referenced by a saved vault: the sweep leaves them alone. */
  readonly #pending = new Map<string, number>()

  constructor(fs: VaultFs, dir: string, keys: KeyRing) {
    this.#fs = fs
    this.#dir = dir
    this.#keys = keys
  }

  /**
   * Streams `content` to disk, durable when it resolves. Throws QUOTA_EXCEEDED above `limit` bytes, STORAGE_FULL.
   * Call `release` when a saved vault references it, or it is given up.
   */
  async write(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, limit: number): Promise<BlobRef> {
    const salt = randomBytes(SALT)
    const key = this.#keys.derive('blob/data', salt)
    const naming = this.#keys.derive('blob/name')
    const hash = createHmac('sha256', naming)
    const sealer = new StreamSealer(key, MAGIC)
    wipe(key, naming)

    let file: VaultFile | undefined
    let temporary: string | undefined
    try {
      await this.#fs.makeDir(this.#dir)
      temporary = temporaryName(join(this.#dir, 'new'))
      file = await this.#fs.open(temporary, 'create')
      await file.write(concatBytes(MAGIC, salt))
      let size = 0
      for await (const part of content) {
        this.#keys.check()
        size += part.length
        if (size > limit)
          throw new EnigmaError('QUOTA_EXCEEDED', `the content is larger than ${limit} bytes`, {
            details: { limit },
          })
        for (let from = 0; from < part.length; from += PIECE_BYTES) {
          const piece = part.subarray(from, from + PIECE_BYTES)
          hash.update(piece)
          for (const sealed of sealer.update(piece)) await file.write(sealed)
        }
      }
      await file.write(sealer.finish())
      await file.sync()
      const done = file
      file = undefined
      await done.close()

      const id = hash.digest('hex')
      this.#pending.set(id, (this.#pending.get(id) ?? 0) + 1)
      const existing = await this.#existingSalt(id, size)
      if (existing !== undefined) {
        await this.#fs.remove(temporary)
        return { id, salt: existing, size }
      }
      await this.#fs.rename(temporary, join(this.#dir, id))
      await this.#fs.syncDir(this.#dir)
      return { id, salt, size }
    } catch (error) {
      sealer.dispose()
      await file?.close().catch(() => {})
      if (temporary !== undefined) await this.#fs.remove(temporary).catch(() => {})
      throw diskError(error, 'the content')
    }
  }

  release(ref: BlobRef): void {
    const count = this.#pending.get(ref.id) ?? 0
    if (count > 1) this.#pending.set(ref.id, count - 1)
    else this.#pending.delete(ref.id)
  }

  /** Authenticated chunks. Throws VAULT_CORRUPT (also when the file is missing), VAULT_LOCKED once locked. */
  async *read(ref: BlobRef): AsyncGenerator<Uint8Array, void, undefined> {
    const key = this.#keys.derive('blob/data', ref.salt)
    const damaged = (problem: string) =>
      new EnigmaError('VAULT_CORRUPT', `a content file of the vault ${problem}`, {
        remedy: 'Import your last export: it puts the content back.',
        details: { file: ref.id },
      })
    let file: VaultFile | undefined
    try {
      file = await this.#fs.open(join(this.#dir, ref.id), 'read').catch(() => undefined)
      if (file === undefined) throw damaged('is missing')
      const reader = file
      const size = await reader.size()
      const head = await reader.read(HEAD, 0)
      if (size !== HEAD + sealedLength(ref.size) || !equalBytes(head, concatBytes(MAGIC, ref.salt)))
        throw damaged('is not the one that was stored')
      const chunks = openStream(key, MAGIC, (n, at) => reader.read(n, at), HEAD, size - HEAD)
      try {
        for await (const chunk of chunks) {
          this.#keys.check()
          yield chunk
        }
      } catch (error) {
        if (error instanceof EnigmaError && error.code === 'VAULT_CORRUPT') throw damaged('is damaged')
        throw error
      }
    } finally {
      wipe(key)
      await file?.close()
    }
  }

  /** The whole content, only after all of it authenticated. For content known to fit in memory. */
  async readAll(ref: BlobRef): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for await (const part of this.read(ref)) parts.push(part)
    return concatBytes(...parts)
  }

  /** Removes files that no record references, and what interrupted writes left. Never throws. */
  async sweep(referenced: ReadonlySet<string>): Promise<number> {
    await removeTemporaries(this.#fs, this.#dir)
    let removed = 0
    for (const name of await this.#fs.list(this.#dir).catch(() => []))
      if (NAME.test(name) && !referenced.has(name) && !this.#pending.has(name))
        await this.#fs.remove(join(this.#dir, name)).then(
          () => removed++,
          () => {},
        )
    return removed
  }

  /** The salt of an undamaged file of that name and size; undefined when there is none or it does not open. */
  async #existingSalt(id: string, size: number): Promise<Uint8Array | undefined> {
    const path = join(this.#dir, id)
    if (!(await this.#fs.exists(path))) return undefined
    const file = await this.#fs.open(path, 'read')
    let salt: Uint8Array
    try {
      salt = (await file.read(HEAD, 0)).slice(MAGIC.length)
    } finally {
      await file.close()
    }
    if (salt.length !== SALT) return undefined
    try {
      // A damaged copy must not stand in for the good content that is being stored.
      for await (const _ of this.read({ id, salt, size }));
      return salt
    } catch {
      return undefined
    }
  }
}
