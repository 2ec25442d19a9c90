import type { EnigmaError } from '../base/errors.ts'
import type {
  Address,
  ApprovalInput,
  BlockRef,
  Bytes32,
  DemandInput,
  DemandRecord,
  EventHandler,
  Evidence,
  FailReason,
  Hex,
  IdentityMember,
  IdentityRecord,
  JobOutcome,
  JobRecord,
  JobRefRecord,
  JobRequest,
  LedgerDeployment,
  NodeKey,
  NodeRecord,
  NodeSignature,
  PermissionContext,
  PermissionOutcome,
  ReadAt,
  ReferenceInput,
  ReferenceRecord,
  ResultInput,
  Signer,
  StoredIntent,
  Subscription,
  TypedDataSigner,
  Verdict,
} from './types.ts'

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
