import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, fromHex, toHex, utf8 } from '../../base/bytes.ts'
import { EnigmaError, hasCode } from '../../base/errors.ts'
import { randomBytes } from '../../base/random.ts'
import { turn } from '../../base/turns.ts'
import { minute, second } from '../../base/units.ts'
import { encodeParams, functionHash } from '../../circuits/functions.ts'
import type { FunctionId } from '../../circuits/types.ts'
import { isDrawn, rankNodes } from '../../committee/draw.ts'
import { bn254Scalar } from '../../field/fields.ts'
import type { FieldVector } from '../../field/types.ts'
import { computeState } from '../../ipc/compute.ts'
import type { Hex, JobProtocol } from '../../ledger/types.ts'
import { reconstructOutput } from '../../shamir-mpc/output.ts'
import { reconstructOutput as reconstructSpdz } from '../../spdz/output.ts'
import { account, logActivity, type NodeContext, wallet } from '../context.ts'
import type { JobHandle } from '../jobs.ts'
import { decodeMessage, encodeMessage, type Message, PROTOCOLS } from './messages.ts'
import { sealAad } from './pieces.ts'
import { functionOf } from './program.ts'
import type { LiveProgress } from './view.ts'

const POLL_MS = 500
const PROGRESS_TIMEOUT_MS = 3 * second
const RESULT_TIMEOUT_MS = 30 * second
const FETCH_WINDOW_MS = 3 * minute

export interface ComputeState {
  function: FunctionId
  params: Record<string, unknown>
  refs: Hex[]
  n: number
  t: number
  protocol: JobProtocol
  label?: string
  salt: Hex
  /** Names the key that the result is sealed to. */
  keyLabel: string
  deadline: number
}

export interface FollowState extends ComputeState {
  jobId: Hex
  /** The references in the order of the job's inputs. */
  sorted: Hex[]
}

export interface StoredResult {
  [key: string]: string | number | string[]
  function: string
  values: string[]
  owners: number
  nodes: number
  resultDigest: string
  /** Nodes that cheated on the way, each with the reason behind a space. */
  excluded: string[]
  /** Of audited jobs: the opened values and their masks as encoded elements, hex, to check against the transcript. */
  opening: string
}

/** The digest that goes on the ledger: over every member's sealed share, in committee order. */
export function resultDigest(committee: readonly Hex[], digests: readonly Hex[]): Hex {
  return toHex(
    keccak_256(
      concatBytes(
        utf8('enigma/result'),
        ...committee.map((id, i) => concatBytes(fromHex(id, 20), fromHex(digests[i] as Hex, 32))),
      ),
    ),
  )
}

export function newComputeState(
  input: Pick<ComputeState, 'function' | 'params' | 'refs' | 'n' | 't' | 'protocol'> & {
    label?: string | undefined
  },
  now: number,
): ComputeState {
  const { label, ...rest } = input
  const salt = toHex(randomBytes(32))
  return {
    ...rest,
    ...(label === undefined ? {} : { label }),
    salt,
    keyLabel: salt,
    deadline: Math.floor((now + 7 * 24 * 60 * minute) / 1000),
  }
}

/** The requester's side of a job, from the request on the ledger to the opened result. */
export class Requester {
  readonly live = new Map<Hex, LiveProgress>()
  readonly #context: NodeContext

  constructor(context: NodeContext) {
    this.#context = context
  }

  /** Puts the request on the ledger. Repeatable: the same state makes the same request. */
  async request(job: JobHandle<ComputeState>): Promise<Record<string, string>> {
    const { ledger, vault, jobs, events } = this.#context
    const state = job.state
    job.update('request', 0.2)
    const { jobId, refs } = await ledger.requestJob(
      account(this.#context),
      {
        functionId: functionHash(state.function),
        params: encodeParams(state.function, state.params),
        refs: state.refs,
        resultKey: wallet(this.#context).resultKey(state.keyLabel).publicKey,
        committeeSize: state.n,
        threshold: state.t,
        protocol: state.protocol,
        deadline: state.deadline,
        salt: state.salt,
      },
      { signal: job.signal },
    )
    job.commit()
    await vault.putSetting(`request/${jobId}`, {
      keyLabel: state.keyLabel,
      function: state.function,
      params: JSON.stringify(state.params),
      label: state.label ?? '',
      n: state.n,
      t: state.t,
    })
    if (jobs.find<FollowState>('result', (s) => s.jobId === jobId) === undefined) {
      jobs.start<FollowState>('result', job.title, { ...state, jobId, sorted: refs })
      await logActivity(this.#context, 'compute.requested', {
        job: jobId,
        function: state.function,
        references: refs.length,
      })
    }
    await this.#context.index.caughtUp()
    events.emit({ type: 'compute', id: jobId })
    return { job: jobId }
  }

  /** From the request on the ledger to the opened result. */
  async follow(job: JobHandle<FollowState>): Promise<Record<string, string>> {
    const { ledger, vault, index } = this.#context
    const { jobId, sorted, ...state } = job.state
    try {
      await this.#admit(job, jobId, sorted)
      const final = await this.#finish(job, jobId)
      job.update('output', 0.95)
      const result = await this.#fetchPatiently(job, jobId, final, state)
      await vault.putSetting(`result/${jobId}`, result)
      await logActivity(this.#context, 'compute.finished', { job: jobId, function: state.function })
      this.#context.events.emit({ type: 'compute', id: jobId })
      return { job: jobId }
    } catch (error) {
      if (hasCode(error, 'CANCELLED') && job.cancelled() && index.jobs.get(jobId)?.state === 'requested')
        await ledger.cancelJob(account(this.#context), jobId, { wait: 'stored' })
      throw error
    }
  }

  /** Waits for the owners' approvals, then has the ledger admit every reference. Refusals end the job. */
  async #admit(job: JobHandle<FollowState>, jobId: Hex, refs: Hex[]): Promise<void> {
    const { ledger, index, clock } = this.#context
    const me = account(this.#context)
    let known = ''
    for (;;) {
      const current = await ledger.job(jobId)
      if (current === undefined)
        throw new EnigmaError('LEDGER_REORG', `request ${jobId} is not on the ledger`)
      if (current.state === 'open' || current.state === 'done') return
      if (current.state === 'failed' || current.state === 'cancelled')
        throw new EnigmaError('MPC_ABORTED', `the request was ${current.state}`)
      const approvals = index.jobs.get(jobId)?.approvals ?? new Map<Hex, boolean>()
      const declined = [...approvals].find(([, approved]) => !approved)
      if (declined !== undefined)
        throw new EnigmaError('PERMISSION_DENIED', `an owner declined the use of ${declined[0]}`, {
          remedy: 'Ask again without this reference, or agree with its owner first.',
          details: { ref: declined[0] },
        })
      const head = await ledger.head()
      if (head.timestamp > current.deadline)
        throw new EnigmaError('TIMEOUT', 'the request expired before every owner had answered')
      const seen = `${approvals.size}`
      if (seen !== known || approvals.size === 0) {
        known = seen
        const refusals = await ledger.admissible(jobId, refs, 'latest')
        const refusal = refusals.find((r) => r !== undefined && !hasCode(r, 'APPROVAL_MISSING'))
        if (refusal !== undefined) throw refusal
        if (refusals.every((r) => r === undefined)) {
          job.commit()
          job.update('admit', 0.35)
          await ledger.admit(me, jobId, refs)
          return
        }
        const missing = refusals.filter((r) => r !== undefined).length
        job.update('approvals', 0.1 + (0.2 * (refs.length - missing)) / refs.length)
      }
      await clock.sleep(POLL_MS, job.signal)
    }
  }

  /** Follows the committee until the ledger says that the job is done. */
  async #finish(job: JobHandle<FollowState>, jobId: Hex): Promise<Hex> {
    const { ledger, clock, events } = this.#context
    for (;;) {
      const current = await ledger.job(jobId)
      if (current === undefined)
        throw new EnigmaError('LEDGER_REORG', `request ${jobId} is not on the ledger`)
      if (current.state === 'done') return current.resultDigest
      if (current.state === 'failed')
        throw new EnigmaError('MPC_ABORTED', 'the committee could not finish the job', {
          remedy: 'No result was revealed. Request the computation again.',
          details: { reason: current.failReason },
        })
      if ((await ledger.head()).timestamp > current.deadline)
        throw new EnigmaError('TIMEOUT', 'the job was not finished before its deadline')
      const live = await this.#progress(jobId)
      if (live !== undefined) {
        this.live.set(jobId, live)
        const base: Record<string, number> = {
          committee: 0.4,
          inputs: 0.5,
          preparing: 0.55,
          computing: 0.7,
          output: 0.9,
          done: 0.93,
        }
        const at = base[live.state] ?? 0.4
        job.update(live.state, Math.min(0.94, at + 0.2 * live.progress))
        events.emit({ type: 'compute', id: jobId })
      }
      await clock.sleep(POLL_MS, job.signal)
    }
  }

  async #progress(jobId: Hex): Promise<LiveProgress | undefined> {
    const { transport, index } = this.#context
    const known = this.live.get(jobId)?.committee ?? []
    const peers = known.length > 0 ? known : transport.connectedPeers()
    const convicted = index.jobs.get(jobId)?.convicted
    const answers = await Promise.allSettled(
      peers
        .filter((peer) => peer !== transport.self && convicted?.has(peer) !== true)
        .map(async (peer) => {
          const answer = await transport.request(peer, PROTOCOLS.progress, encodeMessage('job', { jobId }), {
            timeoutMs: PROGRESS_TIMEOUT_MS,
          })
          return decodeMessage('progress', answer)
        }),
    )
    const latest = answers
      .filter((a): a is PromiseFulfilledResult<Message<'progress'>> => a.status === 'fulfilled')
      .map((a) => a.value)
      // The member that is furthest tells.
      .sort(
        (a, b) =>
          b.attempt - a.attempt ||
          computeState.options.indexOf(b.state) - computeState.options.indexOf(a.state) ||
          b.progress - a.progress,
      )[0]
    if (latest === undefined) {
      const last = this.live.get(jobId)
      // Next time all are asked: the job may have another committee.
      if (last !== undefined) this.live.set(jobId, { ...last, committee: [] })
      return undefined
    }
    return {
      state: latest.state === 'done' ? 'output' : latest.state,
      progress: latest.progress,
      ...(latest.total === 0 ? {} : { rounds: { done: latest.done, total: latest.total } }),
      committee: latest.committee,
      attempt: latest.attempt,
      excluded: latest.excluded,
    }
  }

  /** Members learn of the final block a little apart, and one that restarts comes back: asks until enough answer. */
  async #fetchPatiently(
    job: JobHandle<FollowState>,
    jobId: Hex,
    final: Hex,
    state: Pick<ComputeState, 'function' | 'params' | 't' | 'keyLabel'>,
  ): Promise<StoredResult> {
    const { clock } = this.#context
    const until = clock.now() + FETCH_WINDOW_MS
    for (;;) {
      try {
        return await this.#fetch(jobId, final, state)
      } catch (error) {
        if (!hasCode(error, 'MPC_PARTY_LOST') || clock.now() > until) throw error
      }
      await clock.sleep(POLL_MS, job.signal)
    }
  }

  /** Collects the sealed shares, checks them against the ledger's digest, opens and reconstructs. */
  async #fetch(
    jobId: Hex,
    final: Hex,
    state: Pick<ComputeState, 'function' | 'params' | 't' | 'keyLabel'>,
  ): Promise<StoredResult> {
    const { ledger, transport, index } = this.#context
    const key = wallet(this.#context).resultKey(state.keyLabel)
    const answers = await Promise.allSettled(
      (await this.#context.registry.candidates()).map(async ({ id }) => {
        const answer =
          id === transport.self
            ? await this.#context.localRequest(PROTOCOLS.result, encodeMessage('job', { jobId }))
            : await transport.request(id, PROTOCOLS.result, encodeMessage('job', { jobId }), {
                timeoutMs: RESULT_TIMEOUT_MS,
              })
        return { from: id, ...decodeMessage('result', answer) }
      }),
    )
    const record = await ledger.job(jobId)
    const seed = await ledger.seed(jobId)
    if (record === undefined || seed === undefined)
      throw new EnigmaError('LEDGER_REORG', `request ${jobId} is not on the ledger`)
    const candidates = await this.#context.registry.candidates()
    const ranking = rankNodes(
      seed,
      candidates.map((c) => c.id),
    )
    const shares = new Map<number, Uint8Array>()
    let nodes = 0
    let excluded: string[] = []
    for (const answer of answers) {
      if (answer.status === 'rejected') continue
      const { from, attempt, index: at, sealed, committee, digests } = answer.value
      // Whoever answers, only what the ledger's digest covers counts.
      if (committee[at] !== from || digests.length !== committee.length) continue
      if (resultDigest(committee, digests) !== final) continue
      // Any serving nodes can post a result; only those that were drawn make it this job's.
      if (!isDrawn(ranking, committee, record.committeeSize)) continue
      if (toHex(keccak_256(sealed)) !== digests[at]) continue
      await turn()
      shares.set(at, key.open(sealed, sealAad(jobId, attempt, at)))
      nodes = committee.length
      if (committee[0] === from)
        excluded = answer.value.excluded.map(({ node, reason }) => `${node} ${reason}`)
    }
    if (shares.size < state.t + 1)
      throw new EnigmaError(
        'MPC_PARTY_LOST',
        `only ${shares.size} of ${state.t + 1} needed output shares are there`,
        {
          remedy: 'The nodes that computed the result are not reachable; try again when they are back.',
        },
      )
    const fn = functionOf(functionHash(state.function))
    const refs = (await ledger.jobInputs(jobId)).refs
    const shapes = (await ledger.references(refs)).map((r) => r?.length ?? 0)
    const parts = [...shares].map(([at, bytes]) => ({ index: at, values: bn254Scalar.fromBytes(bytes) }))
    const { opened, opening } = await open(record.protocol, parts, state.t)
    const decoded = fn.decode(
      bn254Scalar.toBigints(opened),
      bn254Scalar.modulus,
      fn.parseParams(state.params),
      shapes,
    )
    const owners = new Set(refs.map((ref) => index.references.get(ref)?.owner)).size
    return {
      function: state.function,
      values: decoded.map((v) => v.decimal),
      owners,
      nodes,
      resultDigest: final,
      excluded,
      opening,
    }
  }
}

/** The result from the members' parts; of an audited job also its opening. Throws MPC_ABORTED. */
async function open(
  protocol: JobProtocol,
  parts: readonly { index: number; values: FieldVector }[],
  t: number,
): Promise<{ opened: FieldVector; opening: string }> {
  if (protocol === 'honest-majority')
    return { opened: (await reconstructOutput(bn254Scalar, [...parts], t)).values, opening: '' }
  if (protocol === 'spdz')
    return {
      opened: reconstructSpdz(
        bn254Scalar,
        parts.map((part) => part.values),
      ),
      opening: '',
    }
  // 2·length + 3 elements as without audit, then as many masks as there are values.
  const length = Math.floor(((parts[0]?.values.length ?? 0) - 3) / 3)
  const at = 2 * length + 3
  const opened = reconstructSpdz(
    bn254Scalar,
    parts.map(({ values }) => bn254Scalar.slice(values, 0, at)),
  )
  const masks = bn254Scalar.linear(
    parts.map(() => 1n),
    parts.map(({ values }) => bn254Scalar.slice(values, at, values.length)),
  )
  const both = bn254Scalar.concat([opened, masks])
  return { opened, opening: toHex(bn254Scalar.toBytes(both)) }
}
