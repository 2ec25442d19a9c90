import { keccak_256 } from '@noble/hashes/sha3.js'
import { encode } from 'cborg'
import { fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { isDrawn, rankNodes } from '../../committee/draw.ts'
import type { Hex, JobRecord, ReferenceRecord } from '../../ledger/types.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import type { Message } from './messages.ts'
import { type Source, unpackSources } from './sources.ts'

export const NO_DIGEST: Hex = `0x${'00'.repeat(32)}`

/** Who computes an open job, as the ledger says; read by every node for itself. */
export interface JobDraw {
  job: JobRecord
  ranking: NodeId[]
  /** Nodes that the ledger has convicted of cheating in this job. */
  convicted: ReadonlySet<NodeId>
}

/** The same with its inputs, in their order. */
export interface JobFacts extends JobDraw {
  refs: Hex[]
  params: Uint8Array
  references: ReferenceRecord[]
}

/** Reads an open job from this node's own chain client, but for its inputs. PERMISSION_DENIED unless it is open. */
export async function readDraw(context: NodeContext, jobId: Hex): Promise<JobDraw> {
  const { ledger } = context
  const job = await ledger.job(jobId)
  if (job === undefined || job.state !== 'open')
    throw new EnigmaError('PERMISSION_DENIED', `job ${jobId} is not open on the ledger`, {
      details: { state: job?.state ?? 'none' },
    })
  const seed = await ledger.seed(jobId)
  if (seed === undefined) throw new EnigmaError('PERMISSION_DENIED', `job ${jobId} has no committee yet`)
  const candidates = await context.registry.candidates()
  const ranking = rankNodes(
    seed,
    candidates.map((c) => c.id),
  )
  const convicted = new Set(context.index.jobs.get(jobId)?.convicted.keys())
  return { job, ranking, convicted }
}

/** Reads under way: a node that leads a job, computes it and holds its inputs needs the same at the same time. */
const reading = new WeakMap<NodeContext, Map<Hex, Promise<JobFacts>>>()

/** Reads an open job from this node's own chain client. PERMISSION_DENIED unless it is open. */
export function readJob(context: NodeContext, jobId: Hex): Promise<JobFacts> {
  const jobs = reading.get(context) ?? new Map<Hex, Promise<JobFacts>>()
  reading.set(context, jobs)
  const read = jobs.get(jobId) ?? readAnew(context, jobId).finally(() => jobs.delete(jobId))
  jobs.set(jobId, read)
  return read
}

async function readAnew(context: NodeContext, jobId: Hex): Promise<JobFacts> {
  const { ledger } = context
  const draw = await readDraw(context, jobId)
  const { refs, params } = await ledger.jobInputs(jobId)
  const references = await ledger.references(refs)
  const known = references.filter((r): r is ReferenceRecord => r !== undefined && r.kind === 'share')
  if (known.length !== refs.length)
    throw new EnigmaError('PERMISSION_DENIED', 'a reference of the job is not on the ledger')
  return { ...draw, refs, params: params ?? new Uint8Array(), references: known }
}

/** The checks on a coordinator's plan that members and holders share; gives its sources. Throws PERMISSION_DENIED. */
export async function checkPlan(
  facts: JobFacts,
  from: NodeId,
  plan: Pick<Message<'plan'>, 'committee' | 'sources'>,
): Promise<Source[]> {
  const refuse = (why: string) => new EnigmaError('PERMISSION_DENIED', `plan refused: ${why}`)
  if (plan.committee[0] !== from) throw refuse('the sender does not lead this committee')
  if (facts.convicted.has(from)) throw refuse('the sender was convicted of cheating in this job')
  if (!isDrawn(facts.ranking, plan.committee, facts.job.committeeSize))
    throw refuse('the draw does not give this committee')
  return unpackSources(plan.sources, facts.references)
}

/** Names one attempt: the same coordinator never uses a number twice. */
export function attemptKey(jobId: Hex, attempt: number, coordinator: NodeId): string {
  return `${jobId}/${attempt}/${coordinator}`
}

/** What all members of an attempt agree on, beside what the ledger says; goes on the ledger with the result. */
export function transcriptDigest(
  plan: Pick<Message<'plan'>, 'jobId' | 'attempt' | 'committee' | 'sources'>,
  pieces: readonly { holder: NodeId; commitments: Hex }[],
): Hex {
  const ordered = [...pieces].sort((a, b) => (a.holder < b.holder ? -1 : 1))
  return toHex(
    keccak_256(
      encode([
        fromHex(plan.jobId),
        plan.attempt,
        plan.committee.map((id) => fromHex(id)),
        [plan.sources.nodes, plan.sources.helpers],
        ordered.map((p) => [fromHex(p.holder), fromHex(p.commitments)]),
      ]),
    ),
  )
}
