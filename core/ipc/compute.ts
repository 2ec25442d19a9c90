import * as z from 'zod'
import { address, decimal, errorObject, hash, id, jobStarted, label, nothing, time } from './common.ts'
import { method } from './method.ts'
import { predicate } from './sharing.ts'

export const computeFunction = z.object({
  id: z.enum([
    'sum',
    'mean',
    'weightedMean',
    'variance',
    'covariance',
    'median',
    'percentile',
    'min',
    'max',
    'histogram',
    'countWhere',
    'relativePosition',
    'linearScore',
    'logisticScore',
    'logisticMean',
  ]),
  codeHash: hash,
  /** What the requester learns, and nobody else: a key for a text. */
  reveals: z.string(),
  /** Parameters that the form asks for. */
  params: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['decimal', 'decimals', 'choice', 'reference']),
      required: z.boolean(),
      choices: z.array(z.string()).optional(),
    }),
  ),
  /** Values a reference must hold: any number, one, an even number, or as many as there are weights. */
  input: z.enum(['any', 'scalar', 'pairs', 'weights']),
})

/**
 * Honest majority: private and correct while most of the committee is honest. SPDZ: while one member is. Audited:
 * anybody can check the result's computation from the ledger and its transcript.
 */
export const computeProtocol = z.enum(['honest-majority', 'spdz', 'spdz-audited'])

export const reference = z.object({
  ref: hash,
  owner: address,
  identity: z.string(),
  identityLabel: z.string().optional(),
  predicateId: hash,
  predicate: predicate.optional(),
  length: z.int(),
  state: z.enum(['active', 'revoked']),
  createdAt: time,
  mine: z.boolean(),
  title: z.string().optional(),
})

/** The steps of the job track, in order. */
export const computeState = z.enum([
  'requested',
  'approvals',
  'committee',
  'inputs',
  'preparing',
  'computing',
  'output',
  'done',
  'failed',
  'cancelled',
])

export const computeJob = z.object({
  /** The request's id on the ledger. */
  id: hash,
  label: z.string().optional(),
  function: computeFunction.shape.id.or(z.string()),
  codeHash: hash,
  requester: address,
  roles: z.array(z.enum(['requester', 'owner', 'committee', 'holder'])),
  references: z.int(),
  owners: z.int(),
  approvals: z.object({ needed: z.int(), given: z.int(), declined: z.int() }),
  committee: z.array(address),
  protocol: computeProtocol,
  threshold: z.int(),
  state: computeState,
  /** 0 to 1 within the state. */
  progress: z.number().min(0).max(1),
  rounds: z.object({ done: z.int(), total: z.int() }).optional(),
  /** Nodes that cheated in an earlier attempt and were replaced. */
  excluded: z.array(z.object({ node: address, reason: z.string() })),
  attempt: z.int(),
  createdAt: time,
  finishedAt: time.optional(),
  resultDigest: hash.optional(),
  transcriptDigest: hash.optional(),
  error: errorObject.optional(),
})

export const approval = z.object({
  id: hash,
  requester: address,
  requesterLabel: z.string().optional(),
  function: z.string(),
  codeHash: hash,
  params: z.record(z.string(), z.unknown()),
  references: z.array(
    z.object({ ref: hash, recordId: id.optional(), title: z.string(), usesLeft: z.int().optional() }),
  ),
  /** People whose data the job uses, me included. */
  owners: z.int(),
  reveals: z.string(),
  committeeSize: z.int(),
  protocol: computeProtocol,
  requestedAt: time,
  state: z.enum(['waiting', 'approved', 'declined', 'closed']),
})

/** What the verifier found. */
export const auditReport = z.object({
  id: hash,
  valid: z.boolean(),
  parties: z.array(address),
  /** Of the transcript. */
  bytes: z.int(),
  seconds: z.number(),
  /** Whether the result that this account received is the one that was computed; only for its requester. */
  mine: z.boolean().optional(),
  fault: z.string().optional(),
  reason: z.string().optional(),
  /** The node that provably cheated. */
  culprit: address.optional(),
  /** Whether a contract accepts what the transcript shows about the culprit. */
  evidence: z.boolean().optional(),
})

export const computeMethods = {
  'compute.functions': method(nothing, z.object({ functions: z.array(computeFunction) })),
  /** References on the ledger that this account could name in a request. */
  'compute.references': method(
    z.strictObject({
      identity: address.optional(),
      owner: address.optional(),
      includeRevoked: z.boolean().optional(),
    }),
    z.object({ references: z.array(reference) }),
  ),
  'compute.request': method(
    z.strictObject({
      function: computeFunction.shape.id,
      params: z.record(z.string().max(100), z.unknown()).optional(),
      refs: z.array(hash).min(1).max(5000),
      /** Honest majority: n ≥ 2t + 1. SPDZ: n from 2 to 5, and t is n − 1. */
      protocol: computeProtocol.optional(),
      n: z.int().min(2).max(9).optional(),
      t: z.int().min(1).max(8).optional(),
      label: label.optional(),
    }),
    jobStarted,
    'spend',
  ),
  'compute.list': method(nothing, z.object({ jobs: z.array(computeJob) })),
  'compute.get': method(z.strictObject({ id: hash }), z.object({ job: computeJob })),
  'compute.result': method(
    z.strictObject({ id: hash }),
    z.object({
      id: hash,
      function: z.string(),
      /** One value, or one for each reference, as exact decimals (rounded half-even to 12 digits where a quotient does not end). */
      values: z.array(decimal),
      /** Of a histogram: values[i] counts from edges[i − 1] on to below edges[i]. The outer two ranges have one edge. */
      edges: z.array(decimal).optional(),
      owners: z.int(),
      nodes: z.int(),
      resultDigest: hash,
    }),
  ),
  /** Writes the public transcript of an audited computation to a new file; only from a local client. */
  'compute.transcript': method(
    z.strictObject({ id: hash, path: z.string().min(1).max(4096) }),
    z.object({ path: z.string(), bytes: z.int() }),
  ),
  /** Checks a finished computation from the ledger and its public transcript alone. */
  'compute.audit': method(z.strictObject({ id: hash }), auditReport),
  'compute.cancel': method(z.strictObject({ id: hash }), jobStarted),
  'approvals.list': method(nothing, z.object({ approvals: z.array(approval) })),
  'approvals.decide': method(
    z.strictObject({ id: hash, decision: z.enum(['approve', 'decline']) }),
    jobStarted,
    'approve',
  ),
} as const

export type ComputeJob = z.infer<typeof computeJob>
export type ComputeFunction = z.infer<typeof computeFunction>
export type ComputeProtocol = z.infer<typeof computeProtocol>
export type ComputeState = z.infer<typeof computeState>
export type AuditReport = z.infer<typeof auditReport>
export type Approval = z.infer<typeof approval>
export type Reference = z.infer<typeof reference>
