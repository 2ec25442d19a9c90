import { afterEach, describe, expect, it } from 'vitest'
import { ThreadPool } from '../../../core/base/thread-pool.ts'
import type { Calls } from './calls-worker.ts'

const code = (expected: string) => expect.objectContaining({ code: expected })
let pool: ThreadPool<Calls>
const make = (size: number, waiting = 10, idleMs = 60_000) => {
  pool = new ThreadPool<Calls>({
    url: new URL('./calls-worker.ts', import.meta.url),
    name: 'calls',
    ...{ size, waiting, idleMs },
  })
}
afterEach(() => pool.close())

describe('threads for a service without state', () => {
  it('answer with results, byte arrays included, and with the errors of the service', async () => {
    make(1)
    const bytes = Uint8Array.of(1, 2, 3)
    const result = await pool.run((s) => s.double(bytes))
    expect(result).toEqual({
      bytes: Uint8Array.of(2, 4, 6),
      same: [Uint8Array.of(2, 4, 6), Uint8Array.of(4, 6)],
    })
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3))
    await expect(pool.run((s) => s.refuse())).rejects.toMatchObject({
      code: 'PROOF_INVALID',
      details: { at: 7 },
    })
  })

  it('are as many as there is work for, up to the size, and stay for the next call', async () => {
    make(2)
    expect(await pool.run((s) => s.count())).toBe(1)
    expect(await pool.run((s) => s.count())).toBe(2)
    const all = await Promise.all(Array.from({ length: 8 }, () => pool.run((s) => s.count())))
    expect(Math.max(...all)).toBeLessThan(10)
    expect(all.reduce((a, b) => a + b)).toBeGreaterThan(8)
  })

  it('end when there is nothing to do', async () => {
    make(1, 10, 20)
    expect(await pool.run((s) => s.count())).toBe(1)
    await expect.poll(() => pool.run((s) => s.count()), { interval: 200 }).toBe(1)
  })

  it('let only so many calls wait', async () => {
    make(1, 2)
    const stop = new AbortController()
    const held = pool.run((s) => s.spin(), stop.signal)
    const waiting = [0, 1].map(() => pool.run((s) => s.count()))
    await expect(pool.run((s) => s.count())).rejects.toEqual(code('QUOTA_EXCEEDED'))
    stop.abort()
    await expect(held).rejects.toThrow('abort')
    expect(await Promise.all(waiting)).toEqual([1, 2])
  })

  it('give a call up at once when it is cancelled, in the queue or in the middle', async () => {
    make(1)
    const [running, queued] = [new AbortController(), new AbortController()]
    const held = pool.run((s) => s.spin(), running.signal)
    const second = pool.run((s) => s.count(), queued.signal)
    const third = pool.run((s) => s.count())
    queued.abort(new Error('not wanted'))
    await expect(second).rejects.toThrow('not wanted')
    running.abort(new Error('too long'))
    await expect(held).rejects.toThrow('too long')
    expect(await third).toBe(1)
    await expect(pool.run((s) => s.count(), AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
  })

  it('do not start a call that is cancelled in the moment of its turn', async () => {
    make(1)
    const stop = new AbortController()
    const first = pool.run((s) => s.count()).then(() => stop.abort(new Error('not wanted')))
    const second = pool.run((s) => s.spin(), stop.signal)
    const third = pool.run((s) => s.count())
    await expect(second).rejects.toThrow('not wanted')
    await first
    expect(await third).toBe(2)
  })

  it('replace a thread that ended while it had nothing to do', async () => {
    make(1)
    const ended = Promise.withResolvers<void>()
    process.once('worker', (worker) => worker.once('exit', () => ended.resolve()))
    await pool.run((s) => s.endSoon())
    await ended.promise
    expect(await pool.run((s) => s.count())).toBe(1)
  })

  it('reject what is under way when they are closed', async () => {
    make(1)
    const calls = Promise.allSettled([pool.run((s) => s.spin()), pool.run((s) => s.count())])
    await pool.close()
    for (const call of await calls)
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'NOT_RUNNING' } })
    await expect(pool.run((s) => s.count())).rejects.toEqual(code('NOT_RUNNING'))
  })
})
