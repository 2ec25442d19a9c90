import { EnigmaError } from '../base/errors.ts'
import { FIXED_LIMIT, FIXED_PLACES, FIXED_SCALE, RESULT_PLACES } from './constants.ts'
import type { Rational, ResultValue } from './types.ts'

const DECIMAL = /^(-?)(\d{1,64})(?:\.(\d{1,64}))?$/

/**
 * "-12345.67" → −12345670000: an exact scaled integer, scale 10^6, |x| < 2^63 (about ±9.2·10^12). Throws
 * VALUE_RANGE when the text is no decimal, has more than 6 decimal places (zeros aside) or is too large. The
 * message never repeats the value.
 */
export function parseFixed(text: string): bigint {
  const match = DECIMAL.exec(text)
  if (!match) throw new EnigmaError('VALUE_RANGE', 'not a decimal number such as -12345.67')
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > FIXED_PLACES)
    throw new EnigmaError('VALUE_RANGE', `a value has more than ${FIXED_PLACES} decimal places`)
  const magnitude = BigInt(match[2]! + fraction.padEnd(FIXED_PLACES, '0'))
  if (magnitude >= FIXED_LIMIT)
    throw new EnigmaError('VALUE_RANGE', 'a value is too large: the limit is 9223372036854.775807')
  return match[1] === '-' ? -magnitude : magnitude
}

/** Exact inverse of `parseFixed`, without trailing zeros. */
export function formatFixed(scaled: bigint): string {
  return formatRational({ numerator: scaled, denominator: FIXED_SCALE }, FIXED_PLACES)
}

/** Representative of a field element in (−p/2, p/2]. */
export function centered(element: bigint, modulus: bigint): bigint {
  return element > modulus >> 1n ? element - modulus : element
}

/** Lowest terms, positive denominator. Throws VALUE_RANGE on denominator 0. */
export function rational(numerator: bigint, denominator: bigint): Rational {
  if (denominator === 0n) throw new EnigmaError('VALUE_RANGE', 'a division by zero')
  const sign = denominator < 0n ? -1n : 1n
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator * sign]
  while (b !== 0n) [a, b] = [b, a % b]
  return { numerator: (numerator * sign) / a, denominator: (denominator * sign) / a }
}

/** Decimal text with at most `places` decimals, rounded half to even, without trailing zeros or "-0". */
export function formatRational({ numerator, denominator }: Rational, places = RESULT_PLACES): string {
  const scaled = (numerator < 0n ? -numerator : numerator) * 10n ** BigInt(places)
  const rest = scaled % denominator
  let digits = scaled / denominator
  const twice = 2n * rest
  if (twice > denominator || (twice === denominator && digits % 2n === 1n)) digits++
  const text = digits.toString().padStart(places + 1, '0')
  const fraction = text.slice(text.length - places).replace(/0+$/, '')
  const whole = text.slice(0, text.length - places)
  return `${numerator < 0n && digits > 0n ? '-' : ''}${whole}${fraction ? `.${fraction}` : ''}`
}

/** A result as it is shown: exact, and as a decimal. */
export function resultValue(numerator: bigint, denominator: bigint): ResultValue {
  const exact = rational(numerator, denominator)
  const isExact = 10n ** BigInt(RESULT_PLACES) % exact.denominator === 0n
  return { exact, decimal: formatRational(exact), isExact }
}
