import type { Clock } from '../base/clock.ts'
import type { EnigmaError } from '../base/errors.ts'
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

// ---------------------------------------------------------------- the ledger

export interface WriteOptions {
  /** Idempotency key: one intent per id, joined by later calls. Default: random, every call is one of its own. */
  id?: string
  /** `stored`: return when durable in the outbox. `mined` / `confirmed` (default): when in a block / deep enough. */
  wait?: 'stored' | 'mined' | 'confirmed'
  signal?: AbortSignal
}

export interface WriteResult {
  id: string
  /** Null when the effect was already on the ledger, or with `wait: 'stored'`. */
  txHash: Bytes32 | null
  blockNumber: number | null
}

/**
 * Every method throws LEDGER_UNREACHABLE when no endpoint answers and LEDGER_WRONG_CHAIN when one answers for
 * another chain. Writes throw INSUFFICIENT_FUNDS, LEDGER_REVERTED, or the permission domain's code that the
 * contracts' custom error stands for (details.ref names the reference).
 */
export interface Ledger {
  readonly deployment: LedgerDeployment

  /** Checks chain id, genesis and code, loads the outbox, starts to watch. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Accounts whose stored intents this process may send (again); writes register their signer themselves. */
  useSigner(signer: Signer): void
  forgetSigner(address: Address): void

  head(): Promise<BlockRef>
  /** The block that reads with `confirmed` use. */
  confirmedBlock(): Promise<BlockRef>
  balance(account: Address): Promise<bigint>
  /** Devnets (chain id 31337) only: sets the balance of `account` to at least `wei`; UNSUPPORTED elsewhere. */
  faucet(account: Address, wei?: bigint): Promise<void>
  /** Plain payment. */
  transfer(signer: Signer, to: Address, wei: bigint, options?: WriteOptions): Promise<WriteResult>

  // dictionary L (§5.7)
  set(signer: Signer, key: Bytes32, value: Uint8Array, options?: WriteOptions): Promise<WriteResult>
  get(writer: Address, key: Bytes32, at?: ReadAt): Promise<Uint8Array>
  /** L.get(k, t): the value as of a block number, from the contract's own history. */
  getAsOf(writer: Address, key: Bytes32, blockNumber: number): Promise<Uint8Array>

  // identities (Alg. 1)
  /** addr_P of these members (any order). Pure. */
  identityAddress(members: Address[]): Address
  /** One member's consent to (addr_P, ACL, q_store) at the identity's present nonce (0: creation). */
  signIdentity(
    signer: TypedDataSigner,
    members: IdentityMember[],
    storePredicate: Bytes32,
    nonce?: number,
  ): Promise<Hex>
  /** `consents` by member address; the sender's own may be left out. */
  createIdentity(
    signer: Signer,
    members: IdentityMember[],
    storePredicate: Bytes32,
    consents?: Record<Address, Hex>,
    options?: WriteOptions,
  ): Promise<WriteResult>
  updateIdentity(
    signer: Signer,
    members: IdentityMember[],
    storePredicate: Bytes32,
    consents?: Record<Address, Hex>,
    options?: WriteOptions,
  ): Promise<WriteResult>
  identity(address: Address, at?: ReadAt): Promise<IdentityRecord | undefined>

  // predicates (Alg. 2)
  /** Publishes an encoding of core/predicates; a known one costs nothing. Its id is `predicateId(encoding)`. */
  publishPredicate(signer: Signer, encoding: Uint8Array, options?: WriteOptions): Promise<WriteResult>
  predicate(id: Bytes32, at?: ReadAt): Promise<Uint8Array | undefined>
  /** The contract's own evaluation, with its reason. */
  checkPermission(id: Bytes32, context: PermissionContext, at?: ReadAt): Promise<PermissionOutcome>

  // references (Alg. 3, 4)
  /** a_x = H(addr_P ‖ x_ref). Pure. */
  referenceId(identity: Address, xRef: Bytes32): Bytes32
  createReference(signer: Signer, input: ReferenceInput, options?: WriteOptions): Promise<WriteResult>
  /** Many at once, at most 50 a transaction. */
  createReferences(signer: Signer, inputs: ReferenceInput[], options?: WriteOptions): Promise<WriteResult[]>
  changePredicates(
    signer: Signer,
    ref: Bytes32,
    computePredicate: Bytes32,
    readPredicate: Bytes32,
    options?: WriteOptions,
  ): Promise<WriteResult>
  revoke(signer: Signer, ref: Bytes32, options?: WriteOptions): Promise<WriteResult>
  reference(ref: Bytes32, at?: ReadAt): Promise<ReferenceRecord | undefined>
  references(refs: Bytes32[], at?: ReadAt): Promise<(ReferenceRecord | undefined)[]>
  /** Load's CheckPermission: may `account` read the record now? False for revoked and unknown references. */
  canRead(ref: Bytes32, account: Address, at?: ReadAt): Promise<boolean>

  // node registry
  minimumDeposit(): Promise<bigint>
  registerNode(
    signer: Signer,
    node: NodeKey,
    input: { hint: string; capacity: number; deposit: bigint },
    options?: WriteOptions,
  ): Promise<WriteResult>
  updateNode(
    signer: Signer,
    nodeId: Address,
    input: { hint: string; capacity: number },
    options?: WriteOptions,
  ): Promise<WriteResult>
  unbondNode(signer: Signer, nodeId: Address, options?: WriteOptions): Promise<WriteResult>
  withdrawNode(signer: Signer, nodeId: Address, options?: WriteOptions): Promise<WriteResult>
  /** A deposit stands behind this node id (active or unbonding). */
  isRegistered(nodeId: Address, at?: ReadAt): Promise<boolean>
  node(nodeId: Address, at?: ReadAt): Promise<NodeRecord | undefined>
  /** All active nodes, clients (capacity 0) included, by node id. */
  nodes(at?: ReadAt): Promise<NodeRecord[]>

  // jobs
  /**
   * Puts request and references (pages of 200) on the ledger. Resolves with the job id, which commits to
   * everything in the request: the same request with the same salt is the same job.
   */
  requestJob(
    signer: Signer,
    request: JobRequest,
    options?: WriteOptions,
  ): Promise<{ jobId: Bytes32; refs: Bytes32[] }>
  job(jobId: Bytes32, at?: ReadAt): Promise<JobRecord | undefined>
  /** The job's references in the order of its inputs, and its public parameters, from its events. */
  jobInputs(jobId: Bytes32): Promise<{ refs: Bytes32[]; params: Uint8Array | undefined }>
  /** Who signed the result of a job that is done, from its event. */
  jobOutcome(jobId: Bytes32): Promise<JobOutcome | undefined>
  jobRef(jobId: Bytes32, ref: Bytes32, at?: ReadAt): Promise<JobRefRecord>
  /** An owner's answer for others to relay. */
  signApproval(signer: TypedDataSigner, approval: ApprovalInput): Promise<Hex>
  approve(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult>
  decline(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult>
  relayApprovals(
    signer: Signer,
    jobId: Bytes32,
    approvals: { ref: Bytes32; approved: boolean; signature: Hex }[],
    options?: WriteOptions,
  ): Promise<WriteResult[]>
  /** Admits all references in pages; all pages done, the job is open. Throws the first refusal. */
  admit(signer: Signer, jobId: Bytes32, refs: Bytes32[], options?: WriteOptions): Promise<WriteResult[]>
  /** What `admit` would say for each reference now (eth_call): undefined when it would be admitted. */
  admissible(jobId: Bytes32, refs: Bytes32[], at?: ReadAt): Promise<(EnigmaError | undefined)[]>
  /** The holders' question before they release a share. False for anything but a plain yes. */
  authorised(jobId: Bytes32, ref: Bytes32, at?: ReadAt): Promise<boolean>
  /** The same for many, in order. */
  authorisedMany(jobId: Bytes32, refs: Bytes32[], at?: ReadAt): Promise<boolean[]>
  /** H(jobId ‖ hash of the opening block), 32 bytes: what the committee is drawn from. Undefined until open. */
  seed(jobId: Bytes32): Promise<Uint8Array | undefined>
  signResult(node: TypedDataSigner, result: ResultInput): Promise<Hex>
  /** At least threshold + 1 signatures of registered nodes. */
  postResult(
    signer: Signer,
    result: ResultInput,
    signatures: NodeSignature[],
    options?: WriteOptions,
  ): Promise<WriteResult>
  signFailure(node: TypedDataSigner, jobId: Bytes32, reason: FailReason): Promise<Hex>
  /** By the requester, by anyone after the deadline, or with threshold + 1 node signatures. */
  failJob(
    signer: Signer,
    jobId: Bytes32,
    reason: FailReason,
    signatures?: NodeSignature[],
    options?: WriteOptions,
  ): Promise<WriteResult>
  cancelJob(signer: Signer, jobId: Bytes32, options?: WriteOptions): Promise<WriteResult>

  // evidence
  /** LEDGER_REVERTED (details.error NotEvidence, InvalidPoint, NotRegistered) and PERMISSION_DENIED when it shows nothing. */
  reportEvidence(signer: Signer, evidence: Evidence, options?: WriteOptions): Promise<WriteResult>
  /** Asks a silent party to answer, in public, before a deadline. */
  demandAnswer(signer: Signer, demand: DemandInput, options?: WriteOptions): Promise<WriteResult>
  /** The node's own answer; `content` has 1 to 4,096 bytes. */
  answerDemand(
    signer: Signer,
    node: TypedDataSigner,
    jobId: Bytes32,
    content: Uint8Array,
    options?: WriteOptions,
  ): Promise<WriteResult>
  /** Convicts a party whose time to answer is over. */
  reportSilence(signer: Signer, jobId: Bytes32, party: Address, options?: WriteOptions): Promise<WriteResult>
  demandOf(jobId: Bytes32, party: Address, at?: ReadAt): Promise<DemandRecord | undefined>
  /** At most one of each kind; empty for whoever was never convicted in this job. */
  verdicts(jobId: Bytes32, party: Address, at?: ReadAt): Promise<Verdict[]>
  /** Hash and time of a block of the chain; undefined when it is not there. */
  block(number: number): Promise<BlockRef | undefined>

  // events
  subscribe(cursorId: string, handler: EventHandler): Promise<Subscription>
  /** Stored intents not yet confirmed. */
  pending(): Promise<StoredIntent[]>
}
