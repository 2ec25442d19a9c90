import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PartyChannel, STEP } from '../../../core/preprocessing/channel.ts'
import type { Session } from '../../../core/transport/types.ts'
import { meddled } from '../../support/meddled.ts'
import { sessions } from './committee.ts'

const TIMEOUT_MS = 1000
const payload = Uint8Array.of(7)

beforeEach(() => {
  // The network of the tests lives on immediates.
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  })
})

afterEach(() => {
  vi.useRealTimers()
})

async function open(n: number, wrap?: (session: Session, index: number) => Session) {
  const { parties, sessions: opened } = await sessions(n, wrap)
  const channels = opened.map(
    (session, index) => new PartyChannel({ session, parties, index, timeoutMs: TIMEOUT_MS }),
  )
  return { channels, opened, parties }
}

/** Lets time pass in small steps until the promise has settled; how long that took, and what came of it. */
async function settle<T>(
  promise: Promise<T>,
  limitMs = 200 * TIMEOUT_MS,
): Promise<{ ms: number; value?: T; error?: unknown }> {
  let end: { value?: T; error?: unknown } | undefined
  promise.then(
    (value) => {
      end = { value }
    },
    (error) => {
      end = { error }
    },
  )
  const start = performance.now()
  while (end === undefined && performance.now() - start < limitMs) {
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS / 10)
    for (let i = 0; i < 10; i++) await new Promise(setImmediate)
  }
  if (end === undefined) throw new Error('never settled')
  return { ms: performance.now() - start, ...end }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** "Still working" as somebody writes it who has its own program. */
async function forged(session: Session, honest: Uint8Array, distance = 0, extra = 0): Promise<void> {
  const message = new Uint8Array(16 + extra)
  message.set(honest.subarray(0, 16))
  message[1] = 254
  message[2] = distance
  message.fill(0, 4, 8)
  for (const to of session.peers) await session.send(to, message)
}

/** A header of the session, from a message that party 1 sends to party 0. */
async function header(channels: readonly PartyChannel[], opened: readonly Session[]): Promise<Uint8Array> {
  await channels[1]!.send(0, STEP.open, payload)
  const message = await opened[0]!.receive(opened[1]!.self)
  return message.slice(0, 16)
}

describe('still working', () => {
  it('lets others wait for long work, and does not change what they receive', async () => {
    const { channels } = await open(3)
    const all = channels.map(async (channel, i) => {
      if (i === 2) await channel.working(() => pause(5 * TIMEOUT_MS))
      const got = await channel.broadcast(STEP.open, Uint8Array.of(i))
      await channel.echo()
      return got.map((bytes) => bytes[0])
    })
    const { ms, value } = await settle(Promise.all(all))
    expect(value).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ])
    expect(ms).toBeGreaterThanOrEqual(5 * TIMEOUT_MS)
  })

  it('is said a few times in a timeout, however often work begins', async () => {
    let messages = 0
    const { channels } = await open(2, (session, index) =>
      index === 0
        ? session
        : meddled(session, {
            send: async (to, message) => {
              messages++
              await session.send(to, message)
            },
          }),
    )
    const works = (async () => {
      for (let i = 0; i < 400; i++) await channels[1]!.working(() => pause(TIMEOUT_MS / 100))
    })()
    await settle(works)
    expect(messages).toBeGreaterThan(8)
    expect(messages).toBeLessThanOrEqual(17)
  })

  it('silence still names a party after the timeout', async () => {
    const { channels } = await open(2)
    const { ms, error } = await settle(channels[0]!.receive(1, STEP.open))
    expect(error).toMatchObject({ code: 'MPC_PARTY_LOST', details: { index: 1 } })
    expect(ms).toBeLessThan(2 * TIMEOUT_MS)
  })

  it('a party that only says so is named in the end, in one wait or in many', async () => {
    const { channels, opened } = await open(2)
    const honest = await header(channels, opened)
    const [own] = channels
    let quiet = false
    const beats = setInterval(() => {
      if (!quiet) void forged(opened[1]!, honest)
    }, TIMEOUT_MS / 4)
    // Once it lets a message through, in its turn, late.
    const late = pause(6 * TIMEOUT_MS).then(() => channels[1]!.send(0, STEP.open, payload))
    const first = await settle(own!.receive(1, STEP.open))
    await late
    // Number 0 was taken away above.
    expect(first.error).toMatchObject({ code: 'MPC_ABORTED', details: { reason: 'OUT_OF_STEP' } })
    const second = await settle(own!.receive(1, STEP.open))
    expect(second.error).toMatchObject({ code: 'MPC_PARTY_LOST', details: { index: 1 } })
    expect(first.ms + second.ms).toBeGreaterThan(10 * TIMEOUT_MS)
    expect(first.ms + second.ms).toBeLessThan(13 * TIMEOUT_MS)
    // Its patience used up, nothing is granted any more.
    const third = await settle(own!.receive(1, STEP.open))
    expect(third.error).toMatchObject({ code: 'MPC_PARTY_LOST' })
    expect(third.ms).toBeLessThan(2 * TIMEOUT_MS)
    quiet = true
    clearInterval(beats)
  })

  it.each([
    ['in masses', 0, 0, 2000],
    ['from nowhere', 2, 0, 1],
    ['with a payload', 0, 1, 1],
  ])('%s it names whoever sends it', async (_, distance, extra, count) => {
    const { channels, opened } = await open(2)
    const honest = await header(channels, opened)
    for (let i = 0; i < count; i++) await forged(opened[1]!, honest, distance, extra)
    const { error } = await settle(channels[0]!.receive(1, STEP.open))
    expect(error).toMatchObject({ code: 'MPC_ABORTED', details: { reason: 'MALFORMED', index: 1 } })
  })

  it('who waits for a party at work says so, and is not named in its place', async () => {
    const { channels } = await open(3)
    // Party 0 collects: party 1 waits for its sum, which waits for party 2.
    const collect = async (work: Promise<void>) => {
      const [a, b, c] = channels as [PartyChannel, PartyChannel, PartyChannel]
      const collector = async () => {
        await a.receive(1, STEP.collect)
        await a.receive(2, STEP.collect)
        await Promise.all([1, 2].map((to) => a.send(to, STEP.result, payload)))
      }
      const waiting = async () => {
        await b.send(0, STEP.collect, payload)
        return b.receive(0, STEP.result)
      }
      const busy = async () => {
        await c.working(() => work)
        await c.send(0, STEP.collect, payload)
        return c.receive(0, STEP.result)
      }
      const aborting = <T>(channel: PartyChannel, run: Promise<T>) =>
        run.catch(async (error) => {
          await channel.abort()
          throw error
        })
      return Promise.allSettled([aborting(a, collector()), aborting(b, waiting()), busy()])
    }
    const slow = await settle(collect(pause(4 * TIMEOUT_MS)))
    expect(slow.value?.map((r) => r.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    const never = await settle(collect(pause(40 * TIMEOUT_MS)))
    const reasons = never.value?.map((r) => (r.status === 'rejected' ? r.reason : undefined))
    expect(reasons?.[0]).toMatchObject({ code: 'MPC_PARTY_LOST', details: { index: 2 } })
    expect(reasons?.[1]).toMatchObject({ code: 'MPC_ABORTED', details: { reason: 'TOLD', index: 0 } })
  })
})

describe('a peer that does not read', () => {
  const deaf = (session: Session, index: number): Session =>
    index !== 0
      ? session
      : meddled(session, {
          send: (to, message) =>
            to === session.peers[0] ? new Promise<void>(() => undefined) : session.send(to, message),
        })

  it('does not hold up the end, of which the others hear', async () => {
    const { channels } = await open(3, deaf)
    const heard = channels[2]!.receive(0, STEP.open)
    heard.catch(() => undefined)
    const { ms, error } = await settle(channels[0]!.abort())
    expect(error).toBeUndefined()
    expect(ms).toBeLessThan(5 * TIMEOUT_MS)
    await expect(heard).rejects.toMatchObject({ details: { reason: 'TOLD' } })
  })

  it('is named in the end by whoever has something for it', async () => {
    const { channels } = await open(3, deaf)
    const { error, ms } = await settle(channels[0]!.send(1, STEP.open, payload))
    expect(error).toMatchObject({ code: 'MPC_PARTY_LOST', details: { index: 1 } })
    expect(ms).toBeLessThan(12 * TIMEOUT_MS)
  })
})
