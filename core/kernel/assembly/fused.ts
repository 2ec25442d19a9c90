// Sums of products modulo m < 2^254 with fused multiply-adds, two elements at a time in the lanes of a vector: the
// elements of field.ts (x·2^261 mod m, canonical) taken apart into 5 limbs of 51 bits.
//
// A product of two limbs is split into its multiple of 2^51 and a signed rest by two fused multiply-adds whose sums are
// steered, by the constants added, into [2^103, 2^104) and [2^52, 2^53): their mantissas are then the two halves as
// integers (Emmart, Luitjens, Weems, Woolley, ARITH 2016). Columns are sums of bit patterns; what the patterns
// carry beside the halves is taken off in advance. Montgomery's reduction divides by 2^51 five times, and by 2^6 once.
// No branch and no address depends on an element. Only for engines that fuse (instance.ts tests it).
import { accCarry, accMul, accReduce, add, clear, copy } from './field'

/** Memory map of the constants, each in both lanes; core/kernel/instance.ts writes them. */
const HIGH: usize = 16384 // 3·2^102
const LOW: usize = 16400 // 3·2^102 + 3·2^51
const TWO52: usize = 16416 // 2^52: its pattern, and its value
const REST: usize = 16432 // 3·2^51
const MASK: usize = 16448 // 2^51 - 1
const INVERSE: usize = 16464 // -1/m mod 2^51, f64
const INVERSE6: usize = 16480 // -1/m mod 2^6
const MASK6: usize = 16496 // 2^6 - 1
const LIMBS: usize = 16512 // 5 limbs of m, f64
const START: usize = 16592 // 11 columns before the first product
const PATTERNS: usize = 16768 // 11 columns: what the patterns of one product carry
const LESS: usize = 16944 // two times 5 limbs: minus 128·m, minus 64·m, with what keeps columns positive
const SHORT_START: usize = 17104 // 7 columns before the first product by a number of one limb
const SHORT_PATTERNS: usize = 17216 // 7 columns

const INIT: usize = 17328 // 11 columns
const A: usize = 17504 // 5 limbs
const B: usize = 17584
const TAIL: usize = 17664 // 16 elements
const ACC: usize = 18176 // PAIRS times 11 columns
const SUM: usize = 19584 // an element
const FACTORS: usize = 20480 // up to 20 times 5 limbs; kernel/ring.ts has no more primes
/** Pairs of elements under way at once: independent chains that fill the pipeline. */
const PAIRS: usize = 8
const COLUMNS: usize = 176

/** Products that the columns hold. */
const MOST_TERMS: usize = 64

@inline
function constant(p: usize): v128 {
  return v128.load(p)
}

/** Integers below 2^51 as numbers. */
@inline
function toNumber(x: v128): v128 {
  return f64x2.sub(v128.or(x, constant(TWO52)), constant(TWO52))
}

/** The limbs of the elements at x and y. */
@inline
function unpack(limbs: usize, x: usize, y: usize): void {
  const x0 = v128.load(x), x1 = v128.load(x, 16), y0 = v128.load(y), y1 = v128.load(y, 16)
  const w0 = v128.shuffle<i64>(x0, y0, 0, 2)
  const w1 = v128.shuffle<i64>(x0, y0, 1, 3)
  const w2 = v128.shuffle<i64>(x1, y1, 0, 2)
  const w3 = v128.shuffle<i64>(x1, y1, 1, 3)
  const mask = constant(MASK)
  v128.store(limbs, toNumber(v128.and(w0, mask)))
  v128.store(limbs, toNumber(v128.and(v128.or(i64x2.shr_u(w0, 51), i64x2.shl(w1, 13)), mask)), 16)
  v128.store(limbs, toNumber(v128.and(v128.or(i64x2.shr_u(w1, 38), i64x2.shl(w2, 26)), mask)), 32)
  v128.store(limbs, toNumber(v128.and(v128.or(i64x2.shr_u(w2, 25), i64x2.shl(w3, 39)), mask)), 48)
  v128.store(limbs, toNumber(i64x2.shr_u(w3, 12)), 64)
}

@inline
function high(a: v128, b: v128): v128 {
  return f64x2.relaxed_madd(a, b, constant(HIGH))
}

@inline
function low(a: v128, b: v128, h: v128): v128 {
  return f64x2.relaxed_madd(a, b, f64x2.sub(constant(LOW), h))
}

/** Adds number x times the limbs at b to the six columns from c on. */
@inline
function addRow(c: usize, x: v128, b: usize): void {
  let y = v128.load(b)
  let h = high(x, y)
  v128.store(c, i64x2.add(v128.load(c), low(x, y, h)))
  let next = i64x2.add(v128.load(c, 16), h)
  y = v128.load(b, 16)
  h = high(x, y)
  v128.store(c, i64x2.add(next, low(x, y, h)), 16)
  next = i64x2.add(v128.load(c, 32), h)
  y = v128.load(b, 32)
  h = high(x, y)
  v128.store(c, i64x2.add(next, low(x, y, h)), 32)
  next = i64x2.add(v128.load(c, 48), h)
  y = v128.load(b, 48)
  h = high(x, y)
  v128.store(c, i64x2.add(next, low(x, y, h)), 48)
  next = i64x2.add(v128.load(c, 64), h)
  y = v128.load(b, 64)
  h = high(x, y)
  v128.store(c, i64x2.add(next, low(x, y, h)), 64)
  v128.store(c, i64x2.add(v128.load(c, 80), h), 80)
}

/** Adds the multiple of m that makes the column at c one of 2^51, and carries it. */
@inline
function reduceColumn(c: usize): void {
  const t = toNumber(v128.and(v128.load(c), constant(MASK)))
  const inverse = constant(INVERSE)
  addRow(c, f64x2.sub(low(t, inverse, high(t, inverse)), constant(REST)), LIMBS)
  v128.store(c, i64x2.add(v128.load(c, 16), i64x2.shr_u(v128.load(c), 51)), 16)
}

/** The same for 2^6; the eleventh column joins the tenth. */
@inline
function reduceLast(c: usize): void {
  const t = v128.and(i16x8.mul(v128.load(c), constant(INVERSE6)), constant(MASK6))
  addRow(c, toNumber(t), LIMBS)
  v128.store(c, i64x2.add(v128.load(c, 64), i64x2.shl(v128.load(c, 80), 51)), 64)
}

/** Subtracts what `less` says from the limbs at c, where the difference is not negative. */
@inline
function subtractOnce(c: usize, less: usize): void {
  const mask = constant(MASK)
  const c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48), c4 = v128.load(c, 64)
  const d0 = i64x2.add(c0, v128.load(less))
  const d1 = i64x2.add(i64x2.add(c1, v128.load(less, 16)), i64x2.shr_u(d0, 51))
  const d2 = i64x2.add(i64x2.add(c2, v128.load(less, 32)), i64x2.shr_u(d1, 51))
  const d3 = i64x2.add(i64x2.add(c3, v128.load(less, 48)), i64x2.shr_u(d2, 51))
  const d4 = i64x2.add(i64x2.add(c4, v128.load(less, 64)), i64x2.shr_u(d3, 51))
  const keep = i64x2.lt_s(d4, i64x2.splat(0))
  v128.store(c, v128.bitselect(c0, v128.and(d0, mask), keep))
  v128.store(c, v128.bitselect(c1, v128.and(d1, mask), keep), 16)
  v128.store(c, v128.bitselect(c2, v128.and(d2, mask), keep), 32)
  v128.store(c, v128.bitselect(c3, v128.and(d3, mask), keep), 48)
  v128.store(c, v128.bitselect(c4, d4, keep), 64)
}

/** The two elements that the columns from c on are 64 times of, at dst. */
@inline
function pack(dst: usize, c: usize, large: bool): void {
  const mask = constant(MASK)
  let carry = v128.load(c)
  v128.store(c, v128.and(carry, mask))
  carry = i64x2.add(v128.load(c, 16), i64x2.shr_u(carry, 51))
  v128.store(c, v128.and(carry, mask), 16)
  carry = i64x2.add(v128.load(c, 32), i64x2.shr_u(carry, 51))
  v128.store(c, v128.and(carry, mask), 32)
  carry = i64x2.add(v128.load(c, 48), i64x2.shr_u(carry, 51))
  v128.store(c, v128.and(carry, mask), 48)
  v128.store(c, i64x2.add(v128.load(c, 64), i64x2.shr_u(carry, 51)), 64)
  if (large) subtractOnce(c, LESS)
  subtractOnce(c, LESS + 80)
  const r0 = v128.load(c), r1 = v128.load(c, 16), r2 = v128.load(c, 32), r3 = v128.load(c, 48), r4 = v128.load(c, 64)
  const w0 = v128.or(i64x2.shr_u(r0, 6), i64x2.shl(r1, 45))
  const w1 = v128.or(i64x2.shr_u(r1, 19), i64x2.shl(r2, 32))
  const w2 = v128.or(i64x2.shr_u(r2, 32), i64x2.shl(r3, 19))
  const w3 = v128.or(i64x2.shr_u(r3, 45), i64x2.shl(r4, 6))
  v128.store(dst, v128.shuffle<i64>(w0, w1, 0, 2))
  v128.store(dst, v128.shuffle<i64>(w2, w3, 0, 2), 16)
  v128.store(dst, v128.shuffle<i64>(w0, w1, 1, 3), 32)
  v128.store(dst, v128.shuffle<i64>(w2, w3, 1, 3), 48)
}

/** Adds 64 times the elements at x and y to the five columns from c on. */
@inline
function addElements(c: usize, x: usize, y: usize): void {
  const x0 = v128.load(x), x1 = v128.load(x, 16), y0 = v128.load(y), y1 = v128.load(y, 16)
  const w0 = v128.shuffle<i64>(x0, y0, 0, 2)
  const w1 = v128.shuffle<i64>(x0, y0, 1, 3)
  const w2 = v128.shuffle<i64>(x1, y1, 0, 2)
  const w3 = v128.shuffle<i64>(x1, y1, 1, 3)
  const mask = constant(MASK)
  v128.store(c, i64x2.add(v128.load(c), v128.and(i64x2.shl(w0, 6), mask)))
  v128.store(c, i64x2.add(v128.load(c, 16), v128.and(v128.or(i64x2.shr_u(w0, 45), i64x2.shl(w1, 19)), mask)), 16)
  v128.store(c, i64x2.add(v128.load(c, 32), v128.and(v128.or(i64x2.shr_u(w1, 32), i64x2.shl(w2, 32)), mask)), 32)
  v128.store(c, i64x2.add(v128.load(c, 48), v128.and(v128.or(i64x2.shr_u(w2, 19), i64x2.shl(w3, 45)), mask)), 48)
  v128.store(c, i64x2.add(v128.load(c, 64), i64x2.shr_u(w3, 6)), 64)
}

/** Columns before the products of a sum of `terms`. */
function begin(terms: usize): void {
  for (let j: usize = 0; j < COLUMNS; j += 16)
    v128.store(INIT + j, i64x2.splat(load<i64>(START + j) - i64(terms) * load<i64>(PATTERNS + j)))
}

/** The limbs at A times those at B, added to the ten columns at `from`: the columns at c. */
@inline
function addProduct(c: usize, from: usize): void {
  let c0 = v128.load(from, 0), c1 = v128.load(from, 16)
  let c2 = v128.load(from, 32), c3 = v128.load(from, 48)
  let c4 = v128.load(from, 64), c5 = v128.load(from, 80)
  let c6 = v128.load(from, 96), c7 = v128.load(from, 112)
  let c8 = v128.load(from, 128), c9 = v128.load(from, 144)
  const b0 = v128.load(B), b1 = v128.load(B, 16), b2 = v128.load(B, 32), b3 = v128.load(B, 48), b4 = v128.load(B, 64)
  let x = v128.load(A)
  let h = high(x, b0)
  c0 = i64x2.add(c0, low(x, b0, h))
  c1 = i64x2.add(c1, h)
  h = high(x, b1)
  c1 = i64x2.add(c1, low(x, b1, h))
  c2 = i64x2.add(c2, h)
  h = high(x, b2)
  c2 = i64x2.add(c2, low(x, b2, h))
  c3 = i64x2.add(c3, h)
  h = high(x, b3)
  c3 = i64x2.add(c3, low(x, b3, h))
  c4 = i64x2.add(c4, h)
  h = high(x, b4)
  c4 = i64x2.add(c4, low(x, b4, h))
  c5 = i64x2.add(c5, h)
  x = v128.load(A, 16)
  h = high(x, b0)
  c1 = i64x2.add(c1, low(x, b0, h))
  c2 = i64x2.add(c2, h)
  h = high(x, b1)
  c2 = i64x2.add(c2, low(x, b1, h))
  c3 = i64x2.add(c3, h)
  h = high(x, b2)
  c3 = i64x2.add(c3, low(x, b2, h))
  c4 = i64x2.add(c4, h)
  h = high(x, b3)
  c4 = i64x2.add(c4, low(x, b3, h))
  c5 = i64x2.add(c5, h)
  h = high(x, b4)
  c5 = i64x2.add(c5, low(x, b4, h))
  c6 = i64x2.add(c6, h)
  x = v128.load(A, 32)
  h = high(x, b0)
  c2 = i64x2.add(c2, low(x, b0, h))
  c3 = i64x2.add(c3, h)
  h = high(x, b1)
  c3 = i64x2.add(c3, low(x, b1, h))
  c4 = i64x2.add(c4, h)
  h = high(x, b2)
  c4 = i64x2.add(c4, low(x, b2, h))
  c5 = i64x2.add(c5, h)
  h = high(x, b3)
  c5 = i64x2.add(c5, low(x, b3, h))
  c6 = i64x2.add(c6, h)
  h = high(x, b4)
  c6 = i64x2.add(c6, low(x, b4, h))
  c7 = i64x2.add(c7, h)
  x = v128.load(A, 48)
  h = high(x, b0)
  c3 = i64x2.add(c3, low(x, b0, h))
  c4 = i64x2.add(c4, h)
  h = high(x, b1)
  c4 = i64x2.add(c4, low(x, b1, h))
  c5 = i64x2.add(c5, h)
  h = high(x, b2)
  c5 = i64x2.add(c5, low(x, b2, h))
  c6 = i64x2.add(c6, h)
  h = high(x, b3)
  c6 = i64x2.add(c6, low(x, b3, h))
  c7 = i64x2.add(c7, h)
  h = high(x, b4)
  c7 = i64x2.add(c7, low(x, b4, h))
  c8 = i64x2.add(c8, h)
  x = v128.load(A, 64)
  h = high(x, b0)
  c4 = i64x2.add(c4, low(x, b0, h))
  c5 = i64x2.add(c5, h)
  h = high(x, b1)
  c5 = i64x2.add(c5, low(x, b1, h))
  c6 = i64x2.add(c6, h)
  h = high(x, b2)
  c6 = i64x2.add(c6, low(x, b2, h))
  c7 = i64x2.add(c7, h)
  h = high(x, b3)
  c7 = i64x2.add(c7, low(x, b3, h))
  c8 = i64x2.add(c8, h)
  h = high(x, b4)
  c8 = i64x2.add(c8, low(x, b4, h))
  c9 = i64x2.add(c9, h)
  v128.store(c, c0)
  v128.store(c, c1, 16)
  v128.store(c, c2, 32)
  v128.store(c, c3, 48)
  v128.store(c, c4, 64)
  v128.store(c, c5, 80)
  v128.store(c, c6, 96)
  v128.store(c, c7, 112)
  v128.store(c, c8, 128)
  v128.store(c, c9, 144)
}

/** Reduces `pairs` sums: the columns of pair p become the elements 2p and 2p + 1 at dst. */
function reducePairs(dst: usize, pairs: usize, large: bool): void {
  const end = ACC + pairs * COLUMNS
  for (let i: usize = 0; i < 80; i += 16)
    for (let c = ACC + i; c < end; c += COLUMNS) reduceColumn(c)
  for (let c = ACC + 80; c < end; c += COLUMNS) reduceLast(c)
  for (let c = ACC + 80; c < end; c += COLUMNS, dst += 64) pack(dst, c, large)
}

/** `sumOfProducts` of vector.ts; dst may be c, or with up to 64 terms an operand that is not broadcast. */
export function fusedSum(dst: usize, terms: usize, k: usize, c: usize, sc: usize, n: usize): void {
  for (; k > MOST_TERMS; k -= MOST_TERMS, terms += MOST_TERMS << 4, c = dst, sc = 32) fusedTerms(dst, terms, MOST_TERMS, c, sc, n)
  fusedTerms(dst, terms, k, c, sc, n)
}

function fusedTerms(dst: usize, terms: usize, k: usize, c: usize, sc: usize, n: usize): void {
  begin(k)
  const large = k > 1 || c != 0
  const end = terms + (k << 4)
  for (let i: usize = 0; i < n; i += 2 * PAIRS) {
    const count = min(n - i, 2 * PAIRS)
    const pairs = (count + 1) >> 1
    for (let p: usize = 0; p < pairs; p++) {
      const columns = ACC + p * COLUMNS
      const x = i + 2 * p
      const y = min(x + 1, n - 1)
      v128.store(columns, v128.load(INIT, 160), 160)
      for (let t = terms, from = INIT; t < end; t += 16, from = columns) {
        const a = usize(load<u32>(t)), sa = usize(load<u32>(t, 4)), b = usize(load<u32>(t, 8)), sb = usize(load<u32>(t, 12))
        unpack(A, a + x * sa, a + y * sa)
        unpack(B, b + x * sb, b + y * sb)
        addProduct(columns, from)
      }
      if (c != 0) addElements(columns + 80, c + x * sc, c + y * sc)
    }
    if (count == 2 * PAIRS) reducePairs(dst, PAIRS, large)
    else {
      reducePairs(TAIL, pairs, large)
      memory.copy(dst, TAIL, count << 5)
    }
    dst += count << 5
  }
}

/** dst = Σ a_i·b_i/2^261; `work` has room for 17 columns of field.ts. */
export function fusedInner(dst: usize, a: usize, sa: usize, b: usize, sb: usize, n: usize, work: usize): void {
  clear(SUM)
  let rows = n / (2 * PAIRS)
  while (rows > 0) {
    const count = min(rows, MOST_TERMS)
    begin(count)
    for (let p: usize = 0; p < PAIRS; p++)
      for (let j: usize = 0; j < COLUMNS; j += 16) v128.store(ACC + p * COLUMNS + j, v128.load(INIT + j))
    for (let row: usize = 0; row < count; row++)
      for (let p: usize = 0; p < PAIRS; p++, a += 2 * sa, b += 2 * sb) {
        unpack(A, a, a + sa)
        unpack(B, b, b + sb)
        addProduct(ACC + p * COLUMNS, ACC + p * COLUMNS)
      }
    reducePairs(TAIL, PAIRS, true)
    for (let p = TAIL; p < TAIL + 2 * PAIRS * 32; p += 32) add(SUM, SUM, p)
    rows -= count
  }
  memory.fill(work, 0, 136)
  for (let left = n % (2 * PAIRS); left > 0; left--, a += sa, b += sb) {
    accMul(work, a, b)
    if ((left & 3) == 0) accCarry(work)
  }
  accCarry(work)
  accReduce(TAIL, work)
  add(SUM, SUM, TAIL)
  copy(dst, SUM)
}

/** `planesToField` of ring.ts: the products have six columns, so that one step of 2^51 and one of 2^6 reduce them. */
export function fusedPlanes(dst: usize, planes: usize, k: usize, factors: usize, n: usize): void {
  for (let j: usize = 0; j < k; j++) unpack(FACTORS + j * 80, factors + (j << 5), factors + (j << 5))
  for (let j: usize = 0; j < 112; j += 16)
    v128.store(INIT + j, i64x2.splat(load<i64>(SHORT_START + j) - i64(k) * load<i64>(SHORT_PATTERNS + j)))
  const stride = n << 3
  for (let i: usize = 0; i < n; i += 2 * PAIRS) {
    const count = min(n - i, 2 * PAIRS)
    const pairs = (count + 1) >> 1
    const end = ACC + pairs * COLUMNS
    let plane = planes + (i << 3)
    for (let c = ACC + 64; c < end; c += COLUMNS, plane += 16) {
      for (let j: usize = 0; j < 112; j += 16) v128.store(c + j, v128.load(INIT + j))
      for (let j: usize = 0; j < k; j++) addRow(c, v128.load(plane + j * stride), FACTORS + j * 80)
    }
    for (let c = ACC + 64; c < end; c += COLUMNS) reduceColumn(c)
    for (let c = ACC + 80; c < end; c += COLUMNS) reduceLast(c)
    let out = TAIL
    for (let c = ACC + 80; c < end; c += COLUMNS, out += 64) pack(out, c, true)
    memory.copy(dst + (i << 5), TAIL, count << 5)
  }
}
