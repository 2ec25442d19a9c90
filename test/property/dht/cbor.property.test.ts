import { decode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { encodeCanonical } from '../../../core/base/cbor.ts'
import { decodeCanonical } from '../../../core/dht/cbor.ts'

const anything = z.unknown()

const leaf = fc.oneof(
  fc.maxSafeInteger(),
  fc.nat(300),
  fc.constantFrom(
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    23,
    24,
    255,
    256,
    65_535,
    65_536,
    2 ** 32 - 1,
    2 ** 32,
  ),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 5 }).filter((s) => s.isWellFormed()),
  fc.uint8Array({ maxLength: 300 }),
  fc.boolean(),
  fc.constant(null),
  // A zero has no sign in a message.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => v + 0),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((v) => v + 0),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 30 }), tie('value'), {
      maxKeys: 30,
      noNullPrototype: true,
    }),
  ),
}))

/** What a message must be: that which encoding its content again gives. */
function canonicalByEncoding(bytes: Uint8Array): boolean {
  try {
    const content = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowNaN: false,
      allowInfinity: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
    return Buffer.compare(encodeCanonical(content), bytes) === 0
  } catch {
    return false
  }
}

function taken(bytes: Uint8Array): boolean {
  try {
    decodeCanonical(bytes, anything)
    return true
  } catch {
    return false
  }
}

describe('canonical messages', () => {
  it('are what encoding gives', () =>
    fc.assert(
      fc.property(value, (v) => {
        expect(decodeCanonical(encodeCanonical(v), anything)).toEqual(v)
      }),
      { numRuns: 500 },
    ))

  it('and nothing else, whatever is changed', () =>
    fc.assert(
      fc.property(
        value,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(0, 0, 1, 3),
        (v, flips, cut) => {
          const bytes = encodeCanonical(v)
          for (const [at, flip] of flips) bytes[at % bytes.length]! ^= flip
          const changed = bytes.subarray(0, Math.max(1, bytes.length - cut))
          expect(taken(changed)).toBe(canonicalByEncoding(changed))
        },
      ),
      { numRuns: 3000 },
    ))

  it('and nothing else among short strings of bytes', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        expect(taken(bytes)).toBe(canonicalByEncoding(bytes))
      }),
      { numRuns: 20_000 },
    ))
})
