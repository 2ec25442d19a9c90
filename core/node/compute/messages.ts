import * as z from 'zod'
import { VIEW_ROUNDS } from '../../audit/constants.ts'
import { encodeCanonical } from '../../base/cbor.ts'
import { decodeCanonical } from '../../dht/cbor.ts'

/** Requests between nodes during a job. Every message is canonical CBOR, checked against its schema. */
export const PROTOCOLS = {
  /** Is this node ready to sit in the committee? */
  ready: 'compute/ready',
  /** Coordinator to member, with its plan: gather the inputs, run the program, answer with the digest of the sealed share. */
  run: 'compute/run',
  /** Coordinator to member, after their connection was lost: the answer to `run`. */
  rejoin: 'compute/rejoin',
  /** Coordinator to member: sign the result that all members' digests make. */
  sign: 'compute/sign',
  /** Coordinator to member: this attempt is over. */
  abort: 'compute/abort',
  /** Coordinator to node: sign that the job cannot finish. */
  fail: 'compute/fail',
  /** Coordinator to holder: which of these references do you hold? */
  holdings: 'compute/holdings',
  /** Coordinator to holder, with its plan: re-share your shares among the committee. */
  release: 'compute/release',
  /** Holder to member: your piece. */
  piece: 'compute/piece',
  /** Member to member of an audited run: the last rounds as everybody signed them towards you. */
  view: 'compute/view',
  /** Requester's node to member: the sealed output share. */
  result: 'compute/result',
  /** Anyone to member: how far is the job? */
  progress: 'compute/progress',
} as const

const MAX_REFS = 5000
const hash = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<`0x${string}`>
const nodeId = z.string().regex(/^0x[0-9a-f]{40}$/) as unknown as z.ZodType<`0x${string}`>
const bytes = z.custom<Uint8Array>((v) => v instanceof Uint8Array)
const attempt = z.int().min(0).max(65_535)
const committee = z.array(nodeId).min(2).max(64)

const signature = z.string().regex(/^0x[0-9a-f]{130}$/) as unknown as z.ZodType<`0x${string}`>
const round = z.int().min(0).max(0xffff_ffff)
/** One party's broadcast in a round, as the Evidence contract takes it. */
const statement = { previous: hash, payload: hash, signature }

/** A node that cheated in an earlier attempt, as the coordinator found, and how. */
const exclusion = z.strictObject({ node: nodeId, reason: z.string().regex(/^[A-Z_]{1,40}$/) })

export const schemas = {
  job: z.strictObject({ jobId: hash }),
  plan: z.strictObject({
    jobId: hash,
    attempt,
    committee,
    /** See `PackedSources`. */
    sources: z.strictObject({ nodes: bytes, helpers: bytes }),
    excluded: z.array(exclusion).max(64),
  }),
  ran: z.strictObject({ sealedDigest: hash, transcriptDigest: hash }),
  sign: z.strictObject({ jobId: hash, attempt, committee, digests: z.array(hash).min(2).max(64) }),
  signed: z.strictObject({ signature }),
  abort: z.strictObject({ jobId: hash, attempt }),
  holdings: z.strictObject({ refs: z.array(hash).min(1).max(MAX_REFS) }),
  /** For each reference asked about the index of the share that the node holds, 0 for none. */
  held: z.strictObject({ indices: bytes }),
  released: z.strictObject({ references: z.int() }),
  piece: z.strictObject({
    jobId: hash,
    attempt,
    coordinator: nodeId,
    /** In the order of the values. */
    refs: z.array(hash).min(1).max(MAX_REFS),
    /** This member's shares of the re-shared values and masks. */
    values: bytes,
    masks: bytes,
    /** Commitments to the re-sharing polynomials. */
    commitments: bytes,
    /** The dealers' commitments of each reference, from the holder that the coordinator named first; else empty. */
    originals: z.array(bytes),
    /** The holder's, over the digest of the commitments (pieces.ts). */
    signature: bytes,
  }),
  /** What a member has of an attempt, for the others: the digest of its plan, and what holders have signed, by holder. */
  received: z.strictObject({
    plan: hash,
    pieces: z
      .array(z.strictObject({ holder: nodeId, commitments: hash, signature: bytes }))
      .min(1)
      .max(MAX_REFS),
  }),
  viewed: z.strictObject({ jobId: hash, nonce: hash }),
  view: z.strictObject({
    jobId: hash,
    nonce: hash,
    parties: committee,
    rounds: z
      .array(z.strictObject({ round, signed: z.array(z.strictObject(statement)).max(64) }))
      .max(VIEW_ROUNDS),
  }),
  /** What a node answers to a demand on the ledger: its own broadcasts from the round asked about on, if it has any. */
  statements: z.strictObject({
    rounds: z.array(z.strictObject({ round, ...statement })).max(VIEW_ROUNDS),
  }),
  empty: z.strictObject({}),
  result: z.strictObject({
    attempt,
    index: z.int(),
    sealed: bytes,
    committee,
    digests: z.array(hash),
    excluded: z.array(exclusion).max(64),
  }),
  progress: z.strictObject({
    state: z.enum(['committee', 'inputs', 'preparing', 'computing', 'output', 'done']),
    progress: z.number().min(0).max(1),
    /** Rounds of the program. */
    done: z.int(),
    total: z.int(),
    attempt,
    committee: z.array(nodeId).max(64),
    excluded: z.array(exclusion).max(64),
  }),
} as const

export type Message<K extends keyof typeof schemas> = z.infer<(typeof schemas)[K]>

export function encodeMessage<K extends keyof typeof schemas>(_kind: K, message: Message<K>): Uint8Array {
  return encodeCanonical(message)
}

/** Throws RECORD_INVALID on anything but the canonical encoding of a message of this kind. */
export function decodeMessage<K extends keyof typeof schemas>(kind: K, payload: Uint8Array): Message<K> {
  return decodeCanonical(payload, schemas[kind] as unknown as z.ZodType<Message<K>>)
}
