import { keccak_256 } from '@noble/hashes/sha3.js'
import { decode, encode } from 'cborg'
import type { CheatEvidence, RoundView } from '../../audit/types.ts'
import { fromHex, toHex } from '../../base/bytes.ts'
import { withTimeout } from '../../base/clock.ts'
import { EnigmaError } from '../../base/errors.ts'
import { minute, second } from '../../base/units.ts'
import type { Hex } from '../../ledger/types.ts'
import { PartyChannel } from '../../preprocessing/channel.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import { attemptKey, checkPlan, type JobFacts, NO_DIGEST, readJob, transcriptDigest } from './attempt.ts'
import { accusation } from './audit.ts'
import { decodeMessage, encodeMessage, type Message, PROTOCOLS } from './messages.ts'
import type { AttemptOrder, Failed } from './party-service.ts'
import type { AttemptListener, PartyThread } from './party-thread.ts'
import { agreeOnPieces, type Signed } from './pieces.ts'
import { packReferences } from './references.ts'
import { resultDigest } from './requester.ts'
import { holdersOf, packSources } from './sources.ts'
import type { Witness } from './witness.ts'

const OUTPUTS = 'outputs'
const NO_SOURCES = packSources([])
const PLAN_WAIT_MS = 30 * second
/** Longest silence of one party within a round: after it the attempt ends and names the party. */
const ROUND_TIMEOUT_MS = 15 * second
/** Members check their pieces before they compare what they have: longest wait for one. */
const AGREE_TIMEOUT_MS = 2 * minute
/** For the pieces of all helpers: a base, and time for big vectors. */
const PIECES_BASE_MS = 30 * second
const PIECES_PER_VALUE_MS = 1
/** Attempts that end without a result before this node agrees that a job has failed. */
export const MAX_ATTEMPTS = 4

interface Attempt {
  plan: Message<'plan'>
  facts: JobFacts
  /** Holders that pieces are expected of, and those whose have come. */
  holders: number
  arrived: number
  abort: AbortController
  state: Message<'progress'>['state']
  done: number
  total: number
  /** The answer to the coordinator. */
  answer: PromiseWithResolvers<Uint8Array>
  sealed?: Uint8Array
  transcript?: Hex
  /** Of an audited job, encoded. */
  publicTranscript?: Uint8Array
  /** Names an audited run beside the job. */
  nonce?: Hex
  ended: boolean
}

/** What the thread needs of the facts. */
async function orderedFacts({ job, params, references }: JobFacts): Promise<AttemptOrder['facts']> {
  return { job, params, references: await packReferences(references) }
}

function keyOf(plan: Message<'plan'>): string {
  return attemptKey(plan.jobId, plan.attempt, plan.committee[0] as NodeId)
}

/** A stored output share: durable before its signature leaves this node. */
interface StoredOutput {
  attempt: number
  index: number
  sealed: Uint8Array
  committee: Uint8Array[]
  digests: Uint8Array[]
  resultDigest: Uint8Array
  excluded: Message<'plan'>['excluded']
}

/** The committee member's side of a job: gathers verified pieces, runs the program, seals its output share. */
export class Member {
  readonly #context: NodeContext
  readonly #party: PartyThread
  readonly #witness: Witness
  readonly #attempts = new Map<string, Attempt>()
  /** Attempts whose plan is being checked. */
  readonly #starting = new Map<string, AbortController>()
  readonly #waiting = new Map<string, ((attempt: Attempt) => void)[]>()
  /** Attempts at a job that ended without a result, by their keys. */
  readonly #failures = new Map<Hex, Set<string>>()
  /** Attempts that this node leads, by job: before their members have begun and after they have ended, only it can tell. */
  readonly leading = new Map<Hex, Pick<Message<'progress'>, 'state' | 'attempt' | 'committee' | 'excluded'>>()
  computations = 0

  constructor(context: NodeContext, party: PartyThread, witness: Witness) {
    this.#context = context
    this.#party = party
    this.#witness = witness
    context.index.onEvent((event) => {
      if (event.name === 'JobDone' || event.name === 'JobFailed' || event.name === 'JobCancelled')
        this.#forget(event.jobId)
    })
    context.serve(PROTOCOLS.ready, async () => {
      if (!context.serving()) throw new EnigmaError('NOT_RUNNING', 'this node is paused')
      return encodeMessage('empty', {})
    })
    context.serve(PROTOCOLS.run, (from, payload) => this.#run(from, decodeMessage('plan', payload)))
    context.serve(PROTOCOLS.rejoin, (from, payload) => this.#rejoin(from, decodeMessage('abort', payload)))
    context.serve(PROTOCOLS.piece, (from, payload) => this.#piece(from, payload))
    context.serve(PROTOCOLS.sign, (from, payload) => this.#sign(from, decodeMessage('sign', payload)))
    context.serve(PROTOCOLS.abort, (from, payload) => this.#abort(from, decodeMessage('abort', payload)))
    context.serve(PROTOCOLS.fail, (_from, payload) => this.#fail(decodeMessage('job', payload).jobId))
    context.serve(PROTOCOLS.progress, async (_from, payload) =>
      this.#progress(decodeMessage('job', payload).jobId),
    )
    context.serve(PROTOCOLS.result, async (_from, payload) =>
      this.#result(decodeMessage('job', payload).jobId),
    )
  }

  /** The public transcript of an audited attempt that this node led. */
  publicTranscript(jobId: Hex, attempt: number): Uint8Array | undefined {
    return this.#led(jobId, attempt)?.publicTranscript
  }

  /** Whether this node has signed something in an audited attempt that it led. */
  signed(jobId: Hex, attempt: number): boolean {
    const nonce = this.#led(jobId, attempt)?.nonce
    return nonce !== undefined && this.#witness.has({ jobId, nonce })
  }

  /** Why the members of an audited attempt that this node led have different transcripts; `error` if they do not say. */
  async compare(jobId: Hex, attempt: number, error: EnigmaError): Promise<unknown> {
    const led = this.#led(jobId, attempt)
    if (led?.nonce === undefined) return error
    return this.#witness.examine({ jobId, nonce: led.nonce }, led.plan.committee, error)
  }

  #led(jobId: Hex, attempt: number): Attempt | undefined {
    return this.#attempts.get(attemptKey(jobId, attempt, this.#context.transport.self))
  }

  /** Whether the members of a job compute without each other. Throws UNSUPPORTED, CIRCUIT_INPUT. */
  async alone(facts: JobFacts): Promise<boolean> {
    if (facts.job.protocol !== 'honest-majority') return false
    return this.#party.service.linear(await orderedFacts(facts))
  }

  /** Whether an attempt runs here. */
  busy(): boolean {
    return [...this.#attempts.values()].some((a) => !a.ended)
  }

  /** The newest attempt this node takes part in. */
  latest(jobId: Hex): { attempt: number; ended: boolean } | undefined {
    const all = [...this.#attempts.values()].filter((a) => a.plan.jobId === jobId)
    const newest = all.sort((a, b) => b.plan.attempt - a.plan.attempt)[0]
    return newest && { attempt: newest.plan.attempt, ended: newest.ended }
  }

  stop(): void {
    for (const attempt of this.#attempts.values()) attempt.abort.abort()
  }

  async #run(from: NodeId, plan: Message<'plan'>): Promise<Uint8Array> {
    const key = attemptKey(plan.jobId, plan.attempt, from)
    if (this.#attempts.has(key) || this.#starting.has(key))
      throw new EnigmaError('INVALID_ARGUMENT', 'this attempt runs already')
    const { attempt, facts } = await this.#begin(from, plan, key)
    try {
      const opened = this.#party.open({ id: key, plan, facts }, this.#listener(attempt), attempt.abort.signal)
      for (const resolve of this.#waiting.get(key) ?? []) resolve(attempt)
      this.#waiting.delete(key)
      await opened
      const ran = await this.#compute(attempt)
      attempt.answer.resolve(ran)
      return ran
    } catch (error) {
      attempt.answer.reject(error)
      this.failed(plan.jobId, plan.attempt, from)
      this.#context.log.info('attempt ended', {
        job: plan.jobId,
        attempt: plan.attempt,
        code: EnigmaError.from(error).code,
        reason: EnigmaError.from(error).message,
      })
      throw error
    } finally {
      attempt.ended = true
      await this.#party.close(key).catch(() => undefined)
      this.#reduce(attempt)
    }
  }

  /** Checks a plan. An attempt that is given up meanwhile does not begin. */
  async #begin(
    from: NodeId,
    plan: Message<'plan'>,
    key: string,
  ): Promise<{ attempt: Attempt; facts: AttemptOrder['facts'] }> {
    const { transport } = this.#context
    const abort = new AbortController()
    this.#starting.set(key, abort)
    try {
      const facts = await readJob(this.#context, plan.jobId)
      const sources = await checkPlan(facts, from, plan)
      if (!plan.committee.includes(transport.self))
        throw new EnigmaError('PERMISSION_DENIED', 'plan refused: this node is not in the committee')
      const ordered = await orderedFacts(facts)
      if (abort.signal.aborted) throw new EnigmaError('CANCELLED', 'the attempt was aborted')
      const answer = Promise.withResolvers<Uint8Array>()
      answer.promise.catch(() => undefined)
      const attempt: Attempt = {
        ...{ answer, plan, facts, abort },
        ...{ holders: holdersOf(sources).size, arrived: 0 },
        ...{ state: 'inputs', done: 0, total: 0 },
        ended: false,
      }
      this.#attempts.set(key, attempt)
      return { attempt, facts: ordered }
    } finally {
      this.#starting.delete(key)
    }
  }

  /** What ended is kept for its number and its result while the job is open, without what others have made it hold. */
  #reduce(attempt: Attempt): void {
    const { transport, index } = this.#context
    const { plan, facts } = attempt
    const { jobId, committee } = plan
    attempt.plan = { ...plan, sources: NO_SOURCES }
    attempt.facts = { ...facts, refs: [], references: [], params: new Uint8Array() }
    // Its leader publishes it.
    if (committee[0] !== transport.self) delete attempt.publicTranscript
    const state = index.jobs.get(jobId)?.state
    if (state === 'done' || state === 'failed' || state === 'cancelled') this.#forget(jobId)
  }

  #forget(jobId: Hex): void {
    for (const [key, { plan, ended }] of this.#attempts)
      if (ended && plan.jobId === jobId) this.#attempts.delete(key)
    this.#failures.delete(jobId)
  }

  async #rejoin(from: NodeId, { jobId, attempt }: Message<'abort'>): Promise<Uint8Array> {
    const running = this.#attempts.get(attemptKey(jobId, attempt, from))
    if (running === undefined) throw new EnigmaError('NOT_FOUND', 'this node takes no part in that attempt')
    return running.answer.promise
  }

  async #compute(attempt: Attempt): Promise<Uint8Array> {
    const { plan, facts } = attempt
    const id = keyOf(plan)
    const values = facts.references.reduce((sum, r) => sum + r.length, 0)
    const { alone, signed } = await withTimeout(
      this.#party.service.complete(id),
      PIECES_BASE_MS + PIECES_PER_VALUE_MS * values,
      'the holders of the inputs',
    )
    if (!alone) await this.#agree(attempt, signed)
    const digest = transcriptDigest(plan, signed) as Hex
    const context = fromHex(digest, 32)
    const ran = await this.#party.service.compute({ id, context, roundTimeoutMs: ROUND_TIMEOUT_MS })
    if ('failure' in ran) throw await this.#failure(attempt, ran)
    const { sealed, sealedDigest, transcript } = ran
    this.#touch(attempt, 'output', 1, 1)
    attempt.sealed = sealed
    attempt.transcript = transcript?.digest ?? digest
    if (transcript !== undefined) attempt.publicTranscript = transcript.encoded
    this.computations += 1
    return encodeMessage('ran', { sealedDigest, transcriptDigest: attempt.transcript })
  }

  #listener(attempt: Attempt): AttemptListener {
    const { jobId, committee } = attempt.plan
    let record: (round: RoundView) => void = () => undefined
    return {
      began: (nonce) => {
        attempt.nonce = nonce
        record = this.#witness.views.recorder({ jobId, nonce }, [...committee].sort())
      },
      round: (round) => record(round),
      progress: (phase, done, total) => this.#touch(attempt, phase, done, total),
    }
  }

  /** The error to end an audited run with, after this node has done what it can about whoever caused it. */
  async #failure({ plan, nonce }: Attempt, { failure, verdict }: Failed): Promise<unknown> {
    const { jobId, committee } = plan
    const report = (evidence: CheatEvidence) => this.#witness.report(evidence, committee)
    const error =
      verdict?.culprit === undefined
        ? EnigmaError.fromObject(failure)
        : await accusation(report, [...committee].sort(), verdict.culprit, verdict.evidence)
    return nonce === undefined ? error : this.#witness.examine({ jobId, nonce }, committee, error)
  }

  /** Holders that tell two stories must not make members suspect each other. */
  async #agree({ plan, abort }: Attempt, signed: readonly Signed[]): Promise<void> {
    const { transport, ledger } = this.#context
    const { jobId, committee, attempt } = plan
    const { signal } = abort
    const coordinator = committee[0] as NodeId
    const parties = [...committee].sort()
    const session = await transport.openSession(
      `${attemptKey(jobId, attempt, coordinator)}/pieces`,
      parties.filter((id) => id !== transport.self),
      { signal },
    )
    const index = parties.indexOf(transport.self)
    const channel = new PartyChannel({ session, parties, index, timeoutMs: AGREE_TIMEOUT_MS, signal })
    try {
      const own = { plan: transcriptDigest(plan, []), pieces: [...signed] }
      await agreeOnPieces(channel, own, { jobId, attempt, coordinator }, ledger.deployment)
    } catch (error) {
      await channel.abort(error)
      throw error
    } finally {
      await session.close()
    }
  }

  async #piece(from: NodeId, payload: Uint8Array): Promise<Uint8Array> {
    const { number, ...named } = await this.#party.receive(payload)
    const key = attemptKey(named.jobId, named.attempt, named.coordinator)
    const attempt = await this.#attempt(key).catch(async (error) => {
      await this.#party.service.drop(number)
      throw error
    })
    await this.#party.service.add(key, from, number)
    attempt.arrived += 1
    return encodeMessage('empty', {})
  }

  /** The attempt, waiting for its plan if the piece was faster. */
  async #attempt(key: string): Promise<Attempt> {
    const known = this.#attempts.get(key)
    if (known !== undefined) return known
    if (this.#waiting.size > 1000) throw new EnigmaError('NOT_RUNNING', 'too many attempts without a plan')
    const arrival = new Promise<Attempt>((resolve) => {
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), resolve])
    })
    return withTimeout(arrival, PLAN_WAIT_MS, 'the coordinator').catch((error) => {
      this.#waiting.delete(key)
      throw error
    })
  }

  async #sign(from: NodeId, message: Message<'sign'>): Promise<Uint8Array> {
    const { transport, ledger, kv, nodeKey } = this.#context
    const attempt = this.#attempts.get(attemptKey(message.jobId, message.attempt, from))
    const index = message.committee.indexOf(transport.self)
    const digests = message.digests
    if (
      attempt?.sealed === undefined ||
      attempt.transcript === undefined ||
      message.committee.length !== digests.length ||
      message.committee.some((id, i) => id !== attempt.plan.committee[i]) ||
      digests[index] !== toHex(keccak_256(attempt.sealed)) ||
      digests.filter((d) => d !== NO_DIGEST).length <= attempt.facts.job.threshold
    )
      throw new EnigmaError('PERMISSION_DENIED', 'this node does not vouch for that result')
    const digest = resultDigest(message.committee, digests)
    const stored: StoredOutput = {
      attempt: message.attempt,
      index,
      sealed: attempt.sealed,
      committee: message.committee.map((id) => fromHex(id, 20)),
      digests: digests.map((d) => fromHex(d, 32)),
      resultDigest: fromHex(digest, 32),
      excluded: attempt.plan.excluded,
    }
    kv.set(OUTPUTS, `${message.jobId}/${digest}`, encode(stored))
    const signature = await ledger.signResult(nodeKey, {
      jobId: message.jobId,
      attempt: message.attempt,
      resultDigest: digest,
      transcriptDigest: attempt.transcript,
    })
    return encodeMessage('signed', { signature })
  }

  async #abort(from: NodeId, message: Message<'abort'>): Promise<Uint8Array> {
    const key = attemptKey(message.jobId, message.attempt, from)
    const running = this.#starting.get(key) ?? this.#attempts.get(key)?.abort
    running?.abort()
    return encodeMessage('empty', {})
  }

  /** Agrees that a job cannot finish: an input lost its authorisation, or several attempts ended without a result. */
  async #fail(jobId: Hex): Promise<Uint8Array> {
    const { ledger, nodeKey } = this.#context
    const { refs } = await readJob(this.#context, jobId)
    const authorised = await ledger.authorisedMany(jobId, refs)
    if (authorised.every((a) => a) && (this.#failures.get(jobId)?.size ?? 0) < MAX_ATTEMPTS)
      throw new EnigmaError('PERMISSION_DENIED', 'this node sees no reason to give the job up')
    return encodeMessage('signed', { signature: await ledger.signFailure(nodeKey, jobId, 'computation') })
  }

  /** Notes an attempt that ended without a result; a coordinator's own run may have noted it before. Returns how many did. */
  failed(jobId: Hex, attempt: number, coordinator: NodeId): number {
    const keys = this.#failures.get(jobId) ?? new Set()
    this.#failures.set(jobId, keys.add(attemptKey(jobId, attempt, coordinator)))
    return keys.size
  }

  #progress(jobId: Hex): Uint8Array {
    const running = [...this.#attempts.values()]
      .filter((a) => a.plan.jobId === jobId && !a.ended)
      .sort((a, b) => b.plan.attempt - a.plan.attempt)[0]
    const led = this.leading.get(jobId)
    if (running === undefined && led !== undefined)
      return encodeMessage('progress', { ...led, progress: 0, done: 0, total: 0 })
    if (running === undefined) throw new EnigmaError('NOT_FOUND', 'no attempt of this job runs here')
    return encodeMessage('progress', {
      state: running.state,
      progress:
        running.state === 'inputs'
          ? running.arrived / running.holders
          : running.total === 0
            ? 0
            : running.done / running.total,
      // Only of a program; how far the preparation is may be a fraction.
      ...(running.state === 'computing'
        ? { done: running.done, total: running.total }
        : { done: 0, total: 0 }),
      attempt: running.plan.attempt,
      committee: running.plan.committee,
      excluded: running.plan.excluded,
    })
  }

  /** The sealed share of the result that the ledger names. Sealed to the requester: anyone may carry it. */
  async #result(jobId: Hex): Promise<Uint8Array> {
    const final = (await this.#context.ledger.job(jobId))?.resultDigest
    const bytes = final === undefined ? undefined : this.#context.kv.get(OUTPUTS, `${jobId}/${final}`)
    if (bytes === undefined) throw new EnigmaError('NOT_FOUND', 'no output share of this job here')
    const stored = decode(bytes) as StoredOutput
    return encodeMessage('result', {
      attempt: stored.attempt,
      index: stored.index,
      sealed: stored.sealed,
      committee: stored.committee.map(toHex),
      digests: stored.digests.map(toHex),
      excluded: stored.excluded ?? [],
    })
  }

  #touch(attempt: Attempt, state: Attempt['state'], done: number, total: number): void {
    attempt.state = state
    attempt.done = done
    attempt.total = total
    this.#context.events.emit({ type: 'compute', id: attempt.plan.jobId })
  }
}
