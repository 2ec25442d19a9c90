import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FIXED_LIMIT } from '../../../core/circuits/constants.ts'
import { formatFixed, formatRational, parseFixed, rational } from '../../../core/circuits/fixed.ts'

describe('fixed point', () => {
  it('round-trips every scaled integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -FIXED_LIMIT + 1n, max: FIXED_LIMIT - 1n }), (x) => {
        expect(parseFixed(formatFixed(x))).toBe(x)
      }),
      { numRuns: 1000 },
    )
  })

  it('rounds to the nearest, ties to even', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.integer({ min: 0, max: 12 }),
        (n, d, places) => {
          const text = formatRational(rational(n, d), places)
          const [whole, fraction = ''] = text.replace('-', '').split('.')
          const unit = 10n ** BigInt(places)
          const shown = BigInt(whole! + fraction.padEnd(places, '0')) * (text.startsWith('-') ? -1n : 1n)
          const twiceError = 2n * (shown * d - n * unit)
          const size = twiceError < 0n ? -twiceError : twiceError
          expect(size <= d).toBe(true)
          if (size === d) expect(shown % 2n).toBe(0n)
          expect(fraction.endsWith('0')).toBe(false)
          expect(text).not.toBe('-0')
        },
      ),
      { numRuns: 1000 },
    )
  })
})
