import { randomUUID } from 'node:crypto'
import { EnigmaError } from '../base/errors.ts'
import { MiB } from '../base/units.ts'

/** The most one file may have, and all that wait together. */
const MAX_BYTES = 64 * MiB
const MAX_TOTAL_BYTES = 128 * MiB

/**
 * Files on their way into the vault, which come in pieces because a call is short. In memory that threads share; of too many
 * the oldest goes. Wiped when they are discarded, the latest with the lock.
 */
export class Uploads {
  readonly #waiting = new Map<string, { pieces: Uint8Array[]; bytes: number }>()

  /**
   * Begins an upload, or adds to `upload`. `content`: base64. Throws INVALID_ARGUMENT, NOT_FOUND, QUOTA_EXCEEDED.
   */
  add(upload: string | undefined, content: string): { upload: string; bytes: number } {
    const decoded = Buffer.from(content, 'base64')
    if (content.length % 4 !== 0 || decoded.length !== decodedLength(content))
      throw new EnigmaError('INVALID_ARGUMENT', 'content: not base64')
    const waiting = upload === undefined ? { pieces: [], bytes: 0 } : this.#find(upload)
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

  /** Its pieces. Throws NOT_FOUND. */
  get(upload: string): readonly Uint8Array[] {
    return this.#find(upload).pieces
  }

  discard(upload: string): void {
    for (const piece of this.#waiting.get(upload)?.pieces ?? []) piece.fill(0)
    this.#waiting.delete(upload)
  }

  clear(): void {
    for (const upload of this.#waiting.keys()) this.discard(upload)
  }

  #find(upload: string): { pieces: Uint8Array[]; bytes: number } {
    const waiting = this.#waiting.get(upload)
    if (waiting === undefined)
      throw new EnigmaError('NOT_FOUND', `upload: ${upload} is not waiting any more`, {
        remedy: 'Send the file again.',
      })
    return waiting
  }

  #makeRoom(newest: string): void {
    let total = [...this.#waiting.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    for (const [id, { bytes }] of this.#waiting) {
      if (total <= MAX_TOTAL_BYTES) return
      if (id === newest) continue
      total -= bytes
      this.discard(id)
    }
  }
}

function decodedLength(base64: string): number {
  return (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)
}
