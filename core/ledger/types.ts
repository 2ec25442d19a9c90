import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'

export type Hex = `0x${string}`
/** A 20-byte account, contract, node or identity address, lower case. */
export type Address = Hex
/** A 32-byte word, lower case. */
export type Bytes32 = Hex
export type MaybePromise<T> = T | Promise<T>

// ---------------------------------------------------------------- deployment and connection

export interface LedgerAddresses {
  dictionary: Address
  identities: Address
  predicates: Address
  references: Address
  registry: Address
  jobs: Address
  evidence: Address
}

/** Names one ledger: which chain, which contracts, since when. */
export interface LedgerDeployment {
  chainId: number
  /** Hash of block 0: two devnets with the same chain id are still two chains. */
  genesisHash: Bytes32
  /** The block of the first contract: event cursors start here. */
  deployBlock: number
  addresses: LedgerAddresses
}

export interface LedgerClientOptions {
  /** JSON-RPC endpoints, in order of preference. The next one is tried when one fails or lags. */
  endpoints: string[]
  deployment: LedgerDeployment
  /** Blocks a transaction or event must be deep before it counts, itself included. 1: as soon as it is mined. */
  confirmations: number
  /** Milliseconds between looks at the chain head. */
  pollMs?: number
  /** Milliseconds an endpoint may take for one request before the next one is asked. */
  requestTimeoutMs?: number
  /** Blocks a confirmed intent stays in the outbox, to be sent again if the chain forgets it. */
  keepBlocks?: number
}

export interface LedgerModules {
  cursors: CursorStore
  outbox: OutboxStore
  clock?: Clock
  log?: Log
}

// ---------------------------------------------------------------- signers

/** An EIP-1559 transaction as it is shown and signed. */
export interface TransactionToSign {
  chainId: number
  nonce: number
  to: Address
  value: bigint
  data: Hex
  gasLimit: bigint
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
}

/** EIP-712 typed data. */
export interface TypedData {
  domain: { name: string; version: string; chainId: number; verifyingContract: Address }
  primaryType: string
  types: Record<string, { name: string; type: string }[]>
  message: Record<string, unknown>
}

/** Signs EIP-712 data; gives 65 bytes r ‖ s ‖ v with low s and v in {27, 28}. */
export interface TypedDataSigner {
  readonly address: Address
  signTypedData(data: TypedData): Promise<Hex>
}

/** An account: derived from the vault, or a node's hot key. The key never leaves the implementation. */
export interface Signer extends TypedDataSigner {
  /** Returns the serialised signed transaction. */
  signTransaction(tx: TransactionToSign): Promise<Hex>
}

/** A libp2p secp256k1 key that proves its possession to the registry; `address` is the node id. */
export interface NodeKey extends TypedDataSigner {
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array
}

// ---------------------------------------------------------------- what the ledger holds

/** A block number, the newest block, or the newest block with the configured confirmations (the default). */
export type ReadAt = 'latest' | 'confirmed' | number

export interface BlockRef {
  number: number
  hash: Bytes32
  /** Seconds since the Unix epoch. */
  timestamp: number
}

export interface IdentityMember {
  account: Address
  /** ACL[pk]: role bits, 0 < roles < 2^64. */
  roles: bigint
}

export interface IdentityRecord {
  address: Address
  members: IdentityMember[]
  /** q_store; zero: any member may store. */
  storePredicate: Bytes32
  nonce: number
}

/** The question to CheckPermission; the same shape as `PredicateContext` of core/predicates. */
export interface PermissionContext {
  account: Address
  owner: Address
  identity: Address
  functionId: Bytes32
  cohort: number
  approved: boolean
  uses: number
  /** Seconds since the Unix epoch. */
  now: number
}
export type PermissionOutcome =
  | { allowed: true }
  | {
      allowed: false
      reason: 'denied' | 'expired' | 'usedUp' | 'functionNotAllowed' | 'cohortTooSmall' | 'approvalMissing'
    }

export type ReferenceKind = 'share' | 'encrypted' | 'public'
export type ReferenceState = 'none' | 'active' | 'revoked'

export interface ReferenceInput {
  /** addr_P; the signer must be a member that its store predicate admits. */
  identity: Address
  /** x_ref, 32 bytes chosen by the owner (a hash or random): a_x = H(addr_P ‖ x_ref). */
  xRef: Bytes32
  kind: ReferenceKind
  /** Number of values, 1 … 2^32 − 1. */
  length: number
  /** Holders and threshold of the sharing: t < n ≤ 255; for kinds other than `share` n is the replica count. */
  n: number
  t: number
  computePredicate: Bytes32
  /** Zero: only the owner reads. */
  readPredicate: Bytes32
  commitmentsDigest: Bytes32
  /** C_0: 64 bytes x ‖ y, sum of the constant-term commitments; 64 zero bytes for other kinds. */
  c0: Hex
}

export interface ReferenceRecord extends Omit<ReferenceInput, 'xRef'> {
  ref: Bytes32
  owner: Address
  state: ReferenceState
  /** Grows when the owner changes the predicates: earlier admissions and use counts end there. */
  epoch: number
  /** Admissions counted under the present predicates (only while the compute predicate has a use count). */
  uses: number
  createdBlock: number
}

export interface NodeRecord {
  nodeId: Address
  account: Address
  /** 33 bytes, compressed. */
  publicKey: Hex
  deposit: bigint
  /** Where to dial, comma-separated multiaddrs; a hint, not a promise. */
  hint: string
  /** 0: a client that stores and computes nothing for others. */
  capacity: number
  state: 'active' | 'unbonding'
  /** Seconds since the Unix epoch when the deposit can be withdrawn; 0 while active. */
  withdrawableAt: number
}

export type JobState = 'none' | 'loading' | 'requested' | 'open' | 'done' | 'failed' | 'cancelled'
/** `loading` until all references are on the ledger, `requested` until all are admitted, then `open`. */

/** In the order of their numbers on the ledger. `spdz` and `spdz-audited` take threshold = committeeSize − 1. */
export const JOB_PROTOCOLS = ['honest-majority', 'spdz', 'spdz-audited'] as const
export type JobProtocol = (typeof JOB_PROTOCOLS)[number]

export interface JobRequest {
  /** Code hash of the function. */
  functionId: Bytes32
  /** At most 4,096 bytes go on the ledger; give only `paramsDigest` (keccak-256) for more. */
  params?: Uint8Array
  paramsDigest?: Bytes32
  /** Any order; the ledger holds them by (owner, reference), which is the order of the job's inputs. */
  refs: Bytes32[]
  /** 33-byte public key to which the result is encrypted. */
  resultKey: Uint8Array
  committeeSize: number
  threshold: number
  /** Default `honest-majority`. */
  protocol?: JobProtocol
  /** Seconds since the Unix epoch: after it nothing is admitted or released any more. */
  deadline: number
  /** 32 bytes that make two equal requests different; keep it to ask for the same job again after a crash. */
  salt: Bytes32
}

export interface JobRecord {
  jobId: Bytes32
  state: JobState
  requester: Address
  functionId: Bytes32
  paramsDigest: Bytes32
  refsDigest: Bytes32
  refsCount: number
  refsAdded: number
  refsAdmitted: number
  /** Number of distinct owners. */
  cohort: number
  resultKey: Hex
  committeeSize: number
  threshold: number
  protocol: JobProtocol
  deadline: number
  requestBlock: number
  /** 0 until open. The committee's seed is H(jobId ‖ hash of this block): see `Ledger.seed`. */
  openBlock: number
  resultDigest: Bytes32
  transcriptDigest: Bytes32
  /** Of a failed job: see FAIL_REASONS. */
  failReason: number
}

export interface JobOutcome extends ResultInput {
  /** More than `threshold` serving nodes. */
  signers: Address[]
  blockNumber: number
}

export interface JobRefRecord {
  ref: Bytes32
  present: boolean
  approval: 'none' | 'approved' | 'declined'
  admitted: boolean
}

/** Reason codes of `Ledger.failJob`. */
export const FAIL_REASONS = {
  requester: 1,
  deadline: 2,
  holdersTooFew: 3,
  committeeLost: 4,
  computation: 5,
  verification: 6,
} as const
export type FailReason = keyof typeof FAIL_REASONS

export interface ResultInput {
  jobId: Bytes32
  attempt: number
  resultDigest: Bytes32
  transcriptDigest: Bytes32
}

/** An EIP-712 signature with the node that made it. */
export interface NodeSignature {
  nodeId: Address
  signature: Hex
}

export interface ApprovalInput {
  jobId: Bytes32
  ref: Bytes32
  approved: boolean
}

// ---------------------------------------------------------------- evidence

/** In the order of their numbers on the ledger. */
export const EVIDENCE_KINDS = ['wrong-opening', 'equivocation', 'silence'] as const
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number]

/** One party's broadcast in one round of a run, as it signed it (core/commitments/rounds.ts). */
export interface SignedRound {
  /** The chain value before the round. */
  previous: Bytes32
  /** Digest of the payload (`payloadDigest`). */
  payload: Bytes32
  /** 65 bytes. */
  signature: Hex
}

/** g^value·h^mask = (x, y), as a party claims. */
export interface OpeningStatement {
  round: number
  position: number
  x: bigint
  y: bigint
  value: bigint
  mask: bigint
}

interface Accusation {
  jobId: Bytes32
  /** Of the run, see `runId`. */
  nonce: Bytes32
  party: Address
}

/** What the Evidence contract accepts at once; silence takes a demand and its deadline first. */
export type Evidence =
  | (Accusation & { kind: 'wrong-opening'; opening: OpeningStatement; signature: Hex })
  | (Accusation & { kind: 'equivocation'; round: number; signed: readonly [SignedRound, SignedRound] })

export interface Verdict {
  kind: EvidenceKind
  reporter: Address
  /** Seconds since the Unix epoch. */
  time: number
}

export interface DemandInput extends Accusation {
  /** The last round that the party has signed, and its signature. */
  round: number
  last: SignedRound
  /** The serving node whose account asks; not needed by the job's requester. */
  asNode?: Address
}

export interface DemandRecord {
  id: Bytes32
  /** Seconds since the Unix epoch. */
  deadline: number
  answered: boolean
}

// ---------------------------------------------------------------- events

interface EventBase {
  blockNumber: number
  blockHash: Bytes32
  txHash: Bytes32
  logIndex: number
}

export type LedgerEventData =
  | { name: 'ValueSet'; writer: Address; key: Bytes32; value: Hex }
  | {
      name: 'IdentityCreated'
      identity: Address
      members: Address[]
      roles: bigint[]
      storePredicate: Bytes32
    }
  | {
      name: 'IdentityUpdated'
      identity: Address
      members: Address[]
      roles: bigint[]
      storePredicate: Bytes32
    }
  | { name: 'PredicatePublished'; predicateId: Bytes32; encoding: Hex }
  | {
      name: 'ReferenceCreated'
      ref: Bytes32
      identity: Address
      owner: Address
      kind: ReferenceKind
      length: number
    }
  | { name: 'ReferencePredicatesChanged'; ref: Bytes32; computePredicate: Bytes32; readPredicate: Bytes32 }
  | { name: 'ReferenceRevoked'; ref: Bytes32 }
  | {
      name: 'NodeRegistered'
      nodeId: Address
      account: Address
      publicKey: Hex
      hint: string
      capacity: number
    }
  | { name: 'NodeUpdated'; nodeId: Address; hint: string; capacity: number }
  | { name: 'NodeUnbonding'; nodeId: Address; withdrawableAt: number }
  | { name: 'NodeWithdrawn'; nodeId: Address; account: Address; amount: bigint }
  | {
      name: 'JobRequested'
      jobId: Bytes32
      requester: Address
      functionId: Bytes32
      params: Hex
      refsCount: number
      protocol: JobProtocol
    }
  | { name: 'JobRefsAdded'; jobId: Bytes32; refs: Bytes32[] }
  | { name: 'JobApproval'; jobId: Bytes32; ref: Bytes32; owner: Address; approved: boolean }
  | { name: 'JobRefsAdmitted'; jobId: Bytes32; refs: Bytes32[] }
  | { name: 'JobOpened'; jobId: Bytes32; cohort: number }
  | {
      name: 'JobDone'
      jobId: Bytes32
      attempt: number
      resultDigest: Bytes32
      transcriptDigest: Bytes32
      signers: Address[]
    }
  | { name: 'JobFailed'; jobId: Bytes32; reason: number }
  | { name: 'JobCancelled'; jobId: Bytes32 }
  | { name: 'CheaterConvicted'; jobId: Bytes32; party: Address; kind: EvidenceKind; reporter: Address }
  | {
      name: 'AnswerDemanded'
      jobId: Bytes32
      party: Address
      demand: Bytes32
      nonce: Bytes32
      round: number
      /** Seconds since the Unix epoch. */
      deadline: number
    }
  | { name: 'DemandAnswered'; jobId: Bytes32; party: Address; demand: Bytes32; content: Hex }

export type LedgerEvent = LedgerEventData & EventBase
export type LedgerEventName = LedgerEventData['name']

/**
 * What a subscriber gets, in order. After `rewind` everything learned from blocks above `toBlock` is void: the
 * events of the now canonical blocks follow. `events` may be empty: it then only says how far the chain is.
 */
export type EventBatch =
  | { kind: 'events'; events: LedgerEvent[]; to: BlockRef }
  | { kind: 'rewind'; toBlock: number }

/**
 * Called for one batch at a time. The cursor moves after it resolves: a crash in between delivers the batch
 * again, so apply it idempotently or in the same transaction as the cursor (`cursor` is what will be stored).
 */
export type EventHandler = (batch: EventBatch, cursor: Cursor) => MaybePromise<void>

export interface Subscription {
  /** Resolves when everything up to the block that is confirmed now has been handled. */
  caughtUp(): Promise<void>
  close(): Promise<void>
}

// ---------------------------------------------------------------- stores (SQLite in the product, memory in tests)

/** Plain JSON. */
export interface Cursor {
  /** The last block handled. */
  block: number
  /** Hashes of the last block and some before it, newest last: how a reorganisation is found and measured. */
  recent: { number: number; hash: Bytes32 }[]
}

export interface CursorStore {
  get(id: string): MaybePromise<Cursor | undefined>
  put(id: string, cursor: Cursor): MaybePromise<void>
}

/** `pending`: stored, not known to be in a block. `mined`: in a block. Confirmed ones are kept for `keepBlocks`. */
export type IntentState = 'pending' | 'mined'

/** Plain JSON: a transaction someone decided on, kept until the chain cannot forget it any more. */
export interface StoredIntent {
  id: string
  /** Order of sending; per store strictly growing. */
  seq: number
  label: string
  signer: Address
  to: Address
  data: Hex
  /** Decimal wei. */
  value: string
  state: IntentState
  nonce: number | null
  txHash: Bytes32 | null
  blockNumber: number | null
  blockHash: Bytes32 | null
}

export interface OutboxStore {
  /** Inserts or replaces by `id`; durable when it returns. */
  put(intent: StoredIntent): MaybePromise<void>
  /** All, by `seq`. */
  list(): MaybePromise<StoredIntent[]>
  delete(id: string): MaybePromise<void>
}
