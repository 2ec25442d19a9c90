import type { FieldVector, PrimeField } from '../field/types.ts'
import type { AuthShare, MaterialSource } from '../preprocessing/types.ts'
import type { NodeId, Session } from '../transport/types.ts'

/** Secret products of one round. */
export type Product =
  | { readonly op: 'mul'; readonly a: AuthShare; readonly b: AuthShare }
  | { readonly op: 'inner'; readonly a: AuthShare; readonly b: AuthShare }

/**
 * What every party broadcast in one round, in party order: the raw material of an audit. A payload is the party's shares
 * of everything that the round opens, 32 bytes each: for the products of the round x − a of all elements, then y − b of all
 * elements, (a, b, c) being the next triples, then the openings.
 */
export interface RoundRecord {
  readonly round: number
  readonly payloads: readonly Uint8Array[]
  /** Of the round digest, by the party that broadcast the payload. */
  readonly signatures: readonly Uint8Array[]
}

export interface AuditHooks {
  /** Names the execution: 32 bytes, see core/commitments/rounds.ts. */
  readonly run: Uint8Array
  /** Of a round digest. */
  sign(digest: Uint8Array): Promise<Uint8Array>
  /** The signer's node id; undefined when the signature is malformed. */
  signer(digest: Uint8Array, signature: Uint8Array): NodeId | undefined
  /** Before this party signs the next round. */
  record(round: RoundRecord): Promise<void>
}

export interface SpdzOptions {
  readonly field: PrimeField
  /** A transport session among exactly the committee. */
  readonly session: Session
  /** The committee in party order; equals `material.epoch.parties`. */
  readonly parties: readonly NodeId[]
  readonly material: MaterialSource
  /** Longest silence of one party within a round (default 30 s). */
  readonly roundTimeoutMs?: number
  readonly signal?: AbortSignal
  /** Elements a message (default 32,768). */
  readonly chunk?: number
  /** Products at a time; by default BATCH. */
  readonly batch?: number
  /** Digest of what the committee is about to run; a party with another one is named with MPC_ABORTED. */
  readonly context?: Uint8Array
  /**
   * Openings by broadcast of every party's shares, hash-chained and signed, and handed to `record`: what an audit
   * needs. Without it openings go through one collecting party a chunk, in turn.
   */
  readonly audit?: AuditHooks
}

/**
 * One party of SPDZ (paper §5.1.2; eprint 2012/642): n − 1 malicious parties learn
 * nothing and make no wrong output accepted. Operations run one after the other in call order; every party must
 * make the same calls. Any failure ends the session for all: MPC_PARTY_LOST (details party, index, round),
 * MPC_ABORTED (details party where the protocol names it, index, round, reason) or CANCELLED. The material
 * of the epoch is destroyed after MPC_ABORTED, unless another party merely said that it left (reason TOLD), and when a MAC check
 * does not end for whatever reason.
 */
export interface SpdzParty {
  readonly field: PrimeField
  readonly parties: readonly NodeId[]
  readonly index: number
  /** One round: results of the products, and the values of the openings, which are not yet checked. */
  round(
    products: readonly Product[],
    openings: readonly AuthShare[],
  ): Promise<{ products: AuthShare[]; opened: FieldVector[] }>
  /** ⟨x⟩ for values of party `owner`; the others pass their length. */
  input(owner: number, values: FieldVector | number): Promise<AuthShare>
  /** Checks the MACs of everything opened so far and that all parties saw the same. Throws MPC_ABORTED (reason MAC_CHECK, ECHO). */
  check(): Promise<void>
  /** Traffic of this party so far. */
  traffic(): { rounds: number; messagesSent: number; bytesSent: number; bytesReceived: number }
  close(reason?: unknown): Promise<void>
}
