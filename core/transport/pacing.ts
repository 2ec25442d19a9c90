import type { MessageStream } from '@libp2p/interface'
import { isLate, turn } from '../base/turns.ts'

/**
 * Connections that together bring no more in a turn of the event loop than it should last: each socket otherwise hands over
 * what has come, up to two megabytes, and all of it is decrypted and worked on before anything else has its turn. When one
 * of them makes a turn long enough, all stop reading, and go on one after the other.
 */
export class Pacing {
  readonly #reading = new Set<MessageStream>()
  readonly #stopped: MessageStream[] = []

  /** From the beginning of a connection to its end. */
  add(connection: MessageStream): void {
    this.#reading.add(connection)
    connection.addEventListener('close', () => this.#reading.delete(connection))
    connection.addEventListener('message', () => {
      this.#check()
      // When this message has been dealt with, and before the next socket is read.
      queueMicrotask(() => this.#check())
    })
  }

  #check(): void {
    if (this.#reading.size === 0 || !isLate()) return
    const idle = this.#stopped.length === 0
    for (const connection of this.#reading) {
      // Both refuse when the connection is going away.
      try {
        connection.pause()
      } catch {
        continue
      }
      this.#reading.delete(connection)
      this.#stopped.push(connection)
    }
    if (idle && this.#stopped.length > 0) void this.#resume()
  }

  async #resume(): Promise<void> {
    while (this.#stopped.length > 0) {
      await turn()
      const connection = this.#stopped.shift()
      if (connection === undefined) continue
      try {
        this.#reading.add(connection)
        connection.resume()
      } catch {
        this.#reading.delete(connection)
      }
    }
  }
}
