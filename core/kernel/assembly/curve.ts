// Short Weierstrass curves y² = x³ + b of prime order (cofactor 1) over the field of field.ts: BN254 G1.
//
// A point is affine, 64 bytes: x and y in Montgomery form; (0, 0), which is not on the curve, is infinity.
// The unit of work is the batch of independent affine additions that share one inversion: 5 multiplications
// and a squaring each (plus 3 for the shared inversion), and exact in every exceptional case.
//
// Side channels: table look-ups and skipped zero digits depend on scalars, so code on the same machine that
// shares its caches could learn about them. Not constant time.
import {
  CURVE_B, ONE, R2, SQRT_EXPONENT, UNIT,
  add, clear, copy, inverse, isCanonical, isEqual, isZero, mul, power, sqr, sub,
} from './field'

const ZERO: usize = 4096 // never written
const RUN: usize = 4128
const YA: usize = 4160
const YB: usize = 4192
const L: usize = 4224
const X3: usize = 4256
const N: usize = 4288
const U: usize = 4320
const S: usize = 4352
const P: usize = 4384
const R: usize = 4416
const PP: usize = 4448
const PPP: usize = 4480
const Q: usize = 4512
/** Running sums in coordinates (X, Y, ZZ, ZZZ) with x = X/ZZ, y = Y/ZZZ; ZZ = 0 is infinity. */
const ACC: usize = 4608
const SUM: usize = 4736
const ROW: usize = 4864

@inline
function isInfinity(p: usize): bool {
  return isZero(p) && isZero(p + 32)
}

/** Addresses of points are multiples of 32; bit 0 asks for the negative. */
@inline
function at(p: usize): usize {
  return p & ~1
}

@inline
function signedY(dst: usize, p: usize): void {
  if (p & 1) sub(dst, ZERO, (p & ~1) + 32)
  else copy(dst, p + 32)
}

function copySigned(dst: usize, p: usize): void {
  signedY(YA, p)
  copy(dst, at(p))
  copy(dst + 32, YA)
}

@inline
function setPair(pairs: usize, i: usize, dst: usize, a: usize, b: usize): void {
  store<u32>(pairs + i * 12, u32(dst), 0)
  store<u32>(pairs + i * 12, u32(a), 4)
  store<u32>(pairs + i * 12, u32(b), 8)
}

/**
 * dst = a + b for n independent triples (dst, a, b) of addresses; dst may be its own a or b.
 * scratch has 64 bytes for each: the denominator and the product of those before it.
 */
export function batchAdd(pairs: usize, n: usize, scratch: usize): void {
  if (n == 0) return
  copy(RUN, ONE)
  for (let i: usize = 0; i < n; i++) {
    const pair = pairs + i * 12
    const dst: usize = load<u32>(pair, 0)
    const a: usize = load<u32>(pair, 4)
    const b: usize = load<u32>(pair, 8)
    const d = scratch + i * 64
    if (isInfinity(at(b))) {
      copySigned(dst, a)
      store<u32>(pair, u32(dst | 3))
      continue
    }
    if (isInfinity(at(a))) {
      copySigned(dst, b)
      store<u32>(pair, u32(dst | 3))
      continue
    }
    if (isEqual(at(a), at(b))) {
      signedY(YA, a)
      signedY(YB, b)
      if (!isEqual(YA, YB)) {
        clear(dst)
        clear(dst + 32)
        store<u32>(pair, u32(dst | 3))
        continue
      }
      add(d, YA, YA) // not zero: the order is odd
      store<u32>(pair, u32(dst | 1))
    } else sub(d, at(b), at(a))
    copy(d + 32, RUN)
    mul(RUN, RUN, d)
  }
  inverse(RUN, RUN)
  for (let i: isize = isize(n) - 1; i >= 0; i--) {
    const pair = pairs + usize(i) * 12
    const tagged: usize = load<u32>(pair, 0)
    if ((tagged & 3) == 3) continue
    const dst = tagged & ~3
    const a: usize = load<u32>(pair, 4)
    const b: usize = load<u32>(pair, 8)
    const d = scratch + usize(i) * 64
    mul(L, RUN, d + 32)
    mul(RUN, RUN, d)
    signedY(YA, a)
    if (tagged & 1) {
      sqr(N, at(a))
      add(X3, N, N)
      add(N, N, X3)
    } else {
      signedY(YB, b)
      sub(N, YB, YA)
    }
    mul(L, L, N)
    sqr(X3, L)
    sub(X3, X3, at(a))
    sub(X3, X3, at(b))
    sub(N, at(a), X3)
    mul(N, N, L)
    sub(dst + 32, N, YA)
    copy(dst, X3)
  }
}

/** dst_i = a_i ± b_i. Strides are 64, or 0 to broadcast; work has 76·cap bytes (pairs, then scratch). */
export function addPoints(dst: usize, a: usize, sa: usize, b: usize, sb: usize, negate: usize, n: usize, work: usize, cap: usize): void {
  const scratch = work + cap * 12
  for (let i: usize = 0; i < n; ) {
    const count = min(cap, n - i)
    for (let j: usize = 0; j < count; j++, i++) setPair(work, j, dst + i * 64, a + i * sa, (b + i * sb) | negate)
    batchAdd(work, count, scratch)
  }
}

/** dst_i = scalar_i·a_i for integers of `bits` bits, double-and-add in batches. dst must not overlap a. */
export function scalePoints(dst: usize, a: usize, scalars: usize, ss: usize, bits: i32, n: usize, work: usize, cap: usize): void {
  const scratch = work + cap * 12
  memory.fill(dst, 0, n * 64)
  for (let from: usize = 0; from < n; from += cap) {
    const to = min(from + cap, n)
    for (let bit = bits - 1; bit >= 0; bit--) {
      let count: usize = 0
      for (let i = from; i < to; i++) {
        const p = dst + i * 64
        if (!isInfinity(p)) setPair(work, count++, p, p, p)
      }
      batchAdd(work, count, scratch)
      count = 0
      for (let i = from; i < to; i++) {
        const word = load<u64>(scalars + i * ss + usize((bit >> 6) << 3))
        if ((word >> u64(bit & 63)) & 1) setPair(work, count++, dst + i * 64, dst + i * 64, a + i * 64)
      }
      batchAdd(work, count, scratch)
    }
  }
}

// ---- fixed bases -------------------------------------------------------------------------------------------

/** Fills table[w][d-1] = d·2^(c·w)·base for 0 ≤ w < windows, 1 ≤ d ≤ 2^(c-1). */
export function buildTable(table: usize, base: usize, c: usize, windows: usize, work: usize, cap: usize): void {
  const scratch = work + cap * 12
  const half: usize = usize(1) << (c - 1)
  copy(table, base)
  copy(table + 32, base + 32)
  for (let w: usize = 1; w < windows; w++) {
    const p = table + w * half * 64
    copy(p, p - half * 64)
    copy(p + 32, p - half * 64 + 32)
    for (let i: usize = 0; i < c; i++) {
      setPair(work, 0, p, p, p)
      batchAdd(work, 1, scratch)
    }
  }
  for (let k: usize = 1; k < half; k <<= 1) {
    let count: usize = 0
    for (let w: usize = 0; w < windows; w++) {
      const row = table + w * half * 64
      for (let j: usize = 0; j < k; j++) {
        setPair(work, count++, row + (k + j) * 64, row + (k - 1) * 64, row + j * 64)
        if (count == cap) {
          batchAdd(work, count, scratch)
          count = 0
        }
      }
    }
    batchAdd(work, count, scratch)
  }
}

/** digits[w·n + i] (i16) in [-2^(c-1)+1, 2^(c-1)] with scalar_i = Σ_w digit·2^(c·w); c ≤ 15. */
export function recode(digits: usize, scalars: usize, n: usize, c: usize, windows: usize): void {
  const half: i32 = 1 << (i32(c) - 1)
  const mask: u64 = (u64(1) << u64(c)) - 1
  for (let i: usize = 0; i < n; i++) {
    const s = scalars + i * 32
    let carry: i32 = 0
    for (let w: usize = 0; w < windows; w++) {
      const bit = w * c
      let value: u64 = 0
      if (bit < 256) {
        const word = bit >> 6
        const shift = u64(bit & 63)
        value = load<u64>(s + word * 8) >> shift
        if (shift + u64(c) > 64 && word < 3) value |= load<u64>(s + word * 8 + 8) << (64 - shift)
      }
      let digit = i32(value & mask) + carry
      carry = i32(digit > half)
      digit -= carry << i32(c)
      store<i16>(digits + (w * n + i) * 2, i16(digit))
    }
  }
}

/**
 * dst_i = Σ_slot table[slot][digit]: each of the n sums is split over `lanes` (a power of two) partial sums, so
 * that small batches share inversions too. acc has n·lanes points; cap ≥ n·lanes.
 */
export function fixedBase(
  dst: usize, digits: usize, slots: usize, n: usize, table: usize, half: usize, lanes: usize, acc: usize, work: usize, cap: usize,
): void {
  const scratch = work + cap * 12
  memory.fill(acc, 0, n * lanes * 64)
  for (let slot: usize = 0; slot < slots; slot += lanes) {
    let count: usize = 0
    for (let l: usize = 0; l < lanes && slot + l < slots; l++) {
      const row = table + (slot + l) * half * 64
      const column = digits + (slot + l) * n * 2
      for (let i: usize = 0; i < n; i++) {
        const d: i32 = load<i16>(column + i * 2)
        if (d == 0) continue
        const p = acc + (i * lanes + l) * 64
        if (d > 0) setPair(work, count++, p, p, row + usize(d - 1) * 64)
        else setPair(work, count++, p, p, (row + usize(-d - 1) * 64) | 1)
      }
    }
    batchAdd(work, count, scratch)
  }
  for (let step = lanes >> 1; step > 0; step >>= 1) {
    let count: usize = 0
    for (let i: usize = 0; i < n; i++) {
      for (let l: usize = 0; l < step; l++) {
        const p = acc + (i * lanes + l) * 64
        setPair(work, count++, p, p, p + step * 64)
      }
    }
    batchAdd(work, count, scratch)
  }
  for (let i: usize = 0; i < n; i++) memory.copy(dst + i * 64, acc + i * lanes * 64, 64)
}

// ---- multi-scalar multiplication (Pippenger) ---------------------------------------------------------------

/** acc += ±p, p affine (madd-2008-s). */
function addMixed(acc: usize, p: usize): void {
  const x = at(p)
  if (isInfinity(x)) return
  signedY(YB, p)
  if (isZero(acc + 64)) {
    copy(acc, x)
    copy(acc + 32, YB)
    copy(acc + 64, ONE)
    copy(acc + 96, ONE)
    return
  }
  mul(U, x, acc + 64)
  mul(S, YB, acc + 96)
  sub(P, U, acc)
  sub(R, S, acc + 32)
  if (isZero(P)) {
    if (isZero(R)) doubleSum(acc)
    else memory.fill(acc, 0, 128)
    return
  }
  finishAdd(acc, acc, acc + 32)
}

/** acc += b (add-2008-s). */
function addSum(acc: usize, b: usize): void {
  if (isZero(b + 64)) return
  if (isZero(acc + 64)) {
    memory.copy(acc, b, 128)
    return
  }
  mul(U, acc, b + 64)
  mul(S, acc + 32, b + 96)
  mul(P, b, acc + 64)
  mul(R, b + 32, acc + 96)
  sub(P, P, U)
  sub(R, R, S)
  if (isZero(P)) {
    if (isZero(R)) doubleSum(acc)
    else memory.fill(acc, 0, 128)
    return
  }
  mul(acc + 64, acc + 64, b + 64)
  mul(acc + 96, acc + 96, b + 96)
  finishAdd(acc, U, S)
}

/** The common tail: x1, y1 scaled, P and R the differences. */
function finishAdd(acc: usize, x1: usize, y1: usize): void {
  sqr(PP, P)
  mul(PPP, PP, P)
  mul(Q, x1, PP)
  mul(N, y1, PPP)
  sqr(X3, R)
  sub(X3, X3, PPP)
  sub(X3, X3, Q)
  sub(X3, X3, Q)
  sub(Q, Q, X3)
  mul(Q, Q, R)
  sub(acc + 32, Q, N)
  copy(acc, X3)
  mul(acc + 64, acc + 64, PP)
  mul(acc + 96, acc + 96, PPP)
}

/** acc = 2·acc (dbl-2008-s-1, a = 0). */
function doubleSum(acc: usize): void {
  if (isZero(acc + 64)) return
  add(U, acc + 32, acc + 32)
  sqr(PP, U)
  mul(PPP, U, PP)
  mul(S, acc, PP)
  sqr(N, acc)
  add(R, N, N)
  add(N, N, R)
  sqr(X3, N)
  sub(X3, X3, S)
  sub(X3, X3, S)
  mul(Q, PPP, acc + 32)
  sub(S, S, X3)
  mul(N, N, S)
  sub(acc + 32, N, Q)
  copy(acc, X3)
  mul(acc + 64, acc + 64, PP)
  mul(acc + 96, acc + 96, PPP)
}

function toAffine(dst: usize, acc: usize): void {
  if (isZero(acc + 64)) {
    memory.fill(dst, 0, 64)
    return
  }
  inverse(U, acc + 96)
  mul(S, U, acc + 64)
  sqr(S, S)
  mul(dst, acc, S)
  mul(dst + 32, acc + 32, U)
}

/**
 * Adds up the buckets of `group` windows at once. Points are sorted by window and |digit|, then every bucket is reduced
 * in a tree of batched affine additions, so that few points with many windows share inversions too.
 * digits: group·n of i16; starts and counts: group·(half+1) of u32; entries: group·n of u32; temp: group·n/2 points.
 * Afterwards a bucket b with counts[b] = 1 has its sum at the first of its entries, whose end is starts[b].
 */
function reduceBuckets(
  points: usize, digits: usize, n: usize, half: usize, group: usize, starts: usize, counts: usize, entries: usize, temp: usize, work: usize, cap: usize,
): void {
  const scratch = work + cap * 12
  const buckets = group * (half + 1)
  memory.fill(counts, 0, buckets * 4)
  for (let w: usize = 0; w < group; w++) {
    const row = counts + w * (half + 1) * 4
    for (let i: usize = 0; i < n; i++) {
      const d: i32 = load<i16>(digits + (w * n + i) * 2)
      if (d == 0) continue
      const c = row + usize(abs<i32>(d)) * 4
      store<u32>(c, load<u32>(c) + 1)
    }
  }
  let total: u32 = 0
  for (let b: usize = 0; b < buckets; b++) {
    store<u32>(starts + b * 4, total)
    total += load<u32>(counts + b * 4)
  }
  for (let w: usize = 0; w < group; w++) {
    const row = starts + w * (half + 1) * 4
    for (let i: usize = 0; i < n; i++) {
      const d: i32 = load<i16>(digits + (w * n + i) * 2)
      if (d == 0) continue
      const s = row + usize(abs<i32>(d)) * 4
      const slot = load<u32>(s)
      store<u32>(s, slot + 1)
      store<u32>(entries + usize(slot) * 4, u32(points + i * 64) | u32(d < 0))
    }
  }
  let free = temp
  let again = true
  while (again) {
    again = false
    let pairs: usize = 0
    let start: usize = 0
    for (let b: usize = 0; b < buckets; b++) {
      const bucket = entries + start * 4
      start = load<u32>(starts + b * 4)
      const count: usize = load<u32>(counts + b * 4)
      if (count < 2) continue
      for (let e: usize = 0; e + 1 < count; e += 2) {
        const p: usize = load<u32>(bucket + e * 4)
        const q: usize = load<u32>(bucket + e * 4 + 4)
        let dst: usize
        if (p >= temp && p < free) dst = p
        else if (q >= temp && q < free) dst = q
        else {
          dst = free
          free += 64
        }
        store<u32>(bucket + (e >> 1) * 4, u32(dst))
        setPair(work, pairs++, dst, p, q)
        if (pairs == cap) {
          batchAdd(work, pairs, scratch)
          pairs = 0
        }
      }
      if (count & 1) store<u32>(bucket + (count >> 1) * 4, load<u32>(bucket + (count - 1) * 4))
      const left = (count + 1) >> 1
      store<u32>(counts + b * 4, u32(left))
      if (left > 1) again = true
    }
    batchAdd(work, pairs, scratch)
  }
}

/** dst = Σ_i scalar_i·point_i from digits made by `recode`; the other arguments are those of `reduceBuckets`. */
export function msm(
  dst: usize, points: usize, digits: usize, n: usize, c: usize, windows: usize, group: usize, starts: usize, counts: usize, entries: usize, temp: usize, work: usize, cap: usize,
): void {
  const half: usize = usize(1) << (c - 1)
  memory.fill(ACC, 0, 128)
  for (let high = windows; high > 0; ) {
    const low = high > group ? high - group : 0
    reduceBuckets(points, digits + low * n * 2, n, half, high - low, starts, counts, entries, temp, work, cap)
    for (let w = high; w > low; w--) {
      for (let i: usize = 0; i < c; i++) doubleSum(ACC)
      memory.fill(ROW, 0, 128)
      memory.fill(SUM, 0, 128)
      const row = (w - 1 - low) * (half + 1)
      for (let b = row + half; b > row; b--) {
        if (load<u32>(counts + b * 4) != 0) addMixed(SUM, load<u32>(entries + usize(load<u32>(starts + (b - 1) * 4)) * 4))
        addSum(ROW, SUM)
      }
      addSum(ACC, ROW)
    }
    high = low
  }
  toAffine(dst, ACC)
}

// ---- encodings ---------------------------------------------------------------------------------------------

@inline
function reverseBytes(dst: usize, src: usize): void {
  const w0 = bswap<u64>(load<u64>(src, 24))
  const w1 = bswap<u64>(load<u64>(src, 16))
  const w2 = bswap<u64>(load<u64>(src, 8))
  const w3 = bswap<u64>(load<u64>(src, 0))
  store<u64>(dst, w0, 0)
  store<u64>(dst, w1, 8)
  store<u64>(dst, w2, 16)
  store<u64>(dst, w3, 24)
}

/** S = x³ + b. */
function rightSide(x: usize): void {
  sqr(S, x)
  mul(S, S, x)
  add(S, S, CURVE_B)
}

/** Strict decoding of x ‖ y, big-endian, 64 zero bytes for infinity; returns the first bad index, or -1. */
export function fromUncompressed(dst: usize, src: usize, n: usize): i32 {
  for (let i: usize = 0; i < n; i++, dst += 64, src += 64) {
    reverseBytes(U, src)
    reverseBytes(P, src + 32)
    if (isZero(U) && isZero(P)) {
      memory.fill(dst, 0, 64)
      continue
    }
    if (!isCanonical(U) || !isCanonical(P)) return i32(i)
    mul(dst, U, R2)
    mul(dst + 32, P, R2)
    rightSide(dst)
    sqr(N, dst + 32)
    if (!isEqual(S, N)) return i32(i)
  }
  return -1
}

export function toUncompressed(dst: usize, src: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++, dst += 64, src += 64) {
    mul(U, src, UNIT)
    mul(P, src + 32, UNIT)
    reverseBytes(dst, U)
    reverseBytes(dst + 32, P)
  }
}

/** Whether the canonical integer at a is above (m − 1)/2. */
function isLargest(a: usize): bool {
  add(N, a, a) // wraps exactly when 2a ≥ m, and then is odd
  return (load<u64>(N) & 1) != 0
}

/**
 * 32 bytes, big-endian x; the top two bits are 10 for the smaller y, 11 for the larger, 01 (and zeros) for
 * infinity, as gnark writes BN254 points. Returns the first bad index, or -1.
 */
export function fromCompressed(dst: usize, src: usize, n: usize): i32 {
  for (let i: usize = 0; i < n; i++, dst += 64, src += 32) {
    reverseBytes(U, src)
    const top: u64 = load<u64>(U, 24)
    const flag = top >> 62
    store<u64>(U, top & 0x3fffffffffffffff, 24)
    if (flag == 1) {
      if (!isZero(U)) return i32(i)
      memory.fill(dst, 0, 64)
      continue
    }
    if (flag == 0 || !isCanonical(U)) return i32(i)
    mul(dst, U, R2)
    rightSide(dst)
    power(PP, S, SQRT_EXPONENT)
    sqr(N, PP)
    if (!isEqual(S, N)) return i32(i)
    mul(P, PP, UNIT)
    if (isLargest(P) == (flag == 3)) copy(dst + 32, PP)
    else sub(dst + 32, ZERO, PP)
  }
  return -1
}

export function toCompressed(dst: usize, src: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++, dst += 32, src += 64) {
    if (isInfinity(src)) {
      clear(dst)
      store<u8>(dst, 0x40)
      continue
    }
    mul(U, src, UNIT)
    mul(P, src + 32, UNIT)
    reverseBytes(dst, U)
    store<u8>(dst, load<u8>(dst) | (isLargest(P) ? 0xc0 : 0x80))
  }
}
