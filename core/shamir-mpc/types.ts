import type { FieldVector, PrimeField } from '../field/types.ts'
import type { NodeId, Session } from '../transport/types.ts'

/** The public facts of a committee. Party i (0-based position in `parties`) evaluates at x = i + 1. */
export interface Committee {
  readonly parties: readonly NodeId[]
  /** Privacy threshold: t shares reveal nothing, t + 1 reconstruct; n ≥ 2t + 1 to multiply. */
  readonly threshold: number
}

/**
 * How the degree of a product goes from 2t back to t.
 * `reshare`: one round, every dealer re-shares its product (Gennaro–Rabin–Rabin 1998), t of the sub-shares
 * drawn from pairwise keys instead of sent. `king`: two rounds, O(n) traffic (Damgård–Nielsen 2007) with
 * pseudo-random double sharings.
 */
export type DegreeReduction = 'reshare' | 'king'

export interface PartyOptions {
  readonly field: PrimeField
  /** A transport session among exactly the committee; its id is the job's session id. */
  readonly session: Session
  readonly committee: Committee
  /** Longest silence of one party within a round (default 30 s). */
  readonly roundTimeoutMs?: number
  readonly signal?: AbortSignal
  /** Elements a message (default 8192): bounds memory and the time between event loop turns. */
  readonly chunk?: number
  readonly degreeReduction?: DegreeReduction
  /** Digest of what the committee is about to run; a party with another one is named with MPC_ABORTED. */
  readonly context?: Uint8Array
}

/** Secret products of one round. */
export type Product =
  | { readonly op: 'mul'; readonly a: FieldVector; readonly b: FieldVector }
  | { readonly op: 'inner'; readonly a: FieldVector; readonly b: FieldVector }

/** What a party has sent and received, for fees and figures. */
export interface Traffic {
  readonly rounds: number
  readonly messagesSent: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/**
 * One party of the honest-majority protocol (paper §5.1.1), security against passive (honest-but-curious)
 * coalitions of t parties. Operations run one after the other in call order; every party must make the same
 * calls. Any failure ends the session for all: MPC_PARTY_LOST (details party, index, round), MPC_ABORTED
 * (details party, index, round, reason) or CANCELLED.
 */
export interface ShamirParty {
  readonly field: PrimeField
  readonly committee: Committee
  readonly index: number
  /** Results in the order of the products; every vector is a sharing of degree t. */
  multiply(products: readonly Product[]): Promise<FieldVector[]>
  /** Shares the values of party `owner`; the others pass their length. */
  input(owner: number, values: FieldVector | number): Promise<FieldVector>
  /** Opens to the whole committee; shares beyond t + 1 are checked (MPC_ABORTED when they disagree). */
  open(share: FieldVector): Promise<FieldVector>
  /** The same values in a fresh sharing of degree t: adds a pseudo-random sharing of zero (n ≤ 9), else re-shares. */
  refresh(share: FieldVector): Promise<FieldVector>
  traffic(): Traffic
  /** Frees keys and closes the session; `reason` tells the others why when the protocol has not finished. */
  close(reason?: unknown): Promise<void>
}

/** One party's share of a job's output (all outputs concatenated), as the requester receives it. */
export interface OutputShare {
  /** 0-based party index. */
  readonly index: number
  readonly values: FieldVector
}

export interface Reconstruction {
  readonly values: FieldVector
  /** Indices of parties whose share is wrong; empty when all agree. */
  readonly inconsistent: readonly number[]
}
