import type { Prg } from '../base/random.ts'

/**
 * A vector of elements of one prime field, in kernel memory and Montgomery form. A scalar has length 1.
 * Vectors are immutable to their users: operations return new ones. `free` returns the memory at once;
 * a vector that is dropped without it is freed by the garbage collector.
 */
export interface FieldVector {
  readonly length: number
  free(): void
}

export interface VectorBuilder {
  /** The next elements: those of `part`, or its elements from…to. Throws LENGTH_MISMATCH beyond the length. */
  append(part: FieldVector, from?: number, to?: number): void
  /** Throws LENGTH_MISMATCH before all elements are there. The vector is the caller's. */
  done(): FieldVector
}

/**
 * A prime field whose unit of work is the vector. Operands of unequal length throw LENGTH_MISMATCH, except
 * that a vector of length 1 is broadcast against any length.
 */
export interface PrimeField {
  readonly name: string
  readonly modulus: bigint
  /** Bytes of one encoded element (32). */
  readonly byteLength: number

  zeros(length: number): FieldVector
  /** Every bigint is reduced modulo the field, negatives included. */
  fromBigints(values: readonly bigint[]): FieldVector
  /** Canonical little-endian encodings, 32 bytes each; throws FIELD_RANGE on a value ≥ modulus, LENGTH_MISMATCH on a ragged length. */
  fromBytes(bytes: Uint8Array): FieldVector
  /** Uniform elements (64 bits or more of statistical slack). */
  random(length: number, prg?: Prg): FieldVector

  /** Canonical representatives in [0, modulus). */
  toBigints(v: FieldVector): bigint[]
  toBytes(v: FieldVector): Uint8Array
  /**
   * The form of `FieldVector` itself, x·2^261 mod the modulus as 32 little-endian bytes: as unambiguous as `toBytes`, and without
   * its multiplication. `fromMontgomery` throws as `fromBytes` does.
   */
  toMontgomery(v: FieldVector): Uint8Array
  fromMontgomery(bytes: Uint8Array): FieldVector

  add(a: FieldVector, b: FieldVector): FieldVector
  sub(a: FieldVector, b: FieldVector): FieldVector
  neg(a: FieldVector): FieldVector
  mul(a: FieldVector, b: FieldVector): FieldVector
  /** a·b + c, fused. */
  mulAdd(a: FieldVector, b: FieldVector, c: FieldVector): FieldVector
  /** addend + Σ_j a_j·b_j over terms [a_j, b_j], element by element, with one reduction; throws LENGTH_MISMATCH without terms. */
  sumOfProducts(terms: readonly (readonly [FieldVector, FieldVector])[], addend?: FieldVector): FieldVector
  scale(a: FieldVector, factor: bigint): FieldVector
  /** Σ a_i·b_i, a vector of length 1. */
  inner(a: FieldVector, b: FieldVector): FieldVector
  /** Σ a_i, a vector of length 1. */
  sum(a: FieldVector): FieldVector
  /** Σ_j factors[j]·vectors[j], element by element: the shape of share reconstruction and of linear gates. */
  linear(factors: readonly bigint[], vectors: readonly FieldVector[]): FieldVector
  /** Batch inverse (Montgomery's trick); throws FIELD_NOT_INVERTIBLE if any element is zero. */
  inverse(a: FieldVector): FieldVector
  /** Σ_k coefficients[k]·x^k (Horner), element by element over a batch of polynomials that share x. */
  evaluate(coefficients: readonly FieldVector[], x: bigint): FieldVector
  equal(a: FieldVector, b: FieldVector): boolean

  slice(a: FieldVector, from: number, to: number): FieldVector
  concat(parts: readonly FieldVector[]): FieldVector
  /** `concat` piece by piece, for vectors whose memory takes a while to touch. */
  builder(length: number): VectorBuilder
  /** The elements at `indices`, in that order. */
  gather(a: FieldVector, indices: Uint32Array): FieldVector

  /** Scalar arithmetic at the edges, on bigints. */
  readonly scalar: {
    reduce(x: bigint): bigint
    mul(a: bigint, b: bigint): bigint
    inverse(x: bigint): bigint
    /** λ_j with Σ λ_j·q(xs[j]) = q(at) for every q of degree < xs.length. Throws SHARE_INDEX on 0 mod p or duplicates. */
    lagrange(xs: readonly bigint[], at?: bigint): bigint[]
  }
}
