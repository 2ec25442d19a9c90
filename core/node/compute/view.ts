import { fromHex } from '../../base/bytes.ts'
import { functionByHash } from '../../circuits/functions.ts'
import type { ComputeJob, ComputeState } from '../../ipc/index.ts'
import type { Hex } from '../../ledger/types.ts'
import { FAIL_REASONS } from '../../ledger/types.ts'
import type { NodeContext } from '../context.ts'
import type { IndexedJob } from '../ledger-index.ts'

/** Live facts about a job that are not on the ledger. */
export interface LiveProgress {
  state: ComputeState
  progress: number
  rounds?: { done: number; total: number }
  committee: Hex[]
  attempt: number
  excluded: { node: Hex; reason: string }[]
}

const FAILURES: Record<number, string> = Object.fromEntries(
  Object.entries(FAIL_REASONS).map(([reason, code]) => [code, reason]),
)

/** The public parameters of a request, for showing; empty when they are not a JSON object. */
export function parseParams(params: Hex): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromHex(params)))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {}
  } catch {
    return {}
  }
}

/** A job as the ledger tells it, with live progress where this node has some. */
export function describeJob(
  context: NodeContext,
  job: IndexedJob,
  me: Hex | undefined,
  local: {
    label?: string
    committee?: Hex[]
    threshold?: number
    live?: LiveProgress | undefined
    fetched: boolean
    excluded: { node: Hex; reason: string }[]
  },
): ComputeJob {
  const owners = new Set(job.refs.map((ref) => context.index.references.get(ref)?.owner))
  const answered = [...job.approvals.values()]
  const live = local.live?.committee ?? []
  const committee = live.length > 0 ? live : (local.committee ?? job.signers)
  const roles: ComputeJob['roles'] = []
  if (job.requester === me) roles.push('requester')
  if (me !== undefined && owners.has(me)) roles.push('owner')
  if (committee.includes(context.nodeKey.address)) roles.push('committee')
  const state: ComputeState =
    job.state === 'requested'
      ? 'approvals'
      : job.state === 'open'
        ? (local.live?.state ?? 'committee')
        : job.state === 'done' && job.requester === me && !local.fetched
          ? 'output'
          : job.state
  return {
    id: job.jobId,
    ...(local.label === undefined ? {} : { label: local.label }),
    function: functionByHash(job.functionId)?.id ?? 'unknown',
    codeHash: job.functionId,
    requester: job.requester,
    roles,
    references: job.refsCount,
    owners: owners.size,
    approvals: {
      needed: job.refsCount,
      given: answered.filter(Boolean).length,
      declined: answered.filter((a) => !a).length,
    },
    committee,
    protocol: job.protocol,
    threshold:
      job.protocol === 'honest-majority' ? (local.threshold ?? 1) : Math.max(1, committee.length - 1),
    state,
    progress: job.state === 'open' ? (local.live?.progress ?? 0) : job.state === 'done' ? 1 : 0,
    ...(local.live?.rounds === undefined ? {} : { rounds: local.live.rounds }),
    excluded: job.state === 'done' ? local.excluded : (local.live?.excluded ?? []),
    attempt: job.state === 'done' ? job.attempt : (local.live?.attempt ?? 0),
    createdAt: job.at,
    ...(job.finishedAt === undefined ? {} : { finishedAt: job.finishedAt }),
    ...(job.resultDigest === undefined ? {} : { resultDigest: job.resultDigest }),
    ...(job.transcriptDigest === undefined ? {} : { transcriptDigest: job.transcriptDigest }),
    ...(job.failReason === undefined
      ? {}
      : {
          error: {
            code: 'MPC_ABORTED',
            message: `the job failed: ${FAILURES[job.failReason] ?? 'unknown reason'}`,
            details: { reason: FAILURES[job.failReason] ?? 'unknown' },
          },
        }),
  }
}
