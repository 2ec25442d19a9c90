import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import { packReferences, unpackReferences } from '../../../core/node/compute/references.ts'

const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
const input = fc.record({
  ref: word,
  commitmentsDigest: word,
  n: fc.integer({ min: 1, max: 64 }),
  t: fc.integer({ min: 0, max: 63 }),
  length: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
})

describe('the references of a job', () => {
  it('come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(input), async (inputs) => {
        expect(unpackReferences(await packReferences(inputs))).toEqual(inputs)
      }),
    )
  })
})
