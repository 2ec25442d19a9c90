// Loops over vectors of 32-byte elements. A stride is 32, or 0 for an operand that is broadcast.
import {
  FUSED, LIMB, MODULUS, ONE, R2, R2_HIGH, RECIPROCAL, UNIT,
  accCarry, accMul, accReduce, add, clear, copy, inverse, isCanonical, isEqual, isZero, mul, storeReduced, sub,
} from './field'
import { fusedInner, fusedSum } from './fused'

const ACC: usize = 2048 // 17 columns of 8 bytes
const T0: usize = 2304
const T1: usize = 2336
const TERM: usize = 2368 // one term of sumOfProducts
/** Wide integers at a time, and their halves (in memory that ring.ts uses as well). */
const BLOCK: usize = 128
const WIDE: usize = 20480

export function addVector(dst: usize, a: usize, sa: usize, b: usize, sb: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++, dst += 32, a += sa, b += sb) add(dst, a, b)
}

export function subVector(dst: usize, a: usize, sa: usize, b: usize, sb: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++, dst += 32, a += sa, b += sb) sub(dst, a, b)
}

export function mulVector(dst: usize, a: usize, sa: usize, b: usize, sb: usize, n: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (useFused(n)) {
      store<u32>(TERM, u32(a), 0)
      store<u32>(TERM, u32(sa), 4)
      store<u32>(TERM, u32(b), 8)
      store<u32>(TERM, u32(sb), 12)
      return fusedSum(dst, TERM, 1, 0, 0, n)
    }
  }
  for (let i: usize = 0; i < n; i++, dst += 32, a += sa, b += sb) mul(dst, a, b)
}

/** A few elements one after the other are faster than in pairs. */
@inline
function useFused(n: usize): bool {
  return n > 4 && load<u32>(FUSED) != 0
}

@inline
function accClear(): void {
  memory.fill(ACC, 0, 136)
}

/** dst = Σ a_i·b_i: one reduction for 32 products. */
export function innerVector(dst: usize, a: usize, sa: usize, b: usize, sb: usize, n: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (useFused(n)) return fusedInner(dst, a, sa, b, sb, n, ACC)
  }
  clear(T1)
  for (let i: usize = 0; i < n; ) {
    accClear()
    const end = min(i + 32, n)
    while (i < end) {
      const stop = min(i + 4, end)
      for (; i < stop; i++, a += sa, b += sb) accMul(ACC, a, b)
      accCarry(ACC)
    }
    accReduce(T0, ACC)
    add(T1, T1, T0)
  }
  copy(dst, T1)
}

export function sumVector(dst: usize, a: usize, n: usize): void {
  clear(T1)
  for (let i: usize = 0; i < n; i++, a += 32) add(T1, T1, a)
  copy(dst, T1)
}

/**
 * dst_i = c_i + Σ_j a_j,i·b_j,i for k terms; `terms` is an array of u32: address and stride of a_j, then of b_j. c = 0 for
 * none. dst may be c.
 */
export function sumOfProducts(dst: usize, terms: usize, k: usize, c: usize, sc: usize, n: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (useFused(n)) return fusedSum(dst, terms, k, c, sc, n)
  }
  for (let i: usize = 0; i < n; i++, dst += 32, c += sc) {
    clear(T1)
    for (let j: usize = 0; j < k; ) {
      accClear()
      const end = min(j + 32, k)
      while (j < end) {
        const stop = min(j + 4, end)
        for (; j < stop; j++) {
          const t = terms + (j << 4)
          accMul(ACC, usize(load<u32>(t)) + i * usize(load<u32>(t, 4)), usize(load<u32>(t, 8)) + i * usize(load<u32>(t, 12)))
        }
        accCarry(ACC)
      }
      accReduce(T0, ACC)
      add(T1, T1, T0)
    }
    if (c != 0) add(dst, T1, c)
    else copy(dst, T1)
  }
}

/**
 * dst_i = Σ_k x^k·vectors_k[i] by Horner's rule for an integer x < 2^16, k > 0: limbs are multiplied by x
 * without carries until the multiple of m they represent could pass 2^33, then reduced with an estimated quotient.
 */
export function evaluateSmall(dst: usize, pointers: usize, strides: usize, k: usize, x: u64, n: usize): void {
  for (let i: usize = 0; i < n; i++, dst += 32) {
    let bound: u64 = 1
    let p: usize = usize(load<u32>(pointers + (k - 1) * 4)) + i * usize(load<u32>(strides + (k - 1) * 4))
    let w0: u64 = load<u64>(p, 0), w1: u64 = load<u64>(p, 8), w2: u64 = load<u64>(p, 16), w3: u64 = load<u64>(p, 24)
    let l0: u64 = w0 & LIMB
    let l1: u64 = (w0 >> 29) & LIMB
    let l2: u64 = ((w0 >> 58) | (w1 << 6)) & LIMB
    let l3: u64 = (w1 >> 23) & LIMB
    let l4: u64 = ((w1 >> 52) | (w2 << 12)) & LIMB
    let l5: u64 = (w2 >> 17) & LIMB
    let l6: u64 = ((w2 >> 46) | (w3 << 18)) & LIMB
    let l7: u64 = (w3 >> 11) & LIMB
    let l8: u64 = w3 >> 40
    for (let j: usize = k - 1; j > 0; j--) {
      if (bound * x + 1 > (<u64>1 << 33)) {
        reduceLimbs(dst, l0, l1, l2, l3, l4, l5, l6, l7, l8)
        w0 = load<u64>(dst, 0)
        w1 = load<u64>(dst, 8)
        w2 = load<u64>(dst, 16)
        w3 = load<u64>(dst, 24)
        l0 = w0 & LIMB
        l1 = (w0 >> 29) & LIMB
        l2 = ((w0 >> 58) | (w1 << 6)) & LIMB
        l3 = (w1 >> 23) & LIMB
        l4 = ((w1 >> 52) | (w2 << 12)) & LIMB
        l5 = (w2 >> 17) & LIMB
        l6 = ((w2 >> 46) | (w3 << 18)) & LIMB
        l7 = (w3 >> 11) & LIMB
        l8 = w3 >> 40
        bound = 1
      }
      bound = bound * x + 1
      p = usize(load<u32>(pointers + (j - 1) * 4)) + i * usize(load<u32>(strides + (j - 1) * 4))
      w0 = load<u64>(p, 0)
      w1 = load<u64>(p, 8)
      w2 = load<u64>(p, 16)
      w3 = load<u64>(p, 24)
      l0 = l0 * x + (w0 & LIMB)
      l1 = l1 * x + ((w0 >> 29) & LIMB)
      l2 = l2 * x + (((w0 >> 58) | (w1 << 6)) & LIMB)
      l3 = l3 * x + ((w1 >> 23) & LIMB)
      l4 = l4 * x + (((w1 >> 52) | (w2 << 12)) & LIMB)
      l5 = l5 * x + ((w2 >> 17) & LIMB)
      l6 = l6 * x + (((w2 >> 46) | (w3 << 18)) & LIMB)
      l7 = l7 * x + ((w3 >> 11) & LIMB)
      l8 = l8 * x + (w3 >> 40)
    }
    reduceLimbs(dst, l0, l1, l2, l3, l4, l5, l6, l7, l8)
  }
}

/** dst = Σ l_i·2^(29i) mod m for a value below 2^33·m. The quotient's estimate is exact or one too small. */
function reduceLimbs(dst: usize, l0: u64, l1: u64, l2: u64, l3: u64, l4: u64, l5: u64, l6: u64, l7: u64, l8: u64): void {
  l1 += l0 >> 29
  l2 += l1 >> 29
  l3 += l2 >> 29
  l4 += l3 >> 29
  l5 += l4 >> 29
  l6 += l5 >> 29
  l7 += l6 >> 29
  l8 += l7 >> 29
  const q: i64 = i64(f64(l8) * load<f64>(RECIPROCAL))
  // Signed columns: |q·m_i| < 2^62 and an arithmetic shift carries borrows.
  let t: i64 = i64(l0 & LIMB) - q * load<i64>(MODULUS, 0)
  const r0: u64 = u64(t) & LIMB
  t = (t >> 29) + i64(l1 & LIMB) - q * load<i64>(MODULUS, 8)
  const r1: u64 = u64(t) & LIMB
  t = (t >> 29) + i64(l2 & LIMB) - q * load<i64>(MODULUS, 16)
  const r2: u64 = u64(t) & LIMB
  t = (t >> 29) + i64(l3 & LIMB) - q * load<i64>(MODULUS, 24)
  const r3: u64 = u64(t) & LIMB
  t = (t >> 29) + i64(l4 & LIMB) - q * load<i64>(MODULUS, 32)
  const r4: u64 = u64(t) & LIMB
  t = (t >> 29) + i64(l5 & LIMB) - q * load<i64>(MODULUS, 40)
  const r5: u64 = u64(t) & LIMB
  t = (t >> 29) + i64(l6 & LIMB) - q * load<i64>(MODULUS, 48)
  const r6: u64 = u64(t) & LIMB
  t = (t >> 29) + i64(l7 & LIMB) - q * load<i64>(MODULUS, 56)
  const r7: u64 = u64(t) & LIMB
  t = (t >> 29) + i64(l8) - q * load<i64>(MODULUS, 64)
  storeReduced(dst, r0, r1, r2, r3, r4, r5, r6, r7, u64(t))
}

/** Montgomery's trick; dst must not overlap a. Returns 0 if an element is zero. */
export function inverseVector(dst: usize, a: usize, n: usize): i32 {
  copy(T0, ONE)
  for (let i: usize = 0; i < n; i++) {
    if (isZero(a + i * 32)) return 0
    copy(dst + i * 32, T0)
    mul(T0, T0, a + i * 32)
  }
  inverse(T1, T0)
  for (let i: isize = isize(n) - 1; i >= 0; i--) {
    const at = usize(i) * 32
    mul(dst + at, dst + at, T1)
    mul(T1, T1, a + at)
  }
  return 1
}

/** Canonical little-endian integers to Montgomery form; returns the first index out of range, or -1. */
export function fromBytesVector(dst: usize, a: usize, n: usize): i32 {
  const bad = firstNotCanonical(a, n)
  if (bad == -1) mulVector(dst, a, 32, R2, 0, n)
  return bad
}

export function toBytesVector(dst: usize, a: usize, n: usize): void {
  mulVector(dst, a, 32, UNIT, 0, n)
}

/** The index of the first integer that is not below m, or -1. */
export function firstNotCanonical(a: usize, n: usize): i32 {
  for (let i: usize = 0; i < n; i++, a += 32) if (!isCanonical(a)) return i32(i)
  return -1
}

/** Integers of 48 bytes, little-endian, reduced modulo m: at most 2^-128 from uniform. In halves of 24 bytes. */
export function fromWideVector(dst: usize, a: usize, n: usize): void {
  for (let i: usize = 0; i < n; i += BLOCK) {
    const count = min(BLOCK, n - i)
    for (let j: usize = 0; j < count; j++, a += 48) {
      const low = WIDE + (j << 5)
      store<u64>(low, load<u64>(a, 0), 0)
      store<u64>(low, load<u64>(a, 8), 8)
      store<u64>(low, load<u64>(a, 16), 16)
      store<u64>(low, 0, 24)
      const high = WIDE + ((BLOCK + j) << 5)
      store<u64>(high, load<u64>(a, 24), 0)
      store<u64>(high, load<u64>(a, 32), 8)
      store<u64>(high, load<u64>(a, 40), 16)
      store<u64>(high, 0, 24)
    }
    mulVector(WIDE, WIDE, 32, R2, 0, count)
    mulVector(WIDE + (BLOCK << 5), WIDE + (BLOCK << 5), 32, R2_HIGH, 0, count)
    addVector(dst, WIDE, 32, WIDE + (BLOCK << 5), 32, count)
    dst += count << 5
  }
}

/** dst_i = a[indices_i]; the caller has checked the indices. */
export function gatherVector(dst: usize, a: usize, indices: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++, dst += 32) copy(dst, a + usize(load<u32>(indices + i * 4)) * 32)
}

export function broadcastVector(dst: usize, a: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++, dst += 32) copy(dst, a)
}

/** 1 if all elements are equal; every element is looked at. */
export function equalVector(a: usize, sa: usize, b: usize, sb: usize, n: usize): i32 {
  let same: i32 = 1
  for (let i: usize = 0; i < n; i++, a += sa, b += sb) same &= i32(isEqual(a, b))
  return same
}
