import type { BuiltProgram } from '../circuits/types.ts'
import type { RoundRecord } from '../spdz/types.ts'
import type { NodeId } from '../transport/types.ts'

/** Where on the ledger the commitments of a run were posted before its challenge was drawn. */
export interface Anchor {
  /** Who wrote L[key] ← digest. */
  readonly writer: NodeId
  readonly block: number
}

/**
 * Everything public that happened in one run of an audited job. Parties are in party order. The last two rounds are the
 * closing ones: commitments to the outputs, then each party's answer to the verifier's challenge.
 */
export interface Transcript {
  /** 32 bytes each. */
  readonly jobId: Uint8Array
  readonly nonce: Uint8Array
  readonly context: Uint8Array
  readonly parties: readonly NodeId[]
  readonly anchor: Anchor
  /** Of each reference: its owner's commitments, encoded (core/sharing/commitments.ts). */
  readonly originals: readonly Uint8Array[]
  /** Of each party: commitments to its parts of all inputs, 64 bytes each. */
  readonly inputs: readonly Uint8Array[]
  /** Of each party: commitments to its shares of the material, in the order of `layout.ts`, 64 bytes each. */
  readonly material: readonly Uint8Array[]
  readonly rounds: readonly RoundRecord[]
}

/** What the ledger says; the verifier trusts nothing else. */
export interface AuditFacts {
  /** 32 bytes. */
  readonly jobId: Uint8Array
  /** Rebuilt from the request on the ledger. */
  readonly program: BuiltProgram
  /** The job's references in the order of its inputs. */
  readonly references: readonly {
    readonly length: number
    /** SHA-256 of the encoded commitments, 32 bytes. */
    readonly commitmentsDigest: Uint8Array
  }[]
  /** L[writer, key] as of the anchor's block, and that block's hash; undefined when the ledger knows no such block. */
  readonly anchored: { readonly value: Uint8Array; readonly blockHash: Uint8Array } | undefined
  /** Nodes that may form the committee: the signers of the result, or the draw. Any order. */
  readonly committee: readonly NodeId[]
  /** The signer of a struct hash under the ledger's domain; undefined when malformed. */
  signer(structHash: Uint8Array, signature: Uint8Array): NodeId | undefined
}

export const AUDIT_FAULTS = [
  /** Another job, committee, program or input than the ledger's. */
  'FACTS',
  /** Lengths, encodings or the number of rounds. */
  'MALFORMED',
  'INPUT_COMMITMENTS',
  'ANCHOR',
  'SIGNATURE',
  /** Something that must open to zero did not. */
  'TRIPLES',
  'BITS',
  'INPUT_OFFSETS',
  /** What was opened, or the result, does not follow from what was committed to. */
  'OPENINGS',
  /** The answer to the challenge does not open the commitment that the party itself claims. */
  'WRONG_OPENING',
] as const
export type AuditFault = (typeof AUDIT_FAULTS)[number]

interface Accusation {
  /** 0x-hex, as the ledger's Evidence contract takes them. */
  readonly jobId: `0x${string}`
  readonly nonce: `0x${string}`
  readonly party: NodeId
}

/** One piece of evidence for the contract (core/ledger/solidity/Evidence.sol). */
export type CheatEvidence =
  | (Accusation & {
      readonly kind: 'wrong-opening'
      readonly opening: {
        readonly round: number
        readonly position: number
        readonly x: bigint
        readonly y: bigint
        readonly value: bigint
        readonly mask: bigint
      }
      readonly signature: `0x${string}`
    })
  | (Accusation & {
      readonly kind: 'equivocation'
      readonly round: number
      readonly signed: readonly [SignedRound, SignedRound]
    })

/** What the contract takes of one signed broadcast; 0x-hex. */
export interface SignedRound {
  readonly previous: `0x${string}`
  readonly payload: `0x${string}`
  readonly signature: `0x${string}`
}

/** One round as everybody signed it towards this party, in party order. */
export interface RoundView {
  readonly round: number
  readonly signed: readonly SignedRound[]
}

/** The last rounds of a run as one party has them: what evidence of two stories needs, without the payloads. */
export interface RunView {
  /** 0x-hex, 32 bytes each. */
  readonly jobId: `0x${string}`
  readonly nonce: `0x${string}`
  readonly parties: readonly NodeId[]
  /** The newest last. */
  readonly rounds: readonly RoundView[]
}

export type AuditVerdict =
  | {
      readonly valid: true
      /** For each output element, 64 bytes: the commitment to the result. */
      readonly outputs: Uint8Array
      /** For each party: the commitments to its parts of the result. */
      readonly parts: readonly Uint8Array[]
    }
  | {
      readonly valid: false
      readonly fault: AuditFault
      /** Public facts in words. */
      readonly reason: string
      /** The party that provably cheated; absent where the transcript does not say who. */
      readonly culprit?: NodeId
      /** For the contract, where one signed statement of the culprit is enough. */
      readonly evidence?: CheatEvidence
    }
