import { describe, expect, it } from 'vitest'
import {
  formatFixed,
  formatRational,
  parseFixed,
  rational,
  resultValue,
} from '../../../core/circuits/fixed.ts'

describe('fixed point', () => {
  it.each([
    ['12345.67', 12345670000n],
    ['-0.000001', -1n],
    ['0', 0n],
    ['-0', 0n],
    ['007', 7000000n],
    ['1.50000000000', 1500000n],
    ['9223372036854.775807', (1n << 63n) - 1n],
    ['-9223372036854.775807', -(1n << 63n) + 1n],
  ])('reads %s', (text, scaled) => {
    expect(parseFixed(text)).toBe(scaled)
  })

  it.each([
    '',
    ' 1',
    '1e3',
    '+1',
    '.5',
    '1.',
    '1,5',
    'NaN',
    '0x10',
    '1_000',
    '٣',
    '1.0000001',
    '9223372036854.775808',
    '9'.repeat(70),
  ])('refuses %s without repeating it', (text) => {
    expect(() => parseFixed(text)).toThrow(expect.objectContaining({ code: 'VALUE_RANGE' }))
    if (text.length > 3) expect(() => parseFixed(text)).not.toThrow(text)
  })

  it('writes decimals half-even without trailing zeros', () => {
    expect(formatFixed(-1500000n)).toBe('-1.5')
    expect(formatFixed(0n)).toBe('0')
    expect(formatRational(rational(1n, 8n), 2)).toBe('0.12')
    expect(formatRational(rational(3n, 8n), 2)).toBe('0.38')
    expect(formatRational(rational(-1n, 1000n), 2)).toBe('0')
    expect(formatRational(rational(-2n, 3n), 0)).toBe('-1')
    expect(resultValue(10n, -4n)).toEqual({
      exact: { numerator: -5n, denominator: 2n },
      decimal: '-2.5',
      isExact: true,
    })
    expect(() => rational(1n, 0n)).toThrow()
  })
})
