import type { CommitmentVector } from '../commitments/types.ts'
import type { FieldVector } from '../field/types.ts'

/** Parties have the indices 1…n, the points at which polynomials are evaluated. */
export const MAX_INDEX = 65535

export interface SharingParameters {
  /** Number of shares. */
  n: number
  /** Degree of the polynomials: t shares tell nothing, t + 1 reconstruct. 0 ≤ t < n. */
  t: number
}

/** One holder's part of a verifiable sharing of a vector: evaluations of the value and mask polynomials at `index`. */
export interface VerifiableShare {
  readonly index: number
  readonly values: FieldVector
  readonly masks: FieldVector
}

/** Long functions work in slices, give the event loop a turn between them, and stop when the signal aborts (CANCELLED). */
export interface Pace {
  signal?: AbortSignal | undefined
  /** Called after each slice with the number of secrets done and in total. */
  onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * Pedersen's commitments to the coefficients of one dealing: points[k] commits, for every secret, to the k-th
 * coefficients of its value and mask polynomials; points[0] are the value commitments C_0.
 */
export interface CoefficientCommitments {
  readonly t: number
  /** Number of secrets. */
  readonly length: number
  readonly points: readonly CommitmentVector[]
}
