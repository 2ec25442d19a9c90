import { setImmediate } from 'node:timers'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { isLate } from '../base/turns.ts'

/**
 * An encrypter whose connections read no more in a turn of the event loop than it should last: a socket otherwise hands
 * over two megabytes at once, all of which is decrypted and copied before anything else has its turn.
 */
export function paced<Components>(
  create: (components: Components) => ConnectionEncrypter,
): (components: Components) => ConnectionEncrypter {
  return (components) => {
    const encrypter = create(components)
    const secure =
      (way: 'secureInbound' | 'secureOutbound'): ConnectionEncrypter['secureInbound'] =>
      async (stream, options) => {
        const secured = await encrypter[way](stream, options)
        // After the encrypter's own listener, which takes what has come.
        pace(stream)
        return secured
      }
    return Object.assign(Object.create(encrypter) as ConnectionEncrypter, {
      secureInbound: secure('secureInbound'),
      secureOutbound: secure('secureOutbound'),
    })
  }
}

function pace(stream: MessageStream): void {
  let paused = false
  stream.addEventListener('message', () => {
    if (paused || !isLate()) return
    // Both refuse when the connection is going away.
    try {
      stream.pause()
      paused = true
    } catch {
      return
    }
    setImmediate(() => {
      paused = false
      try {
        stream.resume()
      } catch {}
    })
  })
}
