import type { CircuitBuilder } from '../builder.ts'
import type { NodeRef } from '../types.ts'
import { constants, decompose, mod2m, truncateRoughly } from './compare.ts'

/**
 * Secret fixed-point numbers: x is the integer round(x·2^24), |x| < 2^38, so that integers stay below 2^62. Results are
 * approximate within the bounds that each function states, on top of those of its arguments; outside the stated ranges they
 * are meaningless.
 */
export const FRACTION = 24
/** Bits of the integers, sign included. */
const WIDTH = 63
/** Fractional bits of intermediate values in [0, 4). */
const INNER = 40
const STEPS = 4

/** log₂ on [1/2, 1) in u = 4c − 3, and 2^t on [0, 1) in u = 2t − 1: Chebyshev interpolation, coefficients times 2^40. */
const LOG2 = [
  -456338556420n,
  528753323927n,
  -88125553939n,
  19583465846n,
  -4895867030n,
  1305489281n,
  -362633476n,
  103867446n,
  -30299384n,
  8547998n,
  -2560199n,
  1119361n,
  -343430n,
]
const EXP2 = [
  1554944255988n,
  538902613472n,
  93384706783n,
  10788224514n,
  934728418n,
  64789914n,
  3742424n,
  185987n,
  8051n,
]
/** log₂ e and ln 2, times 2^40. */
const LOG2_E = 1586259972792n
const LN_2 = 762123384786n

const inner = (x: bigint) => x << BigInt(INNER)

/** x·y, within 2^-24; one product and one opening. */
export function multiplyFixed(b: CircuitBuilder, x: NodeRef, y: NodeRef, modulus: bigint): NodeRef {
  return truncateRoughly(b, b.mul(x, y), WIDTH + FRACTION, FRACTION, modulus)
}

/** Products of intermediate values below 2^3. */
function mulInner(b: CircuitBuilder, x: NodeRef, y: NodeRef, modulus: bigint): NodeRef {
  return truncateRoughly(b, b.mul(x, y), 2 * INNER + 8, INNER, modulus)
}

interface Normal {
  /** c·2^40 for c in [1/2, 1]. */
  readonly c: NodeRef
  /** 2^(61 − j), j the position of the highest bit of the integer. */
  readonly factor: NodeRef
  /** Bit-major: 1 at position j of each element, 0 elsewhere. */
  readonly highest: NodeRef
}

/** Writes a positive integer X as c·2^(j+1). */
function normalise(b: CircuitBuilder, x: NodeRef, modulus: bigint): Normal {
  const length = b.length(x)
  const size = WIDTH - 1
  // The sign is 0. Whether any bit from j on is 1, by doubling steps.
  let any = b.slice(decompose(b, x, WIDTH), 0, size * length)
  for (let step = 1; step < size; step *= 2) {
    const low = b.slice(any, 0, (size - step) * length)
    const high = b.slice(any, step * length, size * length)
    const either = b.sub(b.add(low, high), b.mul(low, high))
    any = b.concat([either, b.slice(any, (size - step) * length, size * length)])
  }
  const above = b.concat([b.slice(any, length, size * length), constants(b, 0n, length)])
  const highest = b.sub(any, above)
  const factor = weighted(b, highest, (j) => 1n << BigInt(size - 1 - j))
  const shifted = b.mul(x, factor)
  return { c: truncateRoughly(b, shifted, size + 2, size - INNER, modulus), factor, highest }
}

/** Σ_j weight(j)·bit_j for every element. */
function weighted(b: CircuitBuilder, bits: NodeRef, weight: (j: number) => bigint): NodeRef {
  const size = WIDTH - 1
  const length = b.length(bits) / size
  return Array.from({ length: size }, (_, j) =>
    b.scale(b.slice(bits, j * length, (j + 1) * length), weight(j)),
  ).reduce((x, y) => b.add(x, y))
}

/** 1/c for c in [1/2, 1], times 2^40, within 2^-36 (Newton). */
function reciprocal(b: CircuitBuilder, c: NodeRef, modulus: bigint): NodeRef {
  const length = b.length(c)
  // 2.9142 − 2c is off by less than 0.0858.
  let w = b.sub(constants(b, (inner(29142n) + 5000n) / 10000n, length), b.scale(c, 2n))
  for (let i = 0; i < STEPS; i++)
    w = mulInner(b, w, b.sub(constants(b, inner(2n), length), mulInner(b, c, w, modulus)), modulus)
  return w
}

/** x/y for y > 0 and |x/y| < 2^37: relative error below 2^-34, absolute 2^-23. */
export function divideFixed(b: CircuitBuilder, x: NodeRef, y: NodeRef, modulus: bigint): NodeRef {
  const { c, factor } = normalise(b, y, modulus)
  const size = WIDTH - 1
  // Whole, so that nothing is lost where x is small: |x/y|·2^(40 + 62).
  const quotient = b.mul(b.mul(x, reciprocal(b, c, modulus)), factor)
  return truncateRoughly(b, quotient, WIDTH + INNER + size - FRACTION + 1, INNER + size - FRACTION, modulus)
}

/** √x for x > 0: relative error below 2^-30, absolute 2^-22. */
export function squareRootFixed(b: CircuitBuilder, x: NodeRef, modulus: bigint): NodeRef {
  const { c, highest } = normalise(b, x, modulus)
  const length = b.length(x)
  // 1/√c by Newton from 1.7893 − 0.8099·c.
  let y = b.sub(
    constants(b, (inner(17893n) + 5000n) / 10000n, length),
    truncateRoughly(b, b.scale(c, (inner(8099n) + 5000n) / 10000n), 2 * INNER + 8, INNER, modulus),
  )
  for (let i = 0; i < STEPS; i++) {
    const rest = b.sub(constants(b, inner(3n), length), mulInner(b, c, mulInner(b, y, y, modulus), modulus))
    y = truncateRoughly(b, b.mul(y, rest), 2 * INNER + 8, INNER + 1, modulus)
  }
  const root = mulInner(b, c, y, modulus)
  // √X = √c·2^((j + 1)/2), and √x·2^24 = √X·2^12.
  const power = weighted(b, highest, (j) => integerRoot(1n << BigInt(j + 1 + 2 * FRACTION)))
  return truncateRoughly(
    b,
    b.mul(root, power),
    INNER + 32 + FRACTION + 2,
    INNER + FRACTION - FRACTION / 2,
    modulus,
  )
}

/** log₂ x for x > 0, within 2^-22. */
export function log2Fixed(b: CircuitBuilder, x: NodeRef, modulus: bigint): NodeRef {
  const { c, highest } = normalise(b, x, modulus)
  const length = b.length(x)
  const u = b.sub(b.scale(c, 4n), constants(b, inner(3n), length))
  const fraction = polynomial(b, u, LOG2, modulus)
  const exponent = weighted(b, highest, (j) => BigInt(j + 1 - FRACTION))
  return truncateRoughly(
    b,
    b.add(b.scale(exponent, inner(1n)), fraction),
    INNER + 8,
    INNER - FRACTION,
    modulus,
  )
}

/** 2^x for −24 ≤ x < 37: relative error below 2^-30, absolute 2^-23. */
export function exp2Fixed(b: CircuitBuilder, x: NodeRef, modulus: bigint): NodeRef {
  const length = b.length(x)
  const shifted = b.add(x, constants(b, BigInt(FRACTION) << BigInt(FRACTION), length))
  const fraction = mod2m(b, shifted, WIDTH, FRACTION)
  const half = (modulus + 1n) / 2n
  let unit = 1n
  for (let i = 0; i < FRACTION; i++) unit = (unit * half) % modulus
  const whole = b.scale(b.sub(shifted, fraction), unit)
  // 2^whole for 0 ≤ whole < 64 from its bits.
  const bits = decompose(b, whole, 7)
  let power = constants(b, 1n, length)
  for (let j = 0; j < 6; j++) {
    const bit = b.slice(bits, j * length, (j + 1) * length)
    const step = b.add(constants(b, 1n, length), b.scale(bit, (1n << BigInt(1 << j)) - 1n))
    power = j === 0 ? step : b.mul(power, step)
  }
  const u = b.sub(b.scale(fraction, 1n << BigInt(INNER - FRACTION + 1)), constants(b, inner(1n), length))
  const value = polynomial(b, u, EXP2, modulus)
  // 2^x·2^24 = 2^fraction·2^(whole − 24)·2^24.
  return truncateRoughly(b, b.mul(value, power), WIDTH + INNER + 2, INNER, modulus)
}

/** Natural logarithm of x > 0, within 2^-22. */
export function logFixed(b: CircuitBuilder, x: NodeRef, modulus: bigint): NodeRef {
  return truncateRoughly(b, b.scale(log2Fixed(b, x, modulus), LN_2), WIDTH + INNER, INNER, modulus)
}

/** e^x for −16 ≤ x ≤ 25: relative error below 2^-17, the argument having 24 fractional bits, absolute 2^-23. */
export function expFixed(b: CircuitBuilder, x: NodeRef, modulus: bigint): NodeRef {
  return exp2Fixed(b, truncateRoughly(b, b.scale(x, LOG2_E), WIDTH + INNER, INNER, modulus), modulus)
}

/** Largest argument of `logisticFixed`: beyond, the function is within 2^-23 of 1. */
export const LOGISTIC_LIMIT = 16
/** Fractional bits of its result. */
export const LOGISTIC_FRACTION = INNER + 1

/** 1/(1 + e^−x) for 0 ≤ x ≤ 16, times 2^41, within 2^-22: the exponential is off by up to 2^-23 and 2^-23 of itself. */
export function logisticFixed(b: CircuitBuilder, x: NodeRef, modulus: bigint): NodeRef {
  const e = expFixed(b, b.neg(x), modulus)
  const sum = b.add(e, constants(b, 1n << BigInt(FRACTION), b.length(x)))
  // Half of it is in [1/2, 1]; its reciprocal times 2^40 is the result times 2^41.
  return reciprocal(b, b.scale(sum, 1n << BigInt(INNER - FRACTION - 1)), modulus)
}

/** Σ coefficients[k]·u^k for |u| ≤ 1 (Horner). */
function polynomial(
  b: CircuitBuilder,
  u: NodeRef,
  coefficients: readonly bigint[],
  modulus: bigint,
): NodeRef {
  const length = b.length(u)
  let sum = constants(b, coefficients.at(-1)!, length)
  for (const c of coefficients.slice(0, -1).reverse())
    sum = b.add(mulInner(b, u, sum, modulus), constants(b, c, length))
  return sum
}

/** ⌊√x⌋. */
function integerRoot(x: bigint): bigint {
  let r = 1n << BigInt((x.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (r + x / r) >> 1n
    if (next >= r) return r
    r = next
  }
}
