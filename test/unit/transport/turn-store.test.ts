import { expect, test } from 'vitest'
import { isLate } from '../../../core/base/turns.ts'
import { TurnStore } from '../../../core/transport/turn-store.ts'

type Key = Parameters<TurnStore['get']>[0]

const key = (name: string) => ({ toString: () => name }) as Key
const value = Uint8Array.of(1, 2, 3)

test('keeps what is put, and says what it does not have', async () => {
  const store = new TurnStore()
  await store.put(key('/peers/a'), value)
  expect(await store.get(key('/peers/a'))).toEqual(value)
  expect(await store.has(key('/peers/a'))).toBe(true)
  expect(await store.has(key('/peers/b'))).toBe(false)
  await expect(store.get(key('/peers/b'))).rejects.toMatchObject({ name: 'NotFoundError' })
})

test.each(['get', 'put', 'has'] as const)(
  '%s waits for the next turn when this one is long',
  async (method) => {
    const store = new TurnStore()
    await store.put(key('/peers/a'), value)
    isLate()
    let turned = false
    setImmediate(() => {
      turned = true
    })
    const until = performance.now() + 20
    while (performance.now() < until);
    await store[method](key('/peers/a'), value as never)
    expect(turned).toBe(true)
  },
)
