import { setImmediate } from 'node:timers/promises'
import type { MessageStream } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { Pacing } from '../../../core/transport/pacing.ts'

/** Longer than a turn of the event loop should last. */
const LONG_MS = 20

class FakeStream extends EventTarget {
  readonly calls: string[] = []
  closing = false
  /** What it does when it goes on, with what has come meanwhile. */
  kept: () => void = () => undefined
  pause() {
    if (this.closing) throw new Error('closing')
    this.calls.push('pause')
  }
  resume() {
    if (this.closing) throw new Error('closing')
    this.calls.push('resume')
    this.kept()
  }
  arrives() {
    this.dispatchEvent(new Event('message'))
  }
}

async function paced<const N extends number>(count: N): Promise<FakeStream[]> {
  const pacing = new Pacing()
  const streams = Array.from({ length: count }, () => new FakeStream())
  for (const stream of streams) pacing.add(stream as unknown as MessageStream)
  // A turn of its own.
  await setImmediate()
  await setImmediate()
  return streams
}

function work(): void {
  const until = performance.now() + LONG_MS
  while (performance.now() < until);
}

/** When what waited for the message is done with it, and before another socket is read. */
function handled(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)))
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate()
}

it('all connections stop reading when one makes the turn long enough', async () => {
  const [busy, other] = (await paced(2)) as [FakeStream, FakeStream]
  busy.arrives()
  expect(busy.calls).toEqual([])
  work()
  await handled()
  expect([busy.calls, other.calls]).toEqual([['pause'], ['pause']])
  // What was read before the pause took hold.
  busy.arrives()
  expect(busy.calls).toEqual(['pause'])
  await turns(4)
  expect([busy.calls, other.calls]).toEqual([
    ['pause', 'resume'],
    ['pause', 'resume'],
  ])
  other.arrives()
  await turns(1)
  expect(other.calls).toEqual(['pause', 'resume'])
})

it('they go on one after the other, each in a turn of its own while there is much to do', async () => {
  const streams = await paced(3)
  for (const stream of streams) stream.kept = work
  streams[0]?.arrives()
  work()
  await handled()
  const resumed = () => streams.filter((s) => s.calls.includes('resume')).length
  const seen: number[] = []
  for (let i = 0; i < 16; i++) {
    await setImmediate()
    seen.push(resumed())
  }
  expect(seen.at(-1)).toBe(3)
  for (const [i, count] of seen.entries()) expect(count - (seen[i - 1] ?? 0)).toBeLessThanOrEqual(1)
})

it('a connection that is going away is left alone', async () => {
  const [going, other] = (await paced(2)) as [FakeStream, FakeStream]
  going.closing = true
  other.arrives()
  work()
  await turns(4)
  expect(going.calls).toEqual([])
  expect(other.calls).toEqual(['pause', 'resume'])
  other.arrives()
  work()
  await handled()
  other.closing = true
  await turns(4)
  expect(other.calls).toEqual(['pause', 'resume', 'pause'])
  going.dispatchEvent(new Event('close'))
  going.closing = false
  going.arrives()
  work()
  await turns(4)
  expect(going.calls).toEqual([])
})
