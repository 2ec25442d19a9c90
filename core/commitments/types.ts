import type { FieldVector } from '../field/types.ts'

/** Points of G1, in kernel memory, affine. Immutable to its users; `free` returns the memory at once. */
export interface PointVector {
  readonly length: number
  free(): void
}

/** A vector of commitments is a vector of points. */
export type CommitmentVector = PointVector

/** BN254 G1, written additively. Operands of unequal length throw LENGTH_MISMATCH; length 1 is broadcast. */
export interface PointGroup {
  /** Bytes of an uncompressed point (64) and of a compressed one (32). */
  readonly byteLength: number
  readonly compressedLength: number

  /** n times the point at infinity. */
  zeros(n: number): PointVector
  /** 64 bytes a point: x ‖ y, big-endian, as EIP-196 writes them; infinity is 64 zero bytes. Throws POINT_INVALID on anything not canonical or not on the curve, LENGTH_MISMATCH on a ragged length. */
  fromBytes(bytes: Uint8Array): PointVector
  toBytes(v: PointVector): Uint8Array
  /** 32 bytes a point: x big-endian, top bits 10 (smaller y), 11 (larger y) or 01 (infinity). Throws POINT_INVALID, LENGTH_MISMATCH. */
  fromCompressed(bytes: Uint8Array): PointVector
  toCompressed(v: PointVector): Uint8Array

  add(a: PointVector, b: PointVector): PointVector
  sub(a: PointVector, b: PointVector): PointVector
  /** factor·a_i for every i. */
  scale(a: PointVector, factor: bigint): PointVector
  /** factors_i·a_i. */
  scaleEach(a: PointVector, factors: FieldVector): PointVector
  /** Σ a_i, a vector of length 1. */
  sum(a: PointVector): PointVector
  /** Σ scalars_i·points_i, a vector of length 1. `bits` is an upper bound of the scalars' length, for speed. */
  msm(points: PointVector, scalars: FieldVector, bits?: number): PointVector
  /** Whether every point of a equals that of b. Lengths must agree. */
  equal(a: PointVector, b: PointVector): boolean
  /** Positions at which a and b differ. */
  differences(a: PointVector, b: PointVector): number[]
  isZero(v: PointVector): boolean
  slice(a: PointVector, from: number, to: number): PointVector
  /** Puts `part` into `a` from the point at `at` on. For a vector that is being built and nobody else has. */
  set(a: PointVector, at: number, part: PointVector): void
  concat(parts: readonly PointVector[]): PointVector
}

/** Pedersen's commitment scheme over vectors: C_i = values_i·G + masks_i·H. */
export interface PedersenScheme {
  readonly group: PointGroup
  commitVector(values: FieldVector, masks: FieldVector): CommitmentVector
  /** Positions whose commitment does not open to (value, mask); empty when all do. */
  mismatches(commitments: CommitmentVector, values: FieldVector, masks: FieldVector): number[]
}

/** Makes uncompressed Pedersen commitments, 64 bytes each, to values under masks; in slices or in threads. */
export type CommitVector = (
  values: FieldVector,
  masks: FieldVector,
  signal?: AbortSignal,
) => Promise<Uint8Array>
