import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FrameReader } from '../../../core/transport/frames.ts'

it('a frame reader gives the same fields however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
      fc.scheduler(),
      async (fields, cuts, s) => {
        const bytes = Buffer.concat(fields)
        const reader = new FrameReader()
        const pushing = async () => {
          for (let at = 0, i = 0; at < bytes.length; i++) {
            await s.schedule(Promise.resolve())
            const n = cuts[i % cuts.length]!
            reader.push(bytes.subarray(at, at + n))
            at += n
          }
        }
        const reading = async () => {
          for (const field of fields) {
            await s.schedule(Promise.resolve())
            expect(Buffer.compare(await reader.read(field.length), field)).toBe(0)
          }
        }
        await s.waitFor(Promise.all([pushing(), reading()]))
        expect(reader.buffered).toBe(0)
      },
    ),
    { numRuns: 200 },
  )
})
