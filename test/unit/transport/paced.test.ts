import { setImmediate } from 'node:timers/promises'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { paced } from '../../../core/transport/paced.ts'

/** Longer than a turn of the event loop should last. */
const LONG_MS = 20

class FakeStream extends EventTarget {
  readonly calls: string[] = []
  closing = false
  pause() {
    if (this.closing) throw new Error('closing')
    this.calls.push('pause')
  }
  resume() {
    if (this.closing) throw new Error('closing')
    this.calls.push('resume')
  }
  arrives() {
    this.dispatchEvent(new Event('message'))
  }
}

async function secured(): Promise<FakeStream> {
  const stream = new FakeStream()
  const secure = async (connection: MessageStream) => ({ connection, remotePeer: undefined as never })
  const encrypter: ConnectionEncrypter = { protocol: '/test', secureInbound: secure, secureOutbound: secure }
  const pacing = paced(() => encrypter)(undefined)
  expect(pacing.protocol).toBe('/test')
  await pacing.secureInbound(stream as unknown as MessageStream)
  // A turn of its own.
  await setImmediate()
  await setImmediate()
  return stream
}

function work(): void {
  const until = performance.now() + LONG_MS
  while (performance.now() < until);
}

it('a connection reads on in the next turn when this one has lasted long enough', async () => {
  const stream = await secured()
  stream.arrives()
  expect(stream.calls).toEqual([])
  work()
  stream.arrives()
  // What was read before the pause took hold.
  stream.arrives()
  expect(stream.calls).toEqual(['pause'])
  await setImmediate()
  expect(stream.calls).toEqual(['pause', 'resume'])
  await setImmediate()
  stream.arrives()
  expect(stream.calls).toEqual(['pause', 'resume'])
})

it('a connection that is going away is left alone', async () => {
  const stream = await secured()
  stream.arrives()
  work()
  stream.closing = true
  stream.arrives()
  await setImmediate()
  expect(stream.calls).toEqual([])
  stream.closing = false
  stream.arrives()
  work()
  stream.arrives()
  stream.closing = true
  await setImmediate()
  expect(stream.calls).toEqual(['pause'])
})
