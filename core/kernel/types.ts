/** A vector in the memory of one kernel. Using it after `free` throws INVALID_ARGUMENT; freeing twice is harmless. */
export interface KernelVector {
  readonly length: number
  free(): void
}

/**
 * Arithmetic on vectors modulo one prime. The caller (core/field) has checked lengths: `n` is the length of the
 * result and each operand has length n or 1 (broadcast). Results are new vectors. Vectors of another kernel, and
 * freed ones, throw INVALID_ARGUMENT. Implementations: WebAssembly (wasm.ts) and the BigInt reference (js.ts).
 */
export interface FieldKernel {
  readonly kind: 'wasm' | 'js'
  readonly modulus: bigint
  /** Whether the vector lives in this kernel and has not been freed. */
  owns(v: KernelVector): boolean

  zeros(n: number): KernelVector
  /** n canonical little-endian integers of 32 bytes; throws FIELD_RANGE naming the first index out of range. */
  fromBytes(bytes: Uint8Array): KernelVector
  /** n little-endian integers of 48 bytes, reduced. */
  fromWide(bytes: Uint8Array): KernelVector
  toBytes(v: KernelVector): Uint8Array
  /** n elements as x·2^261 mod the modulus, which the WebAssembly kernel stores; throws FIELD_RANGE like `fromBytes`. */
  fromMontgomery(bytes: Uint8Array): KernelVector
  toMontgomery(v: KernelVector): Uint8Array

  add(a: KernelVector, b: KernelVector, n: number): KernelVector
  sub(a: KernelVector, b: KernelVector, n: number): KernelVector
  mul(a: KernelVector, b: KernelVector, n: number): KernelVector
  /** addend + Σ_j a_j·b_j over terms [a_j, b_j]; at least one. */
  sumOfProducts(
    terms: readonly (readonly [KernelVector, KernelVector])[],
    addend: KernelVector | undefined,
    n: number,
  ): KernelVector
  inner(a: KernelVector, b: KernelVector, n: number): KernelVector
  sum(a: KernelVector): KernelVector
  /** Σ factors[j]·vectors[j]; at least one vector, factors reduced. */
  linear(factors: readonly bigint[], vectors: readonly KernelVector[], n: number): KernelVector
  /** Σ x^k·coefficients[k]; at least one coefficient, x reduced. */
  evaluate(coefficients: readonly KernelVector[], x: bigint, n: number): KernelVector
  /** undefined if an element is zero. */
  inverse(a: KernelVector): KernelVector | undefined
  equal(a: KernelVector, b: KernelVector, n: number): boolean

  slice(a: KernelVector, from: number, to: number): KernelVector
  concat(parts: readonly KernelVector[]): KernelVector
  /** Overwrites the elements of `target` from `at` on with those of `source` from `from` up to `to`. */
  copyInto(target: KernelVector, at: number, source: KernelVector, from: number, to: number): void
  /** Indices are in range. */
  gather(a: KernelVector, indices: Uint32Array): KernelVector
}

export interface CurveParameters {
  /** Prime of the coordinates, ≡ 3 mod 4. */
  modulus: bigint
  /** y² = x³ + b; the number of points is an odd prime below 2^255. */
  b: bigint
}

/** Tables of multiples of a few fixed points, each made when it is needed first. */
export interface FixedBases {
  /** Makes the table of one point, if there is none yet: some 20 ms with windows of 11. */
  prepare(base: number): void
  /** Σ_j scalars[j]_i·base_j for every i; scalars are 32-byte little-endian integers below 2^255, equally many for each base. */
  combine(scalars: readonly Uint8Array[]): KernelVector
}

/**
 * Batched arithmetic on points of one curve; a KernelVector holds points. Scalars are canonical little-endian
 * integers of 32 bytes. Lengths have been checked by the caller (core/commitments).
 */
export interface CurveKernel {
  readonly modulus: bigint
  owns(v: KernelVector): boolean
  /** n times the point at infinity. */
  zeros(n: number): KernelVector
  /** 64 bytes a point, x ‖ y big-endian as the EVM writes them, zeros for infinity. Throws POINT_INVALID. */
  fromUncompressed(bytes: Uint8Array): KernelVector
  toUncompressed(v: KernelVector): Uint8Array
  /** 32 bytes a point; throws POINT_INVALID. */
  fromCompressed(bytes: Uint8Array): KernelVector
  toCompressed(v: KernelVector): Uint8Array
  /** a ± b with broadcast of length 1. */
  add(a: KernelVector, b: KernelVector, n: number, negateB?: boolean): KernelVector
  /** scalar_i·a_i, or one scalar for all; `bits` bounds the scalars' length. */
  scale(a: KernelVector, scalars: Uint8Array, bits: number): KernelVector
  sum(a: KernelVector): KernelVector
  /** Σ scalar_i·point_i, a vector of length 1. */
  msm(points: KernelVector, scalars: Uint8Array, bits?: number): KernelVector
  equal(a: KernelVector, b: KernelVector): boolean
  /** Positions at which two vectors of one length differ. */
  differences(a: KernelVector, b: KernelVector): number[]
  /** Puts `part` into `a` from `at` on. */
  set(a: KernelVector, at: number, part: KernelVector): void
  slice(a: KernelVector, from: number, to: number): KernelVector
  concat(parts: readonly KernelVector[]): KernelVector
  /** Tables of 2^(c-1)·⌈256/c⌉ points for each base, 2 ≤ c ≤ 14. */
  fixedBases(bases: KernelVector, c: number): FixedBases
}
