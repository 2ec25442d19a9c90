// Polynomials modulo X^N + 1: over primes q < 2^50, q ≡ 1 mod 2N, as planes of N numbers (f64), and over the field
// of field.ts. Numbers modulo q are balanced: magnitudes up to q/2, in a transform up to a few q.
//
// A product a·b < 2^102 is split exactly into h + l, h = fl(a·b), by a fused multiply-add; then
// h − ⌊h/q⌉·q is exact as well. Where the engine does not fuse (the module without relaxed SIMD) the exact parts come from
// Dekker's splitting. No branch and no address depends on an element; samplers take a fixed number of bytes each.
import { FUSED, MODULUS_WORDS, accCarry, accMul, accReduce, add as addField, copy, sub as subField } from './field'
import { fusedPlanes } from './fused'
import { mulVector } from './vector'

const Q: usize = 8192 // q, twice
const QI: usize = 8208 // 1/q, twice
const TMP: usize = 8224 // a field element
const ACC: usize = 8320 // columns of a sum of products
const HALF: f64 = 0.5
/** Butterflies over the field at a time, their second operands, and the roots for them. */
const BLOCK: usize = 128
const OPERANDS: usize = 20480
const ROOTS: usize = 24576

/** The exact rest of a·b beyond its rounding: what the start-up test compares. */
export function roundingRest(a: f64, b: f64): f64 {
  const x = f64x2.splat(a)
  const y = f64x2.splat(b)
  return f64x2.extract_lane(lowPart(x, y, f64x2.mul(x, y)), 0)
}

export function setPrime(q: f64): void {
  v128.store(Q, f64x2.splat(q))
  v128.store(QI, f64x2.splat(1.0 / q))
}

@inline
function negMulAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_nmadd(a, b, c)
  // c − h is exact where this is used: c and h are near each other.
  const h = f64x2.mul(a, b)
  return f64x2.sub(f64x2.sub(c, h), lowPart(a, b, h))
}

/** a·b − h for h = fl(a·b). */
@inline
function lowPart(a: v128, b: v128, h: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, f64x2.neg(h))
  const split = f64x2.splat(134217729.0)
  let t = f64x2.mul(a, split)
  const ah = f64x2.sub(t, f64x2.sub(t, a))
  const al = f64x2.sub(a, ah)
  t = f64x2.mul(b, split)
  const bh = f64x2.sub(t, f64x2.sub(t, b))
  const bl = f64x2.sub(b, bh)
  t = f64x2.sub(f64x2.mul(ah, bh), h)
  t = f64x2.add(t, f64x2.mul(ah, bl))
  t = f64x2.add(t, f64x2.mul(al, bh))
  return f64x2.add(t, f64x2.mul(al, bl))
}

/** a·b mod q, |result| ≤ q·(1/2 + |a·b|/q²/4). */
@inline
function mulMod(a: v128, b: v128, q: v128, qi: v128): v128 {
  const h = f64x2.mul(a, b)
  const l = lowPart(a, b, h)
  return f64x2.add(negMulAdd(f64x2.nearest(f64x2.mul(h, qi)), q, h), l)
}

@inline
function reduce(a: v128, q: v128, qi: v128): v128 {
  return negMulAdd(f64x2.nearest(f64x2.mul(a, qi)), q, a)
}

/**
 * Negacyclic transform in place (Cooley–Tukey, natural to bit-reversed order). table[k] = ψ^bitrev(k), ψ a
 * primitive 2N-th root of unity. The result is balanced.
 */
export function nttForward(a: usize, n: usize, table: usize): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  let m: usize = 1
  let t: usize = n >> 1
  let level = 0
  for (; t >= 2; t >>= 1, m <<= 1, level++) {
    const span = t << 3
    const lazy = level % 4 != 3
    for (let i: usize = 0; i < m; i++) {
      const w = v128.load64_splat(table + ((m + i) << 3))
      let p = a + i * (span << 1)
      const end = p + span
      if (lazy) {
        for (; p < end; p += 16) {
          const u = v128.load(p)
          const v = mulMod(v128.load(p + span), w, q, qi)
          v128.store(p, f64x2.add(u, v))
          v128.store(p + span, f64x2.sub(u, v))
        }
      } else {
        for (; p < end; p += 16) {
          const u = reduce(v128.load(p), q, qi)
          const v = mulMod(v128.load(p + span), w, q, qi)
          v128.store(p, f64x2.add(u, v))
          v128.store(p + span, f64x2.sub(u, v))
        }
      }
    }
  }
  // Neighbours: two butterflies of distance 1 at a time.
  const half = n >> 1
  for (let i: usize = 0; i < half; i += 2) {
    const p = a + (i << 4)
    const x = v128.load(p)
    const y = v128.load(p + 16)
    const w = v128.load(table + ((half + i) << 3))
    const u = v128.shuffle<f64>(x, y, 0, 2)
    const v = mulMod(v128.shuffle<f64>(x, y, 1, 3), w, q, qi)
    const s = reduce(f64x2.add(u, v), q, qi)
    const d = reduce(f64x2.sub(u, v), q, qi)
    v128.store(p, v128.shuffle<f64>(s, d, 0, 2))
    v128.store(p + 16, v128.shuffle<f64>(s, d, 1, 3))
  }
}

/** The inverse (Gentleman–Sande); table[k] = ψ^-bitrev(k), scale = 1/N mod q. The result is balanced. */
export function nttBackward(a: usize, n: usize, table: usize, scale: f64): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  const half = n >> 1
  for (let i: usize = 0; i < half; i += 2) {
    const p = a + (i << 4)
    const x = v128.load(p)
    const y = v128.load(p + 16)
    const w = v128.load(table + ((half + i) << 3))
    const u = v128.shuffle<f64>(x, y, 0, 2)
    const v = v128.shuffle<f64>(x, y, 1, 3)
    const s = f64x2.add(u, v)
    const d = mulMod(f64x2.sub(u, v), w, q, qi)
    v128.store(p, v128.shuffle<f64>(s, d, 0, 2))
    v128.store(p + 16, v128.shuffle<f64>(s, d, 1, 3))
  }
  let t: usize = 2
  for (let m: usize = n >> 2; m >= 1; m >>= 1, t <<= 1) {
    const span = t << 3
    for (let i: usize = 0; i < m; i++) {
      const w = v128.load64_splat(table + ((m + i) << 3))
      let p = a + i * (span << 1)
      const end = p + span
      for (; p < end; p += 16) {
        const u = v128.load(p)
        const v = v128.load(p + span)
        v128.store(p, reduce(f64x2.add(u, v), q, qi))
        v128.store(p + span, mulMod(f64x2.sub(u, v), w, q, qi))
      }
    }
  }
  scalePlane(a, a, scale, n)
}

/** dst = a·b, element by element. */
export function mulPlane(dst: usize, a: usize, b: usize, n: usize): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  for (let i: usize = 0; i < n << 3; i += 16)
    v128.store(dst + i, reduce(mulMod(v128.load(a + i), v128.load(b + i), q, qi), q, qi))
}

/** dst = a·b + c. */
export function mulAddPlane(dst: usize, a: usize, b: usize, c: usize, n: usize): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  for (let i: usize = 0; i < n << 3; i += 16)
    v128.store(dst + i, reduce(f64x2.add(mulMod(v128.load(a + i), v128.load(b + i), q, qi), v128.load(c + i)), q, qi))
}

export function addPlane(dst: usize, a: usize, b: usize, n: usize): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  for (let i: usize = 0; i < n << 3; i += 16)
    v128.store(dst + i, reduce(f64x2.add(v128.load(a + i), v128.load(b + i)), q, qi))
}

export function subPlane(dst: usize, a: usize, b: usize, n: usize): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  for (let i: usize = 0; i < n << 3; i += 16)
    v128.store(dst + i, reduce(f64x2.sub(v128.load(a + i), v128.load(b + i)), q, qi))
}

/** dst = factor·a; elements of a up to 2^51. */
export function scalePlane(dst: usize, a: usize, factor: f64, n: usize): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  const w = f64x2.splat(factor)
  for (let i: usize = 0; i < n << 3; i += 16)
    v128.store(dst + i, reduce(mulMod(v128.load(a + i), w, q, qi), q, qi))
}

/** dst = Σ_k factors[k]·planes[k] for k planes that follow each other; elements up to 2^51, k ≤ 64. */
export function combinePlanes(dst: usize, planes: usize, k: usize, factors: usize, n: usize): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  const stride = n << 3
  for (let i: usize = 0; i < stride; i += 16) {
    let sum = f64x2.splat(0)
    let p = planes + i
    for (let j: usize = 0; j < k; j++, p += stride) {
      sum = f64x2.add(sum, mulMod(v128.load(p), v128.load64_splat(factors + (j << 3)), q, qi))
      if ((j & 1) == 1) sum = reduce(sum, q, qi)
    }
    v128.store(dst + i, reduce(sum, q, qi))
  }
}

/** dst = ⌊Σ_k factors[k]·planes[k]⌉ over the reals: how often a modulus fits into a sum of residues. */
export function roundedSum(dst: usize, planes: usize, k: usize, factors: usize, n: usize): void {
  const stride = n << 3
  for (let i: usize = 0; i < stride; i += 16) {
    let sum = f64x2.splat(0)
    let p = planes + i
    for (let j: usize = 0; j < k; j++, p += stride)
      sum = f64x2.add(sum, f64x2.mul(v128.load(p), v128.load64_splat(factors + (j << 3))))
    v128.store(dst + i, f64x2.nearest(sum))
  }
}

/** dst += X^power·src in the transformed domain; powers[e] = ψ^e for e < N. */
export function addRotated(dst: usize, src: usize, powers: usize, power: u32, n: u32, bits: u32): void {
  const q = v128.load(Q)
  const qi = v128.load(QI)
  const mask: u32 = 2 * n - 1
  for (let k: u32 = 0; k < n; k += 2) {
    const p = usize(k) << 3
    const w = f64x2.replace_lane(
      f64x2.splat(rootPower(powers, (power * (2 * reverse(k, bits) + 1)) & mask, n)),
      1,
      rootPower(powers, (power * (2 * reverse(k + 1, bits) + 1)) & mask, n),
    )
    v128.store(dst + p, reduce(f64x2.add(v128.load(dst + p), mulMod(v128.load(src + p), w, q, qi)), q, qi))
  }
}

@inline
function rootPower(powers: usize, e: u32, n: u32): f64 {
  return e < n ? load<f64>(powers + (usize(e) << 3)) : -load<f64>(powers + (usize(e - n) << 3))
}

function reverse(x: u32, bits: u32): u32 {
  let r: u32 = 0
  for (let i: u32 = 0; i < bits; i++) r |= ((x >> i) & 1) << (bits - 1 - i)
  return r
}

/** dst += X^power·src on integers, coefficient by coefficient, without reduction; 0 ≤ power < 2N. */
export function addShifted(dst: usize, src: usize, power: u32, n: u32): void {
  const negative = power >= n
  const shift = usize(negative ? power - n : power)
  const length = usize(n)
  // Those that stay below degree N, and those that wrap and change sign once more.
  addSigned(dst + (shift << 3), src, length - shift, negative)
  addSigned(dst, src + ((length - shift) << 3), shift, !negative)
}

@inline
function addSigned(dst: usize, src: usize, n: usize, negative: bool): void {
  const sign = f64x2.splat(negative ? -1.0 : 1.0)
  const pairs = n & ~1
  for (let i: usize = 0; i < pairs << 3; i += 16)
    v128.store(dst + i, f64x2.add(v128.load(dst + i), f64x2.mul(v128.load(src + i), sign)))
  if (n & 1) {
    const p = pairs << 3
    store<f64>(dst + p, load<f64>(dst + p) + (negative ? -load<f64>(src + p) : load<f64>(src + p)))
  }
}

// ---- samplers ----------------------------------------------------------------------------------------------

/** Centred binomial with parameter 21 from 6 bytes each. */
export function sampleBinomial(dst: usize, bytes: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const low = load<u32>(bytes + i * 6)
    const high: u32 = load<u16>(bytes + i * 6 + 4)
    const a = i32(popcnt<u32>(low & 0x1fffff))
    const b = i32(popcnt<u32>((low >> 21) | ((high & 0x3ff) << 11)))
    store<f64>(dst + (i << 3), f64(a - b))
  }
}

/** Ternary from 4 bytes each; uniform up to 2^-32. */
export function sampleTernary(dst: usize, bytes: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++)
    store<f64>(dst + (i << 3), f64(i32((u64(load<u32>(bytes + (i << 2))) * 3) >> 32) - 1))
}

// ---- integers of many bytes, in planes of 48 bits ------------------------------------------------------------

/** n little-endian integers of `width` bytes to ⌈width/6⌉ planes; the highest carries the sign if `signed`. */
export function splitIntegers(planes: usize, src: usize, width: usize, signed: bool, n: usize): void {
  const stride = n << 3
  const count = (width + 5) / 6
  for (let i: usize = 0; i < n; i++) {
    const p = src + i * width
    for (let k: usize = 0; k < count; k++) {
      const from = k * 6
      const size = min<usize>(6, width - from)
      let limb: i64 = 0
      for (let b: usize = 0; b < size; b++) limb |= i64(load<u8>(p + from + b)) << i64(b << 3)
      if (signed && k == count - 1) {
        const shift = i64(64 - (size << 3))
        limb = (limb << shift) >> shift
      }
      store<f64>(planes + k * stride + (i << 3), f64(limb))
    }
  }
}

/** The inverse for signed integers whose limbs may be any integers up to 2^52; false when one does not fit. */
export function joinIntegers(dst: usize, planes: usize, width: usize, n: usize): bool {
  const stride = n << 3
  const count = (width + 5) / 6
  let fits = true
  for (let i: usize = 0; i < n; i++) {
    let carry: i64 = 0
    const p = dst + i * width
    for (let k: usize = 0; k < count; k++) {
      const limb = i64(load<f64>(planes + k * stride + (i << 3))) + carry
      const from = k * 6
      const size = min<usize>(6, width - from)
      for (let b: usize = 0; b < size; b++) store<u8>(p + from + b, u8(limb >> i64(b << 3)))
      if (k == count - 1) {
        const shift = i64(64 - (size << 3))
        if ((limb << shift) >> shift != limb) fits = false
      }
      carry = limb >> 48
    }
  }
  return fits
}

/** Canonical field elements (32 bytes) to 6 planes, and a seventh that is 1 where the element is above m/2. */
export function splitElements(planes: usize, src: usize, n: usize): void {
  const stride = n << 3
  for (let i: usize = 0; i < n; i++) {
    const p = src + (i << 5)
    const w0 = load<u64>(p)
    const w1 = load<u64>(p, 8)
    const w2 = load<u64>(p, 16)
    const w3 = load<u64>(p, 24)
    const at = planes + (i << 3)
    const mask: u64 = 0xffffffffffff
    store<f64>(at, f64(i64(w0 & mask)))
    store<f64>(at + stride, f64(i64(((w0 >> 48) | (w1 << 16)) & mask)))
    store<f64>(at + 2 * stride, f64(i64(((w1 >> 32) | (w2 << 32)) & mask)))
    store<f64>(at + 3 * stride, f64(i64(w2 >> 16)))
    store<f64>(at + 4 * stride, f64(i64(w3 & mask)))
    store<f64>(at + 5 * stride, f64(i64(w3 >> 48)))
    // m is odd: x > m/2 exactly when 2x ≥ m.
    const d0 = w0 << 1
    const d1 = (w1 << 1) | (w0 >> 63)
    const d2 = (w2 << 1) | (w1 >> 63)
    const d3 = (w3 << 1) | (w2 >> 63)
    let borrow = u64(d0 < load<u64>(MODULUS_WORDS, 0))
    let m = load<u64>(MODULUS_WORDS, 8)
    borrow = u64(d1 < m) | (u64(d1 == m) & borrow)
    m = load<u64>(MODULUS_WORDS, 16)
    borrow = u64(d2 < m) | (u64(d2 == m) & borrow)
    m = load<u64>(MODULUS_WORDS, 24)
    borrow = u64(d3 < m) | (u64(d3 == m) & borrow) & ~(w3 >> 63)
    store<f64>(at + 6 * stride, f64(i64(borrow ^ 1)))
  }
}

/**
 * Canonical elements Σ_j factors[j]·planes[j], k ≤ 20: plane j holds integers of magnitude below 2^50. Factors are given times
 * 2^57 mod m where products are fused, else times R; then offset is added first to make every integer positive, and
 * compensated in `correction`.
 */
export function planesToField(dst: usize, planes: usize, k: usize, factors: usize, offset: f64, correction: usize, n: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (load<u32>(FUSED) != 0) return fusedPlanes(dst, planes, k, factors, n)
  }
  const stride = n << 3
  store<u64>(TMP, 0, 8)
  store<u64>(TMP, 0, 16)
  store<u64>(TMP, 0, 24)
  for (let i: usize = 0; i < n; i++) {
    memory.fill(ACC, 0, 144)
    for (let j: usize = 0; j < k; j++) {
      store<u64>(TMP, u64(load<f64>(planes + j * stride + (i << 3)) + offset))
      accMul(ACC, factors + (j << 5), TMP)
      if ((j & 3) == 3) accCarry(ACC)
    }
    accCarry(ACC)
    accReduce(dst + (i << 5), ACC)
    subField(dst + (i << 5), dst + (i << 5), correction)
  }
}

// ---- transforms over the field -------------------------------------------------------------------------------

/** Negacyclic transform over the field, in place, of elements in any form; table[k] = ψ^bitrev(k) in Montgomery form, n ≥ 4. */
export function fieldForward(a: usize, n: usize, table: usize): void {
  const half = n >> 1
  const block = min(BLOCK, half)
  let m: usize = 1
  for (let t = half; t >= 1; t >>= 1, m <<= 1) {
    const span = t << 5
    const run = min(t, block)
    for (let s: usize = 0; s < half; s += block) {
      for (let j: usize = 0; j < block; j += run) memory.copy(OPERANDS + (j << 5), first(a, s + j, t) + span, run << 5)
      mulRoots(OPERANDS, s, t, m, run, block, table)
      for (let j: usize = 0; j < block; j += run) {
        const p = first(a, s + j, t)
        const v = OPERANDS + (j << 5)
        for (let i: usize = 0; i < run << 5; i += 32) {
          subField(p + span + i, p + i, v + i)
          addField(p + i, p + i, v + i)
        }
      }
    }
  }
}

/** The inverse; table[k] = ψ^-bitrev(k), scale = 1/N. */
export function fieldBackward(a: usize, n: usize, table: usize, scale: usize): void {
  const half = n >> 1
  const block = min(BLOCK, half)
  let t: usize = 1
  for (let m = half; m >= 1; m >>= 1, t <<= 1) {
    const span = t << 5
    const run = min(t, block)
    for (let s: usize = 0; s < half; s += block) {
      for (let j: usize = 0; j < block; j += run) {
        const p = first(a, s + j, t)
        const v = OPERANDS + (j << 5)
        for (let i: usize = 0; i < run << 5; i += 32) {
          subField(v + i, p + i, p + span + i)
          addField(p + i, p + i, p + span + i)
        }
      }
      mulRoots(OPERANDS, s, t, m, run, block, table)
      for (let j: usize = 0; j < block; j += run) memory.copy(first(a, s + j, t) + span, OPERANDS + (j << 5), run << 5)
    }
  }
  mulVector(a, a, 32, scale, 0, n)
}

/** The first operand of butterfly s of a level whose operands are t apart, t a power of two. */
@inline
function first(a: usize, s: usize, t: usize): usize {
  return a + (((s & ~(t - 1)) + s) << 5)
}

/** Multiplies the operands of the butterflies from s on by their roots, which are equal for `run` of them. */
function mulRoots(v: usize, s: usize, t: usize, m: usize, run: usize, block: usize, table: usize): void {
  const root = table + ((m + s / t) << 5)
  if (run == block) return mulVector(v, v, 32, root, 0, block)
  for (let j: usize = 0; j < block; j++) copy(ROOTS + (j << 5), root + ((j / run) << 5))
  mulVector(v, v, 32, ROOTS, 32, block)
}

// ---- encoding of residues ------------------------------------------------------------------------------------

/** Canonical residues in [0, q), 49 bits each, 8 in 49 bytes. */
export function packResidues(dst: usize, plane: usize, n: usize): void {
  const q = load<f64>(Q)
  memory.fill(dst, 0, (n >> 3) * 49)
  for (let i: usize = 0; i < n; i++) {
    let x = load<f64>(plane + (i << 3))
    if (x < 0) x += q
    const bit = (i & 7) * 49
    const p = dst + (i >> 3) * 49 + (bit >> 3)
    const word = u64(x) << u64(bit & 7)
    store<u32>(p, load<u32>(p) | u32(word))
    store<u16>(p + 4, load<u16>(p + 4) | u16(word >> 32))
    store<u8>(p + 6, load<u8>(p + 6) | u8(word >> 48))
  }
}

/** The strict inverse: false when a residue is not below q. The planes are balanced. */
export function unpackResidues(plane: usize, src: usize, n: usize): bool {
  const q = load<f64>(Q)
  const limit = u64(q)
  let valid = true
  for (let i: usize = 0; i < n; i++) {
    const bit = (i & 7) * 49
    const p = src + (i >> 3) * 49 + (bit >> 3)
    const shift = u64(bit & 7)
    // 49 + 7 bits fit into 7 bytes.
    let word: u64 = u64(load<u32>(p)) | (u64(load<u16>(p + 4)) << 32) | (u64(load<u8>(p + 6)) << 48)
    word = (word >> shift) & 0x1ffffffffffff
    if (word >= limit) valid = false
    const x = f64(i64(word))
    store<f64>(plane + (i << 3), x > q * HALF ? x - q : x)
  }
  return valid
}
