import type { Stream } from '@libp2p/interface'
import { concatBytes } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { CHUNK_BYTES } from './constants.ts'
import { FrameReader } from './frames.ts'

/** Received and unread bytes of one stream before it is paused; yamux windows bound what is in flight. */
const PAUSE_AT = 8 * CHUNK_BYTES

/**
 * A libp2p stream as fields to read and bytes to write, with back-pressure both ways. The reader must be
 * created in the same turn in which the stream arrives, or data is missed.
 */
export class StreamChannel {
  readonly stream: Stream
  readonly #reader = new FrameReader()
  readonly #closed: Promise<void>
  #gone = false
  #paused = false
  #reading = false

  constructor(stream: Stream) {
    this.stream = stream
    let settle: () => void = () => undefined
    this.#closed = new Promise((resolve) => {
      settle = resolve
    })
    const over = () => this.#reader.end(new EnigmaError('CHANNEL_CLOSED', 'the channel ended'))
    stream.addEventListener('message', (event) => {
      const data = event.data
      if (data instanceof Uint8Array) this.#reader.push(data)
      else for (const part of data) this.#reader.push(part)
      if (!this.#reading && this.#reader.buffered > PAUSE_AT) this.#pause()
    })
    // `end`, not `remoteCloseWrite`: a paused stream still holds what came before it.
    stream.addEventListener('end', over)
    const gone = (error?: Error) => {
      this.#gone = true
      if (error || stream.readableEnded || stream.readBufferLength === 0) over()
      settle()
    }
    stream.addEventListener('close', (event) => gone(event.error))
    if (stream.status !== 'open' && stream.status !== 'closing') gone()
  }

  /** Resolves when the stream is gone, however it ended. */
  get closed(): Promise<void> {
    return this.#closed
  }

  /** The next `length` bytes. Rejects with CHANNEL_CLOSED. */
  async read(length: number): Promise<Uint8Array> {
    this.#reading = true
    this.#resume()
    try {
      return await this.#reader.read(length)
    } finally {
      this.#reading = false
    }
  }

  async readUint8(): Promise<number> {
    return (await this.read(1))[0]!
  }

  async readUint32(): Promise<number> {
    const b = await this.read(4)
    return new DataView(b.buffer, b.byteOffset, 4).getUint32(0)
  }

  /** Stops taking bytes from the peer until the next read. */
  pause(): void {
    this.#pause()
  }

  /** Rejects with CHANNEL_CLOSED. The bytes must not change before it resolves. */
  async write(...parts: Uint8Array[]): Promise<void> {
    // Every part costs a frame and an encryption.
    const short = parts.reduce((n, part) => n + part.length, 0) <= CHUNK_BYTES
    for (const part of short ? [concatBytes(...parts)] : parts)
      for (let at = 0; at < part.length; at += CHUNK_BYTES) {
        const chunk =
          part.length <= CHUNK_BYTES ? part : part.subarray(at, Math.min(at + CHUNK_BYTES, part.length))
        let more: boolean
        try {
          more = this.stream.send(chunk)
        } catch (cause) {
          throw new EnigmaError('CHANNEL_CLOSED', 'the channel is closed', { cause })
        }
        if (!more) await this.#drained()
        else await turn()
      }
    if (this.#gone) throw new EnigmaError('CHANNEL_CLOSED', 'the channel is closed')
  }

  async end(): Promise<void> {
    await this.stream.close()
  }

  abort(why = 'aborted'): void {
    this.stream.abort(new Error(why))
  }

  #pause(): void {
    if (this.#paused || this.stream.readStatus !== 'readable') return
    this.#paused = true
    try {
      this.stream.pause()
    } catch {
      this.#paused = false
    }
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    try {
      if (this.stream.readStatus === 'paused') this.stream.resume()
    } catch {
      // The connection went away; what was buffered has been delivered.
    }
  }

  /** Until everything handed over has left the stream's own buffer. */
  async #drained(): Promise<void> {
    const { stream } = this
    while (!this.#gone && (stream.writableNeedsDrain || stream.writeBufferLength > 0))
      await new Promise<void>((resolve) => {
        const done = () => {
          stream.removeEventListener('drain', done)
          stream.removeEventListener('idle', done)
          stream.removeEventListener('close', done)
          resolve()
        }
        stream.addEventListener('drain', done)
        stream.addEventListener('idle', done)
        stream.addEventListener('close', done)
      })
    if (this.#gone) throw new EnigmaError('CHANNEL_CLOSED', 'the channel is closed')
  }
}
