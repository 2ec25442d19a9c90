import { setImmediate as nextTurn } from 'node:timers/promises'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Logger } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { givingUpQuietly } from '../../../core/transport/muxing.ts'

const log = Object.assign(() => undefined, {
  ...{ error: () => undefined, trace: () => undefined },
  newScope: () => log,
}) as unknown as Logger
const logger = { forComponent: () => log }

/** A connection on which nothing can be written any more, and something is still to be read. */
class HalfClosed extends EventTarget {
  readonly log = log
  direction = 'inbound'
  aborted: Error | undefined

  send(): boolean {
    throw new Error('Cannot write to a stream that is closed')
  }

  abort(error: Error): void {
    this.aborted = error
  }

  receive(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
}

describe('a muxer', () => {
  it('gives up a connection that is closed for writing, when nonsense comes, without an error that ends the process', async () => {
    const uncaught: unknown[] = []
    const connection = new HalfClosed()
    const factory = givingUpQuietly(yamux())({ logger } as never)
    const muxer = factory.createStreamMuxer(connection as never)
    const note = (error: unknown) => uncaught.push(error)
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException').on('uncaughtException', note)
    try {
      connection.receive(new Uint8Array(12).fill(255))
      await nextTurn()
    } finally {
      process.off('uncaughtException', note)
      for (const other of others) process.on('uncaughtException', other)
    }
    expect(connection.aborted).toBeDefined()
    expect(muxer.status).toBe('closed')
    expect(uncaught).toEqual([])
  })
})
