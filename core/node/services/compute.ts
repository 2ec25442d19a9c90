import { writeFile } from 'node:fs/promises'
import { fromHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { turn } from '../../base/turns.ts'
import { FUNCTIONS, functionByHash, functionHash } from '../../circuits/functions.ts'
import type { BuiltinFunction, FunctionId } from '../../circuits/types.ts'
import type { Approval, ComputeJob, ComputeProtocol, Reference, ShareInfo } from '../../ipc/index.ts'
import type { Hex, ReferenceRecord } from '../../ledger/types.ts'
import { auditJob } from '../compute/audit.ts'
import { opensInThread } from '../compute/audit-threads.ts'
import {
  type ComputeState,
  type FollowState,
  newComputeState,
  type Requester,
  type StoredResult,
} from '../compute/requester.ts'
import { fetchTranscript } from '../compute/transcripts.ts'
import { describeJob, parseParams } from '../compute/view.ts'
import { account, confirmed, type Handlers, logActivity, type NodeContext } from '../context.ts'
import type { IndexedJob } from '../ledger-index.ts'
import { conditions } from '../predicate-form.ts'
import { allShares } from '../share-entry.ts'
import { rulesOf } from './predicate.ts'
import { requireLocal } from './vault.ts'

/** Without a wish of the requester. */
const DEFAULT_SIZE = 3
/** Preprocessing works in pairs, so its cost grows with the square of the committee. */
const MAX_SPDZ_SIZE = 5

/** Size and threshold of a committee. Throws MPC_COMMITTEE_TOO_SMALL, INVALID_ARGUMENT. */
function committeeOf(protocol: ComputeProtocol, n = DEFAULT_SIZE, t?: number): { n: number; t: number } {
  if (protocol !== 'honest-majority') {
    if (n > MAX_SPDZ_SIZE)
      throw new EnigmaError('INVALID_ARGUMENT', `n: SPDZ takes 2 to ${MAX_SPDZ_SIZE} nodes, not ${n}`)
    if (t !== undefined && t !== n - 1)
      throw new EnigmaError('INVALID_ARGUMENT', `t: SPDZ withstands n − 1 = ${n - 1} nodes; leave t out`)
    return { n, t: n - 1 }
  }
  const threshold = t ?? Math.floor((n - 1) / 2)
  if (n < 3 || n < 2 * threshold + 1)
    throw new EnigmaError('MPC_COMMITTEE_TOO_SMALL', `n: ${n} nodes cannot keep t = ${threshold}`, {
      remedy: 'Choose n of at least 2t + 1 and at least 3, or the protocol spdz.',
    })
  return { n, t: threshold }
}

/** References in the order in which the ledger keeps a job's inputs: by owner, then by reference. */
function inJobOrder(records: readonly ReferenceRecord[]): ReferenceRecord[] {
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return [...records].sort((a, b) => compare(a.owner, b.owner) || compare(a.ref, b.ref))
}

/** Parameters that name a reference, by its position among the inputs. Throws CIRCUIT_INPUT. */
function withPositions(
  fn: Pick<BuiltinFunction, 'fields'>,
  params: Record<string, unknown>,
  ordered: readonly ReferenceRecord[],
): Record<string, unknown> {
  const named = { ...params }
  for (const { name, kind } of fn.fields) {
    if (kind !== 'reference' || typeof named[name] !== 'string') continue
    const position = ordered.findIndex(({ ref }) => ref === named[name])
    if (position < 0)
      throw new EnigmaError('CIRCUIT_INPUT', `${name}: is not among the references of the request`)
    named[name] = position
  }
  return named
}

interface DecideState {
  jobId: Hex
  refs: Hex[]
  approve: boolean
}

interface StoredRequest {
  keyLabel: string
  function: string
  /** JSON, as the person asked. */
  params: string
  label: string
  n: number
  t: number
}

export function computeHandlers(context: NodeContext, requester: Requester): Handlers {
  const { ledger, index, jobs, vault, events } = context

  jobs.register<ComputeState>('compute', (job) => requester.request(job))
  jobs.register<FollowState>('result', (job) => requester.follow(job))
  jobs.register<DecideState>('decide', async (job) => {
    const { jobId, refs, approve } = job.state
    job.commit()
    job.update('ledger', 0.3)
    const me = account(context)
    await (approve ? ledger.approve(me, jobId, refs) : ledger.decline(me, jobId, refs))
    await logActivity(context, approve ? 'compute.approved' : 'compute.declined', {
      job: jobId,
      references: refs.length,
    })
    events.emit({ type: 'approvals' })
    return { job: jobId, decision: approve ? 'approved' : 'declined' }
  })

  const view = async (job: IndexedJob): Promise<ComputeJob> => {
    const me = account(context).address
    const stored = (await vault.getSetting(`request/${job.jobId}`)) as unknown as StoredRequest | undefined
    const result = (await vault.getSetting(`result/${job.jobId}`)) as StoredResult | undefined
    return describeJob(context, job, me, {
      ...(stored === undefined || stored.label === '' ? {} : { label: stored.label }),
      ...(stored === undefined ? {} : { threshold: stored.t }),
      live: requester.live.get(job.jobId),
      fetched: result !== undefined,
      excluded: (result?.excluded ?? []).map((text) => {
        const [node, reason] = text.split(' ') as [Hex, string]
        return { node, reason }
      }),
    })
  }

  const mine = (job: IndexedJob) => {
    const me = account(context).address
    return job.refs.filter((ref) => index.references.get(ref)?.owner === me)
  }

  /** My references as approvals show them, read all at once. */
  const shown = async (refs: readonly Hex[]): Promise<Map<Hex, Approval['references'][number]>> => {
    const shares = await sharesByRef(context)
    const rules = rulesOf(context)
    const records = await ledger.references([...refs], 'latest').catch(() => [])
    const references = new Map<Hex, Approval['references'][number]>()
    for (const [i, ref] of refs.entries()) {
      await turn()
      const share = shares.get(ref)
      const left = usesLeft(records[i], rules)
      references.set(ref, {
        ref,
        ...(share === undefined ? {} : { recordId: share.recordId }),
        title: share?.title ?? '',
        ...(left === undefined ? {} : { usesLeft: left }),
      })
    }
    return references
  }

  const approvalOf = async (
    job: IndexedJob,
    refs: readonly Hex[],
    known: Awaited<ReturnType<typeof shown>>,
  ): Promise<Approval> => {
    const answers = refs.map((ref) => job.approvals.get(ref))
    const references = refs.flatMap((ref) => known.get(ref) ?? [])
    const fn = functionByHash(job.functionId)
    const record = await ledger.job(job.jobId, 'latest').catch(() => undefined)
    return {
      id: job.jobId,
      requester: job.requester,
      function: fn?.id ?? 'unknown',
      codeHash: job.functionId,
      params: parseParams(job.params),
      references,
      owners: new Set(job.refs.map((ref) => index.references.get(ref)?.owner)).size,
      reveals: fn === undefined ? 'unknown' : fn.disclosure(fn.parseParams(parseParams(job.params))),
      committeeSize: record?.committeeSize ?? 0,
      protocol: job.protocol,
      requestedAt: job.at,
      state: answers.some((a) => a === false)
        ? 'declined'
        : answers.every((a) => a === true)
          ? 'approved'
          : job.state === 'requested'
            ? 'waiting'
            : 'closed',
    }
  }

  const jobOf = (id: string): IndexedJob => {
    const job = index.jobs.get(id as Hex)
    if (job === undefined)
      throw new EnigmaError('NOT_FOUND', `id: no computation ${id} on the ledger`, {
        remedy: 'It may not be confirmed yet; try again in a moment.',
      })
    return job
  }

  return {
    'compute.functions': async () => ({
      functions: (Object.keys(FUNCTIONS) as FunctionId[]).map((id) => ({
        id,
        codeHash: functionHash(id),
        reveals: FUNCTIONS[id].revealsKey,
        input: FUNCTIONS[id].input,
        params: FUNCTIONS[id].fields.map(({ choices, ...param }) => ({
          ...param,
          ...(choices === undefined ? {} : { choices: [...choices] }),
        })),
      })),
    }),
    'compute.references': async ({ identity, owner, includeRevoked }) => {
      const me = account(context).address
      const shares = await sharesByRef(context)
      const found = [...index.references.values()].filter(
        (r) =>
          r.kind === 'share' &&
          (identity === undefined || r.identity === identity) &&
          (owner === undefined || r.owner === owner) &&
          (includeRevoked === true || !r.revoked),
      )
      const records = await ledger.references(found.map((r) => r.ref))
      const rules = rulesOf(context)
      const references: Reference[] = []
      for (const [i, r] of found.entries()) {
        await turn()
        const predicateId = records[i]?.computePredicate ?? `0x${'00'.repeat(32)}`
        const rule = rules(predicateId)
        const title = shares.get(r.ref)?.title
        references.push({
          ref: r.ref,
          owner: r.owner,
          identity: r.identity,
          predicateId,
          ...(rule === undefined ? {} : { predicate: rule }),
          length: r.length,
          state: r.revoked ? 'revoked' : 'active',
          createdAt: r.at,
          mine: r.owner === me,
          ...(title === undefined ? {} : { title }),
        })
      }
      return { references }
    },
    'compute.request': async (
      { function: id, params, refs, protocol = 'honest-majority', n, t, label },
      call,
    ) => {
      account(context)
      const fn = FUNCTIONS[id]
      const unique = [...new Set(refs as Hex[])]
      const records = await ledger.references(unique)
      const missing = unique.find((_, i) => records[i] === undefined)
      if (missing !== undefined) throw new EnigmaError('NOT_FOUND', `refs: ${missing} is not on the ledger`)
      const revoked = records.find((r) => r?.state !== 'active')
      if (revoked !== undefined)
        throw new EnigmaError('PERMISSION_DENIED', `refs: ${revoked.ref} was revoked by its owner`)
      const ordered = inJobOrder(records.filter((r) => r !== undefined))
      const named = withPositions(fn, params ?? {}, ordered)
      const parsed = fn.parseParams(named)
      ;(fn as { checkShapes(p: unknown, s: readonly number[]): void }).checkShapes(
        parsed,
        ordered.map((r) => r.length),
      )
      const committee = committeeOf(protocol, n, t)
      const available = (await context.registry.candidates()).length
      if (available < committee.n)
        throw new EnigmaError('MPC_COMMITTEE_TOO_SMALL', `n: the network has ${available} serving nodes`, {
          remedy: 'Choose a smaller committee, or wait for more nodes.',
        })
      await confirmed(call, {
        kind: 'spend',
        method: 'compute.request',
        facts: { function: id, references: String(unique.length), committee: String(committee.n), protocol },
      })
      const state = newComputeState(
        {
          function: id,
          params: named,
          refs: unique,
          ...committee,
          protocol,
          label,
        },
        context.clock.now(),
      )
      return { jobId: jobs.start<ComputeState>('compute', label ?? id, state) }
    },
    'compute.list': async () => {
      const me = account(context).address
      const described: ComputeJob[] = []
      for (const job of [...index.jobs.values()]) {
        await turn()
        if (
          job.requester === me ||
          mine(job).length > 0 ||
          job.signers.includes(context.nodeKey.address) ||
          requester.live.has(job.jobId)
        )
          described.push(await view(job))
      }
      return { jobs: described.sort((a, b) => b.createdAt - a.createdAt) }
    },
    'compute.get': async ({ id }) => ({ job: await view(jobOf(id)) }),
    'compute.result': async ({ id }) => {
      const stored = (await vault.getSetting(`result/${id}`)) as StoredResult | undefined
      if (stored === undefined) {
        const job = jobOf(id)
        throw new EnigmaError('NOT_FOUND', `id: no result of ${id} here (state: ${job.state})`, {
          remedy: 'Only the account that requested a computation receives its result.',
        })
      }
      const { excluded: _, opening: __, ...shown } = stored
      const request = (await vault.getSetting(`request/${id}`)) as unknown as StoredRequest | undefined
      if (request?.function !== 'histogram') return { id, ...shown }
      const { edges } = FUNCTIONS.histogram.parseParams(JSON.parse(request.params))
      return { id, ...shown, edges }
    },
    'compute.transcript': async ({ id, path }, call) => {
      requireLocal(call, 'path')
      const encoded = await fetchTranscript(context, id as Hex)
      await writeFile(path, encoded, { flag: 'wx' }).catch((cause) => {
        throw new EnigmaError('INVALID_ARGUMENT', `path: ${path} cannot be written`, {
          cause,
          remedy: 'Choose a file that does not exist yet.',
        })
      })
      return { path, bytes: encoded.length }
    },
    'compute.audit': async ({ id }) => {
      const since = performance.now()
      const encoded = await fetchTranscript(context, id as Hex)
      const verdict = await auditJob(ledger, id as Hex, encoded)
      const stored = (await vault.getSetting(`result/${id}`)) as StoredResult | undefined
      return {
        id,
        parties: [...verdict.committee],
        bytes: encoded.length,
        seconds: (performance.now() - since) / 1000,
        valid: verdict.valid,
        ...(verdict.valid
          ? stored?.opening
            ? { mine: await opensInThread(verdict, fromHex(stored.opening)) }
            : {}
          : {
              fault: verdict.fault,
              reason: verdict.reason,
              ...(verdict.culprit === undefined ? {} : { culprit: verdict.culprit }),
              evidence: verdict.evidence !== undefined,
            }),
      }
    },
    'compute.cancel': async ({ id }) => {
      const running = jobs.find<FollowState>('result', (state) => state.jobId === id)
      if (running === undefined) throw new EnigmaError('NOT_FOUND', `id: no request ${id} of this vault`)
      jobs.cancel(running)
      return { jobId: running }
    },
    'approvals.list': async () => {
      const asked: { job: IndexedJob; refs: Hex[] }[] = []
      for (const job of [...index.jobs.values()]) {
        await turn()
        const refs = mine(job)
        if (refs.length > 0) asked.push({ job, refs })
      }
      const known = await shown([...new Set(asked.flatMap(({ refs }) => refs))])
      const described: Approval[] = []
      for (const { job, refs } of asked) {
        await turn()
        described.push(await approvalOf(job, refs, known))
      }
      return { approvals: described.sort((a, b) => b.requestedAt - a.requestedAt) }
    },
    'approvals.decide': async ({ id, decision }, call) => {
      const job = jobOf(id)
      const all = mine(job)
      const refs = all.filter((ref) => !job.approvals.has(ref))
      if (refs.length === 0)
        throw new EnigmaError('INVALID_ARGUMENT', `id: nothing in ${id} waits for your decision`)
      const approval = await approvalOf(job, all, await shown(all))
      await confirmed(call, {
        kind: 'approve',
        method: 'approvals.decide',
        facts: {
          decision,
          requester: job.requester,
          function: approval.function,
          codeHash: job.functionId,
          owners: String(approval.owners),
          data: approval.references.map((r) => r.title || r.ref).join(', '),
          reveals: approval.reveals,
          committeeSize: String(approval.committeeSize),
          protocol: approval.protocol,
        },
      })
      const jobId = jobs.start<DecideState>('decide', approval.function, {
        jobId: job.jobId,
        refs,
        approve: decision === 'approve',
      })
      return { jobId }
    },
  }
}

/** The shares in the vault, by reference. */
async function sharesByRef(context: NodeContext): Promise<Map<string, ShareInfo>> {
  return new Map((await allShares(context)).map((share) => [share.ref, share]))
}

/** Admissions that a reference's rule still allows; undefined when it sets no limit, or the ledger did not tell. */
export function usesLeft(
  record: ReferenceRecord | undefined,
  rules: ReturnType<typeof rulesOf>,
): number | undefined {
  const rule = record && rules(record.computePredicate)
  if (record === undefined || rule === undefined) return undefined
  const limits = conditions(rule).flatMap((c) => (c.kind === 'uses' ? [c.count] : []))
  return limits.length === 0 ? undefined : Math.max(0, Math.min(...limits) - record.uses)
}
