import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { isLate, turn } from '../base/turns.ts'
import type { Spacing } from './spacing.ts'

/**
 * Connections that together bring no more in a turn of the event loop than it should last: each socket otherwise hands over
 * what has come, up to two megabytes, and all of it is decrypted and worked on before anything else has its turn. When one
 * of them makes a turn long enough, all stop reading, and go on one after the other.
 */
export class Pacing {
  readonly #reading = new Set<MessageStream>()
  readonly #stopped: MessageStream[] = []

  /** To its end; from when somebody reads it: what comes before must wait for that, not be handed to this. */
  add(connection: MessageStream): void {
    this.#reading.add(connection)
    connection.addEventListener('close', () => this.#reading.delete(connection))
    connection.addEventListener('message', () => {
      // Begins to measure.
      isLate()
      // Before the next socket is read, when what waited for this message is done with it; not at once, because a connection
      // that is stopped while it goes on stops handing over and keeps reading, until it has read too much.
      queueMicrotask(() => process.nextTick(() => this.#check()))
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

/** An encrypter whose connections are paced together, once it reads them. */
export function paced<Components>(
  create: (components: Components) => ConnectionEncrypter,
  { inbound, outbound }: { inbound: Spacing; outbound: Spacing },
): (components: Components) => ConnectionEncrypter {
  const pacing = new Pacing()
  return (components) => {
    const encrypter = create(components)
    const secure =
      (way: 'secureInbound' | 'secureOutbound', spacing: Spacing): ConnectionEncrypter['secureInbound'] =>
      async (stream, options) => {
        const secured = await spacing.run(() => encrypter[way](stream, options))
        pacing.add(stream)
        return secured
      }
    return Object.assign(Object.create(encrypter) as ConnectionEncrypter, {
      secureInbound: secure('secureInbound', inbound),
      secureOutbound: secure('secureOutbound', outbound),
    })
  }
}
