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

  add(a: KernelVector, b: KernelVector, n: number): KernelVector
  sub(a: KernelVector, b: KernelVector, n: number): KernelVector
  mul(a: KernelVector, b: KernelVector, n: number): KernelVector
  mulAdd(a: KernelVector, b: KernelVector, c: KernelVector, n: number): KernelVector
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
  /** Indices are in range. */
  gather(a: KernelVector, indices: Uint32Array): KernelVector
}
