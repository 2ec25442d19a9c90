import { access, type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import type { VaultFile, VaultFs } from './types.ts'

const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/

function errno(error: unknown): string {
  const code = (error as NodeJS.ErrnoException)?.code
  return typeof code === 'string' ? code : ''
}

class NodeFile implements VaultFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(data: Uint8Array): Promise<void> {
    let at = 0
    while (at < data.length) at += (await this.#handle.write(data, at, data.length - at)).bytesWritten
  }

  async read(length: number, position: number): Promise<Uint8Array> {
    const out = new Uint8Array(length)
    let at = 0
    while (at < length) {
      const { bytesRead } = await this.#handle.read(out, at, length - at, position + at)
      if (bytesRead === 0) break
      at += bytesRead
    }
    return out.subarray(0, at)
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length)
  }

  sync(): Promise<void> {
    return this.#handle.sync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** The file system of Node. New files have mode 0600, new directories 0700. */
export const nodeFs: VaultFs = {
  async open(path, mode) {
    // O_APPEND writes go to the end; 'a+' also reads, which the log's recovery needs.
    return new NodeFile(await open(path, mode === 'read' ? 'r' : mode === 'create' ? 'wx' : 'a+', 0o600))
  },
  rename,
  remove: unlink,
  async list(dir) {
    try {
      return await readdir(dir)
    } catch (error) {
      if (errno(error) === 'ENOENT') return []
      throw error
    }
  },
  async exists(path) {
    try {
      await access(path)
      return true
    } catch (error) {
      if (errno(error) === 'ENOENT') return false
      throw error
    }
  },
  async makeDir(dir) {
    await mkdir(dir, { recursive: true, mode: 0o700 })
  },
  async syncDir(dir) {
    // Windows cannot open a directory for fsync; NTFS journals the rename itself.
    if (process.platform === 'win32') return
    const handle = await open(dir, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

/** Turns an operating-system failure into words; EnigmaErrors pass. */
export function diskError(error: unknown, what: string): EnigmaError {
  if (error instanceof EnigmaError) return error
  const code = errno(error)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new EnigmaError('STORAGE_FULL', `the disk is full: ${what} was not written`, {
      remedy: 'Free some space and try again. What was saved before is untouched.',
    })
  return new EnigmaError(
    'INTERNAL',
    `${what} could not be written or read${code === '' ? '' : ` (${code})`}`,
    {
      remedy: 'Check the disk and its permissions. What was saved before is untouched.',
      cause: error,
    },
  )
}

export function temporaryName(path: string): string {
  return `${path}.${toHex(randomBytes(6)).slice(2)}.tmp`
}

/**
 * Replaces `path` so that after a crash at any point either the old or the new content is there, whole: write
 * beside it, fsync, rename, fsync the directory. `onRenamed` runs when the new content became visible, which
 * is before it is certain to be durable. On failure the temporary file is removed as far as possible.
 */
export async function replaceFile(
  fs: VaultFs,
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onRenamed: () => void = () => {},
): Promise<void> {
  const temporary = temporaryName(path)
  let file: VaultFile | undefined
  let renamed = false
  try {
    file = await fs.open(temporary, 'create')
    for await (const part of content) await file.write(part)
    await file.sync()
    const done = file
    file = undefined
    await done.close()
    await fs.rename(temporary, path)
    renamed = true
    onRenamed()
    await fs.syncDir(dirname(path))
  } catch (error) {
    await file?.close().catch(() => {})
    if (!renamed) await fs.remove(temporary).catch(() => {})
    throw diskError(error, basename(path))
  }
}

/** Removes what interrupted replacements left behind. Failures are ignored: the next start tries again. */
export async function removeTemporaries(fs: VaultFs, dir: string): Promise<void> {
  for (const name of await fs.list(dir).catch(() => []))
    if (TEMPORARY.test(name)) await fs.remove(join(dir, name)).catch(() => {})
}

/** The whole of a small file; throws VAULT_CORRUPT when it is larger than `limit` bytes. */
export async function readWhole(fs: VaultFs, path: string, limit: number): Promise<Uint8Array> {
  const file = await fs.open(path, 'read')
  try {
    const size = await file.size()
    if (size > limit) throw new EnigmaError('VAULT_CORRUPT', `${basename(path)} is larger than any we write`)
    return await file.read(size, 0)
  } finally {
    await file.close()
  }
}
