// Arithmetic modulo one prime m < 2^256 chosen at start-up by writing the parameters below.
//
// An element is stored as 32 bytes: the canonical representative of x·R mod m, R = 2^261, little-endian.
// Inside a multiplication it is unpacked to 9 limbs of 29 bits, so that a column of 18 products fits in
// 64 bits and carries are propagated once per column (lazy carry).
//
// Side channels: no branch and no address depends on an operand in the functions up to `sub`, and the exponents of
// `power` are public. A zero operand of an inversion shows. What the engine makes of the code is not under our control.

export const LIMB: u64 = 0x1fffffff

/** Memory map of the parameters; see core/kernel/instance.ts, which writes them. */
export const MODULUS: usize = 1024 // 9 limbs of 29 bits as u64
export const INVERSE: usize = 1096 // -1/m mod 2^29
export const MODULUS_WORDS: usize = 1104 // m as 4 words
export const R2: usize = 1136 // R^2 mod m
export const R2_HIGH: usize = 1168 // 2^192·R^2 mod m
export const ONE: usize = 1200 // R mod m
export const EXPONENT: usize = 1232 // m - 2, 4 words
export const RECIPROCAL: usize = 1264 // 2^232/m as f64, rounded down
export const SQRT_EXPONENT: usize = 1272 // (m + 1)/4, 4 words (only for m ≡ 3 mod 4)
export const CURVE_B: usize = 1304 // curve coefficient b, Montgomery form
export const UNIT: usize = 1336 // the integer 1: multiplying by it leaves Montgomery form
export const FUSED: usize = 1368 // u32: 1 where fused.ts may be used
/** Scratch memory of this file; the map continues in vector.ts (2048…), curve.ts (4096…), ring.ts (8192…) and fused.ts (16384…). */
const TABLE: usize = 1408 // 16 elements of 32 bytes

/** dst = Σ r_i·2^(29i) mod m for normalised limbs of a value below 2m. */
@inline
export function storeReduced(dst: usize, r0: u64, r1: u64, r2: u64, r3: u64, r4: u64, r5: u64, r6: u64, r7: u64, r8: u64): void {
  const w0: u64 = r0 | (r1 << 29) | (r2 << 58)
  const w1: u64 = (r2 >> 6) | (r3 << 23) | (r4 << 52)
  const w2: u64 = (r4 >> 12) | (r5 << 17) | (r6 << 46)
  const w3: u64 = (r6 >> 18) | (r7 << 11) | (r8 << 40)
  subtractOnce(dst, w0, w1, w2, w3, r8 >> 24)
}

/** dst = w mod m for w = (carry, w3…w0) below 2m. */
@inline
function subtractOnce(dst: usize, w0: u64, w1: u64, w2: u64, w3: u64, carry: u64): void {
  const n0: u64 = load<u64>(MODULUS_WORDS, 0)
  const n1: u64 = load<u64>(MODULUS_WORDS, 8)
  const n2: u64 = load<u64>(MODULUS_WORDS, 16)
  const n3: u64 = load<u64>(MODULUS_WORDS, 24)
  const d0: u64 = w0 - n0
  let c: u64 = u64(w0 < n0)
  let e: u64 = w1 - n1
  const d1: u64 = e - c
  c = u64(w1 < n1) | u64(e < c)
  e = w2 - n2
  const d2: u64 = e - c
  c = u64(w2 < n2) | u64(e < c)
  e = w3 - n3
  const d3: u64 = e - c
  c = u64(w3 < n3) | u64(e < c)
  // Keep the difference when it did not borrow, or when the borrow is paid by the carry.
  const keep: u64 = 0 - (carry | (c ^ 1))
  store<u64>(dst, (d0 & keep) | (w0 & ~keep), 0)
  store<u64>(dst, (d1 & keep) | (w1 & ~keep), 8)
  store<u64>(dst, (d2 & keep) | (w2 & ~keep), 16)
  store<u64>(dst, (d3 & keep) | (w3 & ~keep), 24)
}

/** dst = a·b/R mod m. Operands below 2^256, one of them canonical; the result is canonical. Product scanning with interleaved reduction. */
export function mul(dst: usize, a: usize, b: usize): void {
  const aw0: u64 = load<u64>(a, 0)
  const aw1: u64 = load<u64>(a, 8)
  const aw2: u64 = load<u64>(a, 16)
  const aw3: u64 = load<u64>(a, 24)
  const a0: u64 = aw0 & LIMB
  const a1: u64 = (aw0 >> 29) & LIMB
  const a2: u64 = ((aw0 >> 58) | (aw1 << 6)) & LIMB
  const a3: u64 = (aw1 >> 23) & LIMB
  const a4: u64 = ((aw1 >> 52) | (aw2 << 12)) & LIMB
  const a5: u64 = (aw2 >> 17) & LIMB
  const a6: u64 = ((aw2 >> 46) | (aw3 << 18)) & LIMB
  const a7: u64 = (aw3 >> 11) & LIMB
  const a8: u64 = aw3 >> 40
  const bw0: u64 = load<u64>(b, 0)
  const bw1: u64 = load<u64>(b, 8)
  const bw2: u64 = load<u64>(b, 16)
  const bw3: u64 = load<u64>(b, 24)
  const b0: u64 = bw0 & LIMB
  const b1: u64 = (bw0 >> 29) & LIMB
  const b2: u64 = ((bw0 >> 58) | (bw1 << 6)) & LIMB
  const b3: u64 = (bw1 >> 23) & LIMB
  const b4: u64 = ((bw1 >> 52) | (bw2 << 12)) & LIMB
  const b5: u64 = (bw2 >> 17) & LIMB
  const b6: u64 = ((bw2 >> 46) | (bw3 << 18)) & LIMB
  const b7: u64 = (bw3 >> 11) & LIMB
  const b8: u64 = bw3 >> 40
  const m0: u64 = load<u64>(MODULUS, 0)
  const m1: u64 = load<u64>(MODULUS, 8)
  const m2: u64 = load<u64>(MODULUS, 16)
  const m3: u64 = load<u64>(MODULUS, 24)
  const m4: u64 = load<u64>(MODULUS, 32)
  const m5: u64 = load<u64>(MODULUS, 40)
  const m6: u64 = load<u64>(MODULUS, 48)
  const m7: u64 = load<u64>(MODULUS, 56)
  const m8: u64 = load<u64>(MODULUS, 64)
  const inv: u64 = load<u64>(INVERSE)
  let t: u64 = 0
  t += a0 * b0
  const q0: u64 = (t * inv) & LIMB
  t = (t + q0 * m0) >> 29
  t += a0 * b1 + a1 * b0 + q0 * m1
  const q1: u64 = (t * inv) & LIMB
  t = (t + q1 * m0) >> 29
  t += a0 * b2 + a1 * b1 + a2 * b0 + q0 * m2 + q1 * m1
  const q2: u64 = (t * inv) & LIMB
  t = (t + q2 * m0) >> 29
  t += a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + q0 * m3 + q1 * m2 + q2 * m1
  const q3: u64 = (t * inv) & LIMB
  t = (t + q3 * m0) >> 29
  t += a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + q0 * m4 + q1 * m3 + q2 * m2 + q3 * m1
  const q4: u64 = (t * inv) & LIMB
  t = (t + q4 * m0) >> 29
  t += a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + q0 * m5 + q1 * m4 + q2 * m3 + q3 * m2 + q4 * m1
  const q5: u64 = (t * inv) & LIMB
  t = (t + q5 * m0) >> 29
  t += a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + q0 * m6 + q1 * m5 + q2 * m4 + q3 * m3 + q4 * m2 + q5 * m1
  const q6: u64 = (t * inv) & LIMB
  t = (t + q6 * m0) >> 29
  t += a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + q0 * m7 + q1 * m6 + q2 * m5 + q3 * m4 + q4 * m3 + q5 * m2 + q6 * m1
  const q7: u64 = (t * inv) & LIMB
  t = (t + q7 * m0) >> 29
  t += a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + q0 * m8 + q1 * m7 + q2 * m6 + q3 * m5 + q4 * m4 + q5 * m3 + q6 * m2 + q7 * m1
  const q8: u64 = (t * inv) & LIMB
  t = (t + q8 * m0) >> 29
  t += a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + q1 * m8 + q2 * m7 + q3 * m6 + q4 * m5 + q5 * m4 + q6 * m3 + q7 * m2 + q8 * m1
  const r0: u64 = t & LIMB
  t >>= 29
  t += a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + q2 * m8 + q3 * m7 + q4 * m6 + q5 * m5 + q6 * m4 + q7 * m3 + q8 * m2
  const r1: u64 = t & LIMB
  t >>= 29
  t += a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + q3 * m8 + q4 * m7 + q5 * m6 + q6 * m5 + q7 * m4 + q8 * m3
  const r2: u64 = t & LIMB
  t >>= 29
  t += a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + q4 * m8 + q5 * m7 + q6 * m6 + q7 * m5 + q8 * m4
  const r3: u64 = t & LIMB
  t >>= 29
  t += a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + q5 * m8 + q6 * m7 + q7 * m6 + q8 * m5
  const r4: u64 = t & LIMB
  t >>= 29
  t += a6 * b8 + a7 * b7 + a8 * b6 + q6 * m8 + q7 * m7 + q8 * m6
  const r5: u64 = t & LIMB
  t >>= 29
  t += a7 * b8 + a8 * b7 + q7 * m8 + q8 * m7
  const r6: u64 = t & LIMB
  t >>= 29
  t += a8 * b8 + q8 * m8
  const r7: u64 = t & LIMB
  t >>= 29
  storeReduced(dst, r0, r1, r2, r3, r4, r5, r6, r7, t)
}

/** dst = a²/R mod m. */
export function sqr(dst: usize, a: usize): void {
  const aw0: u64 = load<u64>(a, 0)
  const aw1: u64 = load<u64>(a, 8)
  const aw2: u64 = load<u64>(a, 16)
  const aw3: u64 = load<u64>(a, 24)
  const a0: u64 = aw0 & LIMB
  const a1: u64 = (aw0 >> 29) & LIMB
  const a2: u64 = ((aw0 >> 58) | (aw1 << 6)) & LIMB
  const a3: u64 = (aw1 >> 23) & LIMB
  const a4: u64 = ((aw1 >> 52) | (aw2 << 12)) & LIMB
  const a5: u64 = (aw2 >> 17) & LIMB
  const a6: u64 = ((aw2 >> 46) | (aw3 << 18)) & LIMB
  const a7: u64 = (aw3 >> 11) & LIMB
  const a8: u64 = aw3 >> 40
  const d0: u64 = a0 << 1
  const d1: u64 = a1 << 1
  const d2: u64 = a2 << 1
  const d3: u64 = a3 << 1
  const d4: u64 = a4 << 1
  const d5: u64 = a5 << 1
  const d6: u64 = a6 << 1
  const d7: u64 = a7 << 1
  const m0: u64 = load<u64>(MODULUS, 0)
  const m1: u64 = load<u64>(MODULUS, 8)
  const m2: u64 = load<u64>(MODULUS, 16)
  const m3: u64 = load<u64>(MODULUS, 24)
  const m4: u64 = load<u64>(MODULUS, 32)
  const m5: u64 = load<u64>(MODULUS, 40)
  const m6: u64 = load<u64>(MODULUS, 48)
  const m7: u64 = load<u64>(MODULUS, 56)
  const m8: u64 = load<u64>(MODULUS, 64)
  const inv: u64 = load<u64>(INVERSE)
  let t: u64 = 0
  t += a0 * a0
  const q0: u64 = (t * inv) & LIMB
  t = (t + q0 * m0) >> 29
  t += d0 * a1 + q0 * m1
  const q1: u64 = (t * inv) & LIMB
  t = (t + q1 * m0) >> 29
  t += d0 * a2 + a1 * a1 + q0 * m2 + q1 * m1
  const q2: u64 = (t * inv) & LIMB
  t = (t + q2 * m0) >> 29
  t += d0 * a3 + d1 * a2 + q0 * m3 + q1 * m2 + q2 * m1
  const q3: u64 = (t * inv) & LIMB
  t = (t + q3 * m0) >> 29
  t += d0 * a4 + d1 * a3 + a2 * a2 + q0 * m4 + q1 * m3 + q2 * m2 + q3 * m1
  const q4: u64 = (t * inv) & LIMB
  t = (t + q4 * m0) >> 29
  t += d0 * a5 + d1 * a4 + d2 * a3 + q0 * m5 + q1 * m4 + q2 * m3 + q3 * m2 + q4 * m1
  const q5: u64 = (t * inv) & LIMB
  t = (t + q5 * m0) >> 29
  t += d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3 + q0 * m6 + q1 * m5 + q2 * m4 + q3 * m3 + q4 * m2 + q5 * m1
  const q6: u64 = (t * inv) & LIMB
  t = (t + q6 * m0) >> 29
  t += d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4 + q0 * m7 + q1 * m6 + q2 * m5 + q3 * m4 + q4 * m3 + q5 * m2 + q6 * m1
  const q7: u64 = (t * inv) & LIMB
  t = (t + q7 * m0) >> 29
  t += d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4 + q0 * m8 + q1 * m7 + q2 * m6 + q3 * m5 + q4 * m4 + q5 * m3 + q6 * m2 + q7 * m1
  const q8: u64 = (t * inv) & LIMB
  t = (t + q8 * m0) >> 29
  t += d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5 + q1 * m8 + q2 * m7 + q3 * m6 + q4 * m5 + q5 * m4 + q6 * m3 + q7 * m2 + q8 * m1
  const r0: u64 = t & LIMB
  t >>= 29
  t += d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5 + q2 * m8 + q3 * m7 + q4 * m6 + q5 * m5 + q6 * m4 + q7 * m3 + q8 * m2
  const r1: u64 = t & LIMB
  t >>= 29
  t += d3 * a8 + d4 * a7 + d5 * a6 + q3 * m8 + q4 * m7 + q5 * m6 + q6 * m5 + q7 * m4 + q8 * m3
  const r2: u64 = t & LIMB
  t >>= 29
  t += d4 * a8 + d5 * a7 + a6 * a6 + q4 * m8 + q5 * m7 + q6 * m6 + q7 * m5 + q8 * m4
  const r3: u64 = t & LIMB
  t >>= 29
  t += d5 * a8 + d6 * a7 + q5 * m8 + q6 * m7 + q7 * m6 + q8 * m5
  const r4: u64 = t & LIMB
  t >>= 29
  t += d6 * a8 + a7 * a7 + q6 * m8 + q7 * m7 + q8 * m6
  const r5: u64 = t & LIMB
  t >>= 29
  t += d7 * a8 + q7 * m8 + q8 * m7
  const r6: u64 = t & LIMB
  t >>= 29
  t += a8 * a8 + q8 * m8
  const r7: u64 = t & LIMB
  t >>= 29
  storeReduced(dst, r0, r1, r2, r3, r4, r5, r6, r7, t)
}

/** Adds the double-width product a·b to the 17 columns at acc. At most 4 products between two calls of accCarry. */
export function accMul(acc: usize, a: usize, b: usize): void {
  const aw0: u64 = load<u64>(a, 0)
  const aw1: u64 = load<u64>(a, 8)
  const aw2: u64 = load<u64>(a, 16)
  const aw3: u64 = load<u64>(a, 24)
  const a0: u64 = aw0 & LIMB
  const a1: u64 = (aw0 >> 29) & LIMB
  const a2: u64 = ((aw0 >> 58) | (aw1 << 6)) & LIMB
  const a3: u64 = (aw1 >> 23) & LIMB
  const a4: u64 = ((aw1 >> 52) | (aw2 << 12)) & LIMB
  const a5: u64 = (aw2 >> 17) & LIMB
  const a6: u64 = ((aw2 >> 46) | (aw3 << 18)) & LIMB
  const a7: u64 = (aw3 >> 11) & LIMB
  const a8: u64 = aw3 >> 40
  const bw0: u64 = load<u64>(b, 0)
  const bw1: u64 = load<u64>(b, 8)
  const bw2: u64 = load<u64>(b, 16)
  const bw3: u64 = load<u64>(b, 24)
  const b0: u64 = bw0 & LIMB
  const b1: u64 = (bw0 >> 29) & LIMB
  const b2: u64 = ((bw0 >> 58) | (bw1 << 6)) & LIMB
  const b3: u64 = (bw1 >> 23) & LIMB
  const b4: u64 = ((bw1 >> 52) | (bw2 << 12)) & LIMB
  const b5: u64 = (bw2 >> 17) & LIMB
  const b6: u64 = ((bw2 >> 46) | (bw3 << 18)) & LIMB
  const b7: u64 = (bw3 >> 11) & LIMB
  const b8: u64 = bw3 >> 40
  store<u64>(acc, load<u64>(acc, 0) + a0 * b0, 0)
  store<u64>(acc, load<u64>(acc, 8) + a0 * b1 + a1 * b0, 8)
  store<u64>(acc, load<u64>(acc, 16) + a0 * b2 + a1 * b1 + a2 * b0, 16)
  store<u64>(acc, load<u64>(acc, 24) + a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0, 24)
  store<u64>(acc, load<u64>(acc, 32) + a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0, 32)
  store<u64>(acc, load<u64>(acc, 40) + a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0, 40)
  store<u64>(acc, load<u64>(acc, 48) + a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0, 48)
  store<u64>(acc, load<u64>(acc, 56) + a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0, 56)
  store<u64>(acc, load<u64>(acc, 64) + a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0, 64)
  store<u64>(acc, load<u64>(acc, 72) + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1, 72)
  store<u64>(acc, load<u64>(acc, 80) + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2, 80)
  store<u64>(acc, load<u64>(acc, 88) + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3, 88)
  store<u64>(acc, load<u64>(acc, 96) + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4, 96)
  store<u64>(acc, load<u64>(acc, 104) + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5, 104)
  store<u64>(acc, load<u64>(acc, 112) + a6 * b8 + a7 * b7 + a8 * b6, 112)
  store<u64>(acc, load<u64>(acc, 120) + a7 * b8 + a8 * b7, 120)
  store<u64>(acc, load<u64>(acc, 128) + a8 * b8, 128)
}

/** Propagates carries, so that four more products fit. */
export function accCarry(acc: usize): void {
  let t: u64 = 0
  t += load<u64>(acc, 0)
  store<u64>(acc, t & LIMB, 0)
  t >>= 29
  t += load<u64>(acc, 8)
  store<u64>(acc, t & LIMB, 8)
  t >>= 29
  t += load<u64>(acc, 16)
  store<u64>(acc, t & LIMB, 16)
  t >>= 29
  t += load<u64>(acc, 24)
  store<u64>(acc, t & LIMB, 24)
  t >>= 29
  t += load<u64>(acc, 32)
  store<u64>(acc, t & LIMB, 32)
  t >>= 29
  t += load<u64>(acc, 40)
  store<u64>(acc, t & LIMB, 40)
  t >>= 29
  t += load<u64>(acc, 48)
  store<u64>(acc, t & LIMB, 48)
  t >>= 29
  t += load<u64>(acc, 56)
  store<u64>(acc, t & LIMB, 56)
  t >>= 29
  t += load<u64>(acc, 64)
  store<u64>(acc, t & LIMB, 64)
  t >>= 29
  t += load<u64>(acc, 72)
  store<u64>(acc, t & LIMB, 72)
  t >>= 29
  t += load<u64>(acc, 80)
  store<u64>(acc, t & LIMB, 80)
  t >>= 29
  t += load<u64>(acc, 88)
  store<u64>(acc, t & LIMB, 88)
  t >>= 29
  t += load<u64>(acc, 96)
  store<u64>(acc, t & LIMB, 96)
  t >>= 29
  t += load<u64>(acc, 104)
  store<u64>(acc, t & LIMB, 104)
  t >>= 29
  t += load<u64>(acc, 112)
  store<u64>(acc, t & LIMB, 112)
  t >>= 29
  t += load<u64>(acc, 120)
  store<u64>(acc, t & LIMB, 120)
  t >>= 29
  store<u64>(acc, load<u64>(acc, 128) + t, 128)
}

/** dst = (columns)/R mod m, for a carried sum of at most 32 products of canonical elements. */
export function accReduce(dst: usize, acc: usize): void {
  const m0: u64 = load<u64>(MODULUS, 0)
  const m1: u64 = load<u64>(MODULUS, 8)
  const m2: u64 = load<u64>(MODULUS, 16)
  const m3: u64 = load<u64>(MODULUS, 24)
  const m4: u64 = load<u64>(MODULUS, 32)
  const m5: u64 = load<u64>(MODULUS, 40)
  const m6: u64 = load<u64>(MODULUS, 48)
  const m7: u64 = load<u64>(MODULUS, 56)
  const m8: u64 = load<u64>(MODULUS, 64)
  const inv: u64 = load<u64>(INVERSE)
  let t: u64 = 0
  t += load<u64>(acc, 0)
  const q0: u64 = (t * inv) & LIMB
  t = (t + q0 * m0) >> 29
  t += load<u64>(acc, 8) + q0 * m1
  const q1: u64 = (t * inv) & LIMB
  t = (t + q1 * m0) >> 29
  t += load<u64>(acc, 16) + q0 * m2 + q1 * m1
  const q2: u64 = (t * inv) & LIMB
  t = (t + q2 * m0) >> 29
  t += load<u64>(acc, 24) + q0 * m3 + q1 * m2 + q2 * m1
  const q3: u64 = (t * inv) & LIMB
  t = (t + q3 * m0) >> 29
  t += load<u64>(acc, 32) + q0 * m4 + q1 * m3 + q2 * m2 + q3 * m1
  const q4: u64 = (t * inv) & LIMB
  t = (t + q4 * m0) >> 29
  t += load<u64>(acc, 40) + q0 * m5 + q1 * m4 + q2 * m3 + q3 * m2 + q4 * m1
  const q5: u64 = (t * inv) & LIMB
  t = (t + q5 * m0) >> 29
  t += load<u64>(acc, 48) + q0 * m6 + q1 * m5 + q2 * m4 + q3 * m3 + q4 * m2 + q5 * m1
  const q6: u64 = (t * inv) & LIMB
  t = (t + q6 * m0) >> 29
  t += load<u64>(acc, 56) + q0 * m7 + q1 * m6 + q2 * m5 + q3 * m4 + q4 * m3 + q5 * m2 + q6 * m1
  const q7: u64 = (t * inv) & LIMB
  t = (t + q7 * m0) >> 29
  t += load<u64>(acc, 64) + q0 * m8 + q1 * m7 + q2 * m6 + q3 * m5 + q4 * m4 + q5 * m3 + q6 * m2 + q7 * m1
  const q8: u64 = (t * inv) & LIMB
  t = (t + q8 * m0) >> 29
  t += load<u64>(acc, 72) + q1 * m8 + q2 * m7 + q3 * m6 + q4 * m5 + q5 * m4 + q6 * m3 + q7 * m2 + q8 * m1
  const r0: u64 = t & LIMB
  t >>= 29
  t += load<u64>(acc, 80) + q2 * m8 + q3 * m7 + q4 * m6 + q5 * m5 + q6 * m4 + q7 * m3 + q8 * m2
  const r1: u64 = t & LIMB
  t >>= 29
  t += load<u64>(acc, 88) + q3 * m8 + q4 * m7 + q5 * m6 + q6 * m5 + q7 * m4 + q8 * m3
  const r2: u64 = t & LIMB
  t >>= 29
  t += load<u64>(acc, 96) + q4 * m8 + q5 * m7 + q6 * m6 + q7 * m5 + q8 * m4
  const r3: u64 = t & LIMB
  t >>= 29
  t += load<u64>(acc, 104) + q5 * m8 + q6 * m7 + q7 * m6 + q8 * m5
  const r4: u64 = t & LIMB
  t >>= 29
  t += load<u64>(acc, 112) + q6 * m8 + q7 * m7 + q8 * m6
  const r5: u64 = t & LIMB
  t >>= 29
  t += load<u64>(acc, 120) + q7 * m8 + q8 * m7
  const r6: u64 = t & LIMB
  t >>= 29
  t += load<u64>(acc, 128) + q8 * m8
  const r7: u64 = t & LIMB
  t >>= 29
  storeReduced(dst, r0, r1, r2, r3, r4, r5, r6, r7, t)
}
export function add(dst: usize, a: usize, b: usize): void {
  let x: u64 = load<u64>(a, 0)
  const s0: u64 = x + load<u64>(b, 0)
  let c: u64 = u64(s0 < x)
  x = load<u64>(a, 8)
  let s: u64 = x + load<u64>(b, 8)
  const s1: u64 = s + c
  c = u64(s < x) | u64(s1 < s)
  x = load<u64>(a, 16)
  s = x + load<u64>(b, 16)
  const s2: u64 = s + c
  c = u64(s < x) | u64(s2 < s)
  x = load<u64>(a, 24)
  s = x + load<u64>(b, 24)
  const s3: u64 = s + c
  c = u64(s < x) | u64(s3 < s)
  subtractOnce(dst, s0, s1, s2, s3, c)
}

export function sub(dst: usize, a: usize, b: usize): void {
  let x: u64 = load<u64>(a, 0)
  let y: u64 = load<u64>(b, 0)
  const d0: u64 = x - y
  let c: u64 = u64(x < y)
  x = load<u64>(a, 8)
  y = load<u64>(b, 8)
  let e: u64 = x - y
  const d1: u64 = e - c
  c = u64(x < y) | u64(e < c)
  x = load<u64>(a, 16)
  y = load<u64>(b, 16)
  e = x - y
  const d2: u64 = e - c
  c = u64(x < y) | u64(e < c)
  x = load<u64>(a, 24)
  y = load<u64>(b, 24)
  e = x - y
  const d3: u64 = e - c
  c = u64(x < y) | u64(e < c)
  const mask: u64 = 0 - c
  let n: u64 = load<u64>(MODULUS_WORDS, 0) & mask
  const s0: u64 = d0 + n
  c = u64(s0 < n)
  n = load<u64>(MODULUS_WORDS, 8) & mask
  e = d1 + n
  const s1: u64 = e + c
  c = u64(e < n) | u64(s1 < e)
  n = load<u64>(MODULUS_WORDS, 16) & mask
  e = d2 + n
  const s2: u64 = e + c
  c = u64(e < n) | u64(s2 < e)
  n = load<u64>(MODULUS_WORDS, 24) & mask
  store<u64>(dst, s0, 0)
  store<u64>(dst, s1, 8)
  store<u64>(dst, s2, 16)
  store<u64>(dst, d3 + n + c, 24)
}

@inline
export function isZero(a: usize): bool {
  return (load<u64>(a, 0) | load<u64>(a, 8) | load<u64>(a, 16) | load<u64>(a, 24)) == 0
}

@inline
export function isEqual(a: usize, b: usize): bool {
  return (
    ((load<u64>(a, 0) ^ load<u64>(b, 0)) |
      (load<u64>(a, 8) ^ load<u64>(b, 8)) |
      (load<u64>(a, 16) ^ load<u64>(b, 16)) |
      (load<u64>(a, 24) ^ load<u64>(b, 24))) ==
    0
  )
}

@inline
export function copy(dst: usize, a: usize): void {
  store<u64>(dst, load<u64>(a, 0), 0)
  store<u64>(dst, load<u64>(a, 8), 8)
  store<u64>(dst, load<u64>(a, 16), 16)
  store<u64>(dst, load<u64>(a, 24), 24)
}

@inline
export function clear(dst: usize): void {
  store<u64>(dst, 0, 0)
  store<u64>(dst, 0, 8)
  store<u64>(dst, 0, 16)
  store<u64>(dst, 0, 24)
}

export function isCanonical(a: usize): bool {
  for (let i = 24; i >= 0; i -= 8) {
    const x = load<u64>(a + usize(i))
    const n = load<u64>(MODULUS_WORDS + usize(i))
    if (x != n) return x < n
  }
  return false
}

/** dst = a^e for a public 256-bit exponent at e, fixed windows of 4 bits. */
export function power(dst: usize, a: usize, e: usize): void {
  copy(TABLE, ONE)
  for (let i: usize = 1; i < 16; i++) mul(TABLE + i * 32, TABLE + (i - 1) * 32, a)
  copy(dst, ONE)
  for (let i: i32 = 63; i >= 0; i--) {
    if (i != 63) {
      sqr(dst, dst)
      sqr(dst, dst)
      sqr(dst, dst)
      sqr(dst, dst)
    }
    const digit = usize((load<u64>(e + usize((i >> 4) << 3)) >> (u64(i & 15) << 2)) & 15)
    if (digit != 0) mul(dst, dst, TABLE + digit * 32)
  }
}

/** dst = 1/a by Fermat; 0 for 0. */
export function inverse(dst: usize, a: usize): void {
  power(dst, a, EXPONENT)
}
