import type { NodeId } from '../transport/types.ts'

/** 32 bytes as 0x and 64 lower-case hex digits: a_x = H(addr_P ‖ x), a content digest, a placement key. */
export type Hash = `0x${string}`
/** An account or a shared identity (addr_P): 0x and 40 lower-case hex digits. */
export type Address = `0x${string}`

/** Paper §4, figure 2: the three kinds of data in a node's local view. */
export type RecordKind = 'share' | 'encrypted' | 'public'

/** A registered node that may hold records. */
export interface Candidate {
  id: NodeId
  /** Preference (reputation × free capacity), a finite number ≥ 0. Zero is never chosen. */
  preference: number
}

/** One Pedersen-VSS share of a vector of secrets (protocols: values and masks on two polynomials of degree t). */
export interface ShareRecord {
  kind: 'share'
  /** a_x, the reference under which the ledger knows the data. */
  key: Hash
  /** The evaluation point of this holder, 1…n. */
  index: number
  owner: Address
  /** n and t: any t+1 of the n shares reconstruct. */
  n: number
  t: number
  /** Number of secrets. */
  length: number
  /** length·32 bytes each. */
  values: Uint8Array
  masks: Uint8Array
  /** The dealer's commitments, encoded by core/sharing; the same bytes for every holder. */
  commitments: Uint8Array
}

/** AEAD ciphertext made by the client (see `seal`). */
export interface EncryptedRecord {
  kind: 'encrypted'
  /** `encryptedKey(owner, ciphertext)`: content-addressed, so that a copy verifies itself. */
  key: Hash
  owner: Address
  ciphertext: Uint8Array
}

/** A chunk or a manifest of public data. */
export interface PublicRecord {
  kind: 'public'
  /** SHA-256 of `data`. */
  key: Hash
  owner: Address
  data: Uint8Array
}

export type DataRecord = ShareRecord | EncryptedRecord | PublicRecord

/** `pending`: stored but invisible until committed; expires and is deleted otherwise. */
export type RecordState = 'pending' | 'active'

export type Action = 'put' | 'commit' | 'abort' | 'delete'

/**
 * The owner's consent to an action on one key. `content` says what it applies to, so that one signature serves
 * every holder and nobody can dress other content in it: for a put `contentDigest(record)` (what all holders'
 * parts share: the commitments of shares), for a commit `placementDigest`, otherwise `NO_CONTENT`.
 */
export interface Authorization {
  action: Action
  kind: RecordKind
  key: Hash
  content: Hash
  owner: Address
  /** The account that signs; equal to `owner` or, for shared identities, a member. */
  signer: Address
  /** Milliseconds since the epoch; holders refuse what is more than `AUTHORIZATION_WINDOW` off. */
  time: number
  /** Whatever the injected verifier understands (65-byte EIP-191/712 signature). */
  signature: Uint8Array
}

/** Alg. 3 Load: what a requester signs. Bound to one holder and one use. */
export interface ReleaseRequest {
  kind: RecordKind
  key: Hash
  requester: Address
  /** The holder that is asked. */
  holder: NodeId
  /** The node that asks on the requester's behalf. */
  via: NodeId
  /** What the data are wanted for: 'declassify', 'load' by the owner, or the reference (a_x) whose read rule is invoked. */
  purpose: string
  time: number
  nonce: Hash
  signature: Uint8Array
}

/** A holder's signed statement that it stores a record durably. */
export interface Receipt {
  kind: RecordKind
  key: Hash
  /** Share index, or 0 for copies. */
  index: number
  /** `recordDigest(record)`. */
  digest: Hash
  owner: Address
  state: RecordState
  holder: NodeId
  time: number
  /** 65 bytes r‖s‖v over `receiptDigest`, by the holder's node key. */
  signature: Uint8Array
}

/** Who holds which index. Signed by the owner as part of the commit, later changed by receipts of repair. */
export interface Placement {
  index: number
  holder: NodeId
}

export interface StoredRecord {
  record: DataRecord
  /** `recordDigest(record)`. */
  digest: Hash
  state: RecordState
  authorization: Authorization
  /** Known co-holders, this node included; empty while pending. */
  placements: Placement[]
  /** Milliseconds since the epoch; only for pending records. */
  expires: number | undefined
}

/** What a scan returns: everything but the bulk. */
export interface RecordSummary {
  kind: RecordKind
  key: Hash
  index: number
  owner: Address
  state: RecordState
  digest: Hash
  /** `contentDigest(record)`: what the reference on the ledger carries. */
  content: Hash
  /** Shares dealt; 0 for copies. */
  n: number
  bytes: number
  placements: Placement[]
}

export interface Usage {
  records: number
  bytes: number
}

/**
 * Durable store of one node's records (SQLite in core/storage, memory in tests). Every mutation has reached the disk when
 * it returns or resolves. What is large is written, read and erased in pieces, between which the event loop turns; until the
 * last, nobody sees the record. Puts and deletions of one record follow each other. Codes: STORAGE_FULL, STORAGE_CORRUPT,
 * QUOTA_EXCEEDED.
 */
export interface RecordStore {
  /**
   * Inserts. Same content again: no change. Another index or content of an active key: RECORD_INVALID; a
   * pending one of the same owner is replaced.
   */
  put(entry: StoredRecord): Promise<void>
  get(kind: RecordKind, key: Hash): Promise<StoredRecord | undefined>
  summary(kind: RecordKind, key: Hash): RecordSummary | undefined
  /** Pending → active with its placements. False when there is no such record. */
  activate(kind: RecordKind, key: Hash, placements: readonly Placement[]): boolean
  setPlacements(kind: RecordKind, key: Hash, placements: readonly Placement[]): void
  /** Removes and, unless `time` is undefined, remembers that authorizations up to `time` are void. */
  delete(kind: RecordKind, key: Hash, time?: number): Promise<boolean>
  /** Erases what was being written or erased when the node ended; before anything is stored. */
  recover(): Promise<void>
  /** The time up to which authorizations for the key are void. */
  deletedAt(kind: RecordKind, key: Hash): number | undefined
  /** Pending records whose time is over. */
  expired(now: number, limit: number): RecordSummary[]
  /** Active records after `cursor` in key order. */
  scan(cursor: string | undefined, limit: number): RecordSummary[]
  usage(owner?: Address): Usage
}

export type LedgerOpinion = 'active' | 'unknown' | 'revoked'

/** What the composer wires in: each holder asks its own chain client. Every function may reject; that is a refusal. */
export interface HolderPolicy {
  /** True iff `authorization.signature` is the signer's over `digest` and the signer may act for the owner. */
  verifyAuthorization(authorization: Authorization, digest: Uint8Array): Promise<boolean>
  /** VSS verification of a share against its commitments (and the reference on chain, when it exists). */
  verifyShareRecord(record: ShareRecord): Promise<boolean>
  /** True iff `request.signature` is the requester's over `digest`. */
  verifyRequester(request: ReleaseRequest, digest: Uint8Array): Promise<boolean>
  /** CheckPermission (Alg. 2) at a confirmed block. Public data are not asked about. */
  authorise(request: ReleaseRequest, record: RecordSummary): Promise<boolean>
  /** Whether the ledger has a live reference to the record. `content` is the digest the reference must carry. */
  ledgerOpinion(kind: RecordKind, key: Hash, content: Hash, owner: Address): Promise<LedgerOpinion>
}

/** The client's keys, held by the composer. */
export interface OwnerSigner {
  owner: Address
  signer: Address
  sign(digest: Uint8Array): Promise<Uint8Array>
}

/**
 * Rebuilds the share `missingIndex` at `replacement` from t+1 helpers without reconstructing the value. On
 * success the replacement has called `DhtNode.acceptRepaired` and the receipt is returned.
 */
export type RepairShare = (request: {
  record: RecordSummary
  missingIndex: number
  helpers: readonly Placement[]
  replacement: NodeId
}) => Promise<Receipt>

/** Records that enough holders keep as pending: to be committed or aborted. Plain data but for the receipts. */
export interface PreparedStore {
  kind: RecordKind
  key: Hash
  /** `contentDigest` of the records. */
  content: Hash
  receipts: Receipt[]
  placements: Placement[]
  /** Share indices (or replicas) that found no holder; repair recruits some later. */
  missing: number[]
}

/** Describes public data of any size; its own digest is the key. */
export interface Manifest {
  version: 1
  /** Bytes in all. */
  size: number
  chunkSize: number
  /** SHA-256 of each chunk, in order. */
  chunks: Hash[]
  mediaType: string
}
