import { EnigmaError } from '../../base/errors.ts'
import type { CircuitBuilder } from '../builder.ts'
import type { NodeRef } from '../types.ts'

/** Bits by which a mask exceeds what it hides: openings are within 2^-80 of independent of it. */
export const STATISTICAL_BITS = 80
/** Widest integers of the gadgets: sums of products of 64-bit integers. With the mask's bits they stay below the field. */
export const MAX_BITS = 132

/** Throws CIRCUIT_INVALID. */
export function checkWidth(bits: number, most = MAX_BITS): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > most)
    throw new EnigmaError('CIRCUIT_INVALID', `integers of the gadgets have 1 to ${most} bits, not ${bits}`)
}

/** Σ_j 2^j·bit_j of bit-major bits (bit j of all elements, then bit j + 1 of all): one element for each `count` bits. */
export function compose(b: CircuitBuilder, bits: NodeRef, count: number): NodeRef {
  const length = b.length(bits) / count
  let sum = b.slice(bits, 0, length)
  for (let j = 1; j < count; j++)
    sum = b.add(sum, b.scale(b.slice(bits, j * length, (j + 1) * length), 1n << BigInt(j)))
  return sum
}

/** A public constant for every element. */
export function constants(b: CircuitBuilder, value: bigint, length: number): NodeRef {
  return b.broadcast(b.constant([value]), length)
}

/** 1 − x. */
export function not(b: CircuitBuilder, x: NodeRef): NodeRef {
  return b.sub(constants(b, 1n, b.length(x)), x)
}

/**
 * [c < r] and, if asked, [c = r], for the lowest `count` bits of c, public, and r, secret; both bit-major. A tree over
 * (less, equal) pairs: ⌈log₂ count⌉ rounds, at most 2·count products an element.
 */
export function compareBits(
  b: CircuitBuilder,
  c: NodeRef,
  r: NodeRef,
  count: number,
): { less: NodeRef; equal: NodeRef } {
  const length = b.length(r) / count
  // Where bits differ r is 1 exactly when c is 0.
  const product = b.mul(c, r)
  let less = b.sub(r, product)
  let equal = b.sub(not(b, b.add(c, r)), b.scale(product, -2n))
  for (let left = count; left > 1; left = Math.ceil(left / 2)) {
    const pairs = Math.floor(left / 2)
    const odd = left % 2 === 1
    const at = (ref: NodeRef, first: number) =>
      b.blocks(
        ref,
        length,
        Array.from({ length: pairs }, (_, i) => 2 * i + first),
      )
    const high = at(equal, 1)
    const both = b.mul(b.concat([high, high]), b.concat([at(less, 0), at(equal, 0)]))
    const size = pairs * length
    const nextLess = b.add(at(less, 1), b.slice(both, 0, size))
    const nextEqual = b.slice(both, size, 2 * size)
    const rest = (ref: NodeRef) => b.slice(ref, (left - 1) * length, left * length)
    less = odd ? b.concat([nextLess, rest(less)]) : nextLess
    equal = odd ? b.concat([nextEqual, rest(equal)]) : nextEqual
  }
  return { less, equal }
}

/** Opens a + 2^(k−1) under a mask whose lowest `low` bits are known; |a| < 2^(k−1). */
function openMasked(
  b: CircuitBuilder,
  a: NodeRef,
  k: number,
  low: number,
): { opened: NodeRef; bits: NodeRef; mask: NodeRef } {
  const length = b.length(a)
  const bits = b.bits(low * length)
  const high = b.bits((k - low + STATISTICAL_BITS) * length)
  const mask = compose(b, bits, low)
  const shift = b.scale(compose(b, high, k - low + STATISTICAL_BITS), 1n << BigInt(low))
  const shifted = b.add(a, constants(b, 1n << BigInt(k - 1), length))
  return { opened: b.open(b.add(shifted, b.add(mask, shift))), bits, mask }
}

/**
 * a mod 2^m for |a| < 2^(k−1), 0 < m < k (Catrina and de Hoogh, SCN 2010, Mod2m): an opening and ⌈log₂ m⌉ rounds,
 * 2·m products and k + 80 bits an element.
 */
export function mod2m(b: CircuitBuilder, a: NodeRef, k: number, m: number): NodeRef {
  checkWidth(k)
  const { opened, bits, mask } = openMasked(b, a, k, m)
  const { less } = compareBits(b, b.digits(opened, m), bits, m)
  return b.add(b.sub(b.low(opened, m), mask), b.scale(less, 1n << BigInt(m)))
}

/** ⌊a/2^m⌋, exact, for |a| < 2^(k−1); the cost of `mod2m`. */
export function truncate(b: CircuitBuilder, a: NodeRef, k: number, m: number, modulus: bigint): NodeRef {
  return b.scale(b.sub(a, mod2m(b, a, k, m)), inversePower(m, modulus))
}

/**
 * ⌊a/2^m⌋ or one more, the nearer one more likely, for |a| < 2^(k−1) (TruncPr of Catrina and de Hoogh): one opening, no
 * product. Takes wider integers than the others: all whose masked sum stays below the modulus. Throws CIRCUIT_INVALID.
 */
export function truncateRoughly(
  b: CircuitBuilder,
  a: NodeRef,
  k: number,
  m: number,
  modulus: bigint,
): NodeRef {
  checkWidth(k, modulus.toString(2).length - STATISTICAL_BITS - 2)
  const { opened, mask } = openMasked(b, a, k, m)
  const rest = b.sub(b.low(opened, m), mask)
  return b.scale(b.sub(a, rest), inversePower(m, modulus))
}

/** [a < 0] for |a| < 2^(k−1). */
export function isNegative(b: CircuitBuilder, a: NodeRef, k: number, modulus: bigint): NodeRef {
  return b.neg(truncate(b, a, k, k - 1, modulus))
}

/** [x < y] for integers whose difference is below 2^(k−1). */
export function lessThan(b: CircuitBuilder, x: NodeRef, y: NodeRef, k: number, modulus: bigint): NodeRef {
  return isNegative(b, b.sub(x, y), k, modulus)
}

/** [a = 0] for |a| < 2^(k−1): an opening and ⌈log₂ k⌉ rounds, 2·k products and k + 80 bits an element. */
export function isZero(b: CircuitBuilder, a: NodeRef, k: number): NodeRef {
  checkWidth(k)
  const { opened, bits } = openMasked(b, a, k, k)
  // a = 0 exactly when (opened − 2^(k−1)) mod 2^k is the mask.
  const expected = b.low(b.sub(opened, constants(b, 1n << BigInt(k - 1), b.length(a))), k)
  return compareBits(b, b.digits(expected, k), bits, k).equal
}

/**
 * x itself, once it is certain that −2^(k−1) ≤ x < 2^(k−1) for every element; else the run ends with FIELD_NOT_INVERTIBLE.
 * For inputs of other people: later openings hide only what is in range. [x < 0] is 0 or 1 exactly for x in range,
 * since x mod 2^(k−1) is computed to be below 2^(k−1) for every x; a random combination of s·(s − 1) is opened, 0 or
 * uniform. Ten rounds for 64 bits; a comparison, two products and a random element for each element.
 */
export function requireRange(b: CircuitBuilder, x: NodeRef, k: number, modulus: bigint): NodeRef {
  const n = b.length(x)
  const sign = isNegative(b, x, k, modulus)
  const weighted = b.mul(b.random(n), sign)
  const violation = b.open(b.inner(weighted, not(b, sign)))
  // 1, and what follows waits for it.
  return b.mul(x, b.broadcast(b.inverse(b.isZero(violation)), n))
}

/** condition·x + (1 − condition)·y for a condition of 0 or 1: one product an element. */
export function select(b: CircuitBuilder, condition: NodeRef, x: NodeRef, y: NodeRef): NodeRef {
  return b.add(y, b.mul(condition, b.sub(x, y)))
}

/**
 * The k bits of a, |a| < 2^(k−1), two's complement, bit-major: the opened sum minus the mask by a prefix adder of
 * ⌈log₂ k⌉ rounds and about k·⌈log₂ k⌉ products an element.
 */
export function decompose(b: CircuitBuilder, a: NodeRef, k: number): NodeRef {
  checkWidth(k)
  const length = b.length(a)
  const { opened, bits } = openMasked(b, a, k, k)
  const value = b.low(b.sub(opened, constants(b, 1n << BigInt(k - 1), length)), k)
  const c = b.digits(value, k)
  // c − r: a borrow arises where r > c, and passes where they are equal.
  const product = b.mul(c, bits)
  let generate = b.sub(bits, product)
  let propagate = b.sub(not(b, b.add(c, bits)), b.scale(product, -2n))
  const different = not(b, propagate)
  for (let step = 1; step < k; step *= 2) {
    const size = (k - step) * length
    const high = b.slice(propagate, step * length, k * length)
    const below = (ref: NodeRef) => b.slice(ref, 0, size)
    const both = b.mul(b.concat([high, high]), b.concat([below(generate), below(propagate)]))
    const keep = (ref: NodeRef) => b.slice(ref, 0, step * length)
    generate = b.concat([
      keep(generate),
      b.add(b.slice(generate, step * length, k * length), b.slice(both, 0, size)),
    ])
    propagate = b.concat([keep(propagate), b.slice(both, size, 2 * size)])
  }
  // The borrow into bit j is what the bits below generate.
  const borrow =
    k === 1
      ? constants(b, 0n, length)
      : b.concat([constants(b, 0n, length), b.slice(generate, 0, (k - 1) * length)])
  const crossed = b.mul(different, borrow)
  return b.sub(b.add(different, borrow), b.scale(crossed, 2n))
}

function inversePower(m: number, modulus: bigint): bigint {
  // (modulus + 1)/2 is 1/2.
  let inverse = 1n
  const half = (modulus + 1n) / 2n
  for (let i = 0; i < m; i++) inverse = (inverse * half) % modulus
  return inverse
}
