import { randomUUID } from 'node:crypto'
import { wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { MiB } from '../base/units.ts'

/** The most one file may have, and all that wait together. */
const MAX_BYTES = 64 * MiB
const MAX_TOTAL_BYTES = 128 * MiB
const MAX_UPLOADS = 16

interface Waiting {
  /** In memory that threads share. */
  readonly pieces: Uint8Array[]
  bytes: number
  /** Who reads it at the moment. */
  users: number
}

/**
 * Files on their way into the vault, which come in pieces because a call is short. Of too many the oldest goes that nobody reads.
 * Wiped when they are discarded, at the latest with the lock, as soon as nobody reads them.
 */
export class Uploads {
  readonly #waiting = new Map<string, Waiting>()

  /**
   * Begins an upload, or adds to `upload`. `content`: base64. Throws INVALID_ARGUMENT, NOT_FOUND, QUOTA_EXCEEDED.
   */
  add(upload: string | undefined, content: string): { upload: string; bytes: number } {
    const decoded = Buffer.from(content, 'base64')
    if (content.length % 4 !== 0 || decoded.length !== decodedLength(content))
      throw new EnigmaError('INVALID_ARGUMENT', 'content: not base64')
    const waiting: Waiting = upload === undefined ? { pieces: [], bytes: 0, users: 0 } : this.#find(upload)
    if (waiting.bytes + decoded.length > MAX_BYTES)
      throw new EnigmaError('QUOTA_EXCEEDED', `the file has more than ${MAX_BYTES / MiB} MiB`, {
        remedy: 'Add it with the command line, which reads it where it is: enigma data add --file.',
      })
    const piece = new Uint8Array(new SharedArrayBuffer(decoded.length))
    piece.set(decoded)
    decoded.fill(0)
    waiting.pieces.push(piece)
    waiting.bytes += piece.length
    const id = upload ?? randomUUID()
    this.#waiting.set(id, waiting)
    this.#makeRoom(id)
    return { upload: id, bytes: waiting.bytes }
  }

  /** Gives `work` its pieces, which stay until it ends. Throws NOT_FOUND. */
  async use<T>(upload: string, work: (content: readonly Uint8Array[]) => Promise<T>): Promise<T> {
    const waiting = this.#find(upload)
    waiting.users++
    try {
      return await work(waiting.pieces)
    } finally {
      waiting.users--
      if (this.#waiting.get(upload) !== waiting) wipeUnused(waiting)
    }
  }

  discard(upload: string): void {
    const waiting = this.#waiting.get(upload)
    this.#waiting.delete(upload)
    if (waiting !== undefined) wipeUnused(waiting)
  }

  clear(): void {
    for (const upload of this.#waiting.keys()) this.discard(upload)
  }

  #find(upload: string): Waiting {
    const waiting = this.#waiting.get(upload)
    if (waiting === undefined)
      throw new EnigmaError('NOT_FOUND', `upload: ${upload} is not waiting any more`, {
        remedy: 'Send the file again.',
      })
    return waiting
  }

  #makeRoom(newest: string): void {
    let total = [...this.#waiting.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    for (const [id, { bytes, users }] of this.#waiting) {
      if (total <= MAX_TOTAL_BYTES && this.#waiting.size <= MAX_UPLOADS) return
      if (id === newest || users > 0) continue
      total -= bytes
      this.discard(id)
    }
  }
}

function wipeUnused({ pieces, users }: Waiting): void {
  if (users === 0) wipe(...pieces)
}

function decodedLength(base64: string): number {
  return (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)
}
