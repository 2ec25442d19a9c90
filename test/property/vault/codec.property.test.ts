import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCanonical, encodeInTurns } from '../../../core/base/cbor.ts'
import { decodeCanonical, decodeInTurns } from '../../../core/vault/codec.ts'

const leaf = fc.oneof(
  fc.maxSafeInteger(),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.boolean(),
  fc.constant(null),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((n) => !Object.is(n, -0) && !Number.isInteger(n)),
)
const list = fc.oneof(
  fc.array(leaf, { maxLength: 5 }),
  // Around one slice and several.
  fc
    .tuple(fc.constantFrom(999, 1000, 1001, 2000, 2500), leaf)
    .map(([n, x]) => Array.from({ length: n }, (_, i) => (i % 7 === 0 ? i * 1e10 : x))),
)
const value = fc.dictionary(
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.oneof(
    leaf,
    list,
    fc.dictionary(fc.string({ maxLength: 3 }), leaf, { maxKeys: 3, noNullPrototype: true }),
  ),
  { maxKeys: 30, noNullPrototype: true },
)

describe('values in turns', () => {
  it('are encoded and decoded as at once', () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(value, list, leaf), async (v) => {
        const encoded = encodeCanonical(v)
        expect(Buffer.compare(await encodeInTurns(v), encoded)).toBe(0)
        expect(await decodeInTurns(encoded)).toEqual(v)
      }),
      { numRuns: 200 },
    ))

  it('are refused where they would be at once', () =>
    fc.assert(
      fc.asyncProperty(
        value,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(0, 1, 5),
        async (v, flips, cut) => {
          const bytes = encodeCanonical(v)
          // Mostly at the beginning, where types and lengths are.
          for (const [at, flip] of flips) bytes[at % Math.min(bytes.length, 64)]! ^= flip
          const broken = bytes.subarray(0, bytes.length - cut)
          const outcome = (run: () => unknown) =>
            Promise.resolve()
              .then(run)
              .then(
                (result) => JSON.stringify(result),
                (error: { code: string }) => error.code,
              )
          expect(await outcome(() => decodeInTurns(broken))).toBe(
            await outcome(() => decodeCanonical(broken)),
          )
        },
      ),
      { numRuns: 500 },
    ))
})
