import { expect, test } from 'vitest'
import { Spacing } from '../../../core/transport/spacing.ts'

test('work begins in order, each when the one before has ended', async () => {
  const spacing = new Spacing()
  const log: string[] = []
  const work = (name: string) =>
    spacing.run(async () => {
      log.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      log.push(`${name} ends`)
      return name
    })
  expect(await Promise.all([work('a'), work('b'), work('c')])).toEqual(['a', 'b', 'c'])
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('one who stalls holds up the next only for a moment, one who fails not at all', async () => {
  const spacing = new Spacing()
  const stalled = Promise.withResolvers<string>()
  const first = spacing.run(() => stalled.promise)
  const second = spacing.run(() => Promise.reject(new Error('refused')))
  const third = spacing.run(async () => 'third')
  await expect(second).rejects.toThrow('refused')
  expect(await third).toBe('third')
  stalled.resolve('first')
  expect(await first).toBe('first')
})
