import { withTimeout } from '../../base/clock.ts'
import { EnigmaError, hasCode } from '../../base/errors.ts'
import { turn } from '../../base/turns.ts'
import { minute, second } from '../../base/units.ts'
import { SPARES } from '../../committee/draw.ts'
import type { EvidenceKind, Hex, NodeSignature } from '../../ledger/types.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import { type JobDraw, type JobFacts, NO_DIGEST, readDraw, readJob } from './attempt.ts'
import { LeadClaims } from './lead-claims.ts'
import { MAX_ATTEMPTS, type Member } from './member.ts'
import { decodeMessage, encodeMessage, type Message, PROTOCOLS } from './messages.ts'
import { resultDigest } from './requester.ts'
import { holdersOf, packSources, type Source } from './sources.ts'
import { publishTranscript } from './transcripts.ts'

const READY_TIMEOUT_MS = 3 * second
const HOLDINGS_TIMEOUT_MS = 10 * second
const RELEASE_TIMEOUT_MS = 3 * minute
const RUN_TIMEOUT_MS = 15 * minute
/** A node of higher rank that says it leads an attempt is believed for so long. */
const ATTEMPT_MS = 20 * minute
/** Before each try to reach a member again whose run may go on. */
const REJOIN_PAUSES_MS: readonly number[] = [0.5 * second, 3 * second]
const SIGN_TIMEOUT_MS = 10 * second
/** The node with rank k takes over when nobody has shown progress for k such spans. */
const TAKEOVER_MS = 5 * second
const WATCH_MS = 500
/** Longest pause between attempts that this node leads; they become longer after the first few. */
const MAX_PAUSE_MS = 10 * second
/** No honest node has come so far: higher numbers are not continued, or a liar would use them up. */
const MANY_ATTEMPTS = 1000
/** The other runs end a little after the first that failed. */
const ENDING_MS = 2 * second
/** In an audited attempt all close the run and compare what they have first, which waits for the ledger's minute at most. */
const CLOSING_MS = 90 * second
/** Verdicts of the Evidence contract, as exclusions. */
const VERDICTS = {
  'wrong-opening': 'BAD_OPENING',
  equivocation: 'EQUIVOCATION',
  silence: 'SILENCE',
} satisfies Record<EvidenceKind, string>

/**
 * Whoever stands first in the draw leads a job; the next in rank takes over when it falls silent. Every attempt
 * has a fresh committee and fresh re-sharings. A coordinator orders the work and learns nothing.
 */
export class Coordinator {
  readonly #context: NodeContext
  readonly #member: Member
  readonly #watched = new Map<Hex, AbortController>()
  /** Nodes that failed this node's earlier attempts at a job: asked last. */
  readonly #lost = new Map<Hex, Set<NodeId>>()
  /** Nodes that this node saw cheat in its own attempts at a job, and how: never asked again for it. */
  readonly #excluded = new Map<Hex, Map<NodeId, string>>()

  constructor(context: NodeContext, member: Member) {
    this.#context = context
    this.#member = member
    context.index.onEvent((event) => {
      if (event.name === 'JobOpened') this.watch(event.jobId)
      if (event.name === 'JobDone' || event.name === 'JobFailed' || event.name === 'JobCancelled')
        this.#watched.get(event.jobId)?.abort()
    })
  }

  /** Takes up what is open on the ledger, after a start or a reorganisation. */
  resume(): void {
    for (const job of this.#context.index.jobs.values()) if (job.state === 'open') this.watch(job.jobId)
  }

  stop(): void {
    for (const abort of this.#watched.values()) abort.abort()
  }

  watch(jobId: Hex): void {
    if (this.#watched.has(jobId) || !this.#context.serving()) return
    const abort = new AbortController()
    this.#watched.set(jobId, abort)
    this.#follow(jobId, abort.signal)
      .catch((error) => {
        // A job that ended before this node looked is no news.
        if (!hasCode(error, 'CANCELLED') && this.#context.index.jobs.get(jobId)?.state === 'open')
          this.#context.log.warn('job given up', { job: jobId, reason: EnigmaError.from(error).message })
      })
      .finally(() => {
        this.#watched.delete(jobId)
        this.#member.leading.delete(jobId)
        this.#lost.delete(jobId)
        this.#excluded.delete(jobId)
      })
  }

  async #follow(jobId: Hex, signal: AbortSignal): Promise<void> {
    const { clock, transport, log } = this.#context
    const first = await readDraw(this.#context, jobId)
    const rank = first.ranking.indexOf(transport.self)
    if (rank < 0 || rank >= first.job.committeeSize + SPARES) return
    const claims = new LeadClaims(MAX_ATTEMPTS, ATTEMPT_MS)
    let quietSince = clock.now()
    let led = 0
    let last = 0
    while (!signal.aborted) {
      let pause = WATCH_MS
      const own = this.#member.latest(jobId)
      const elsewhere =
        own === undefined || own.ended ? await this.#activity(jobId, first, rank, claims) : undefined
      if ((own !== undefined && !own.ended) || elsewhere !== undefined) quietSince = clock.now()
      if (clock.now() - quietSince >= rank * TAKEOVER_MS) {
        const known = [own?.attempt ?? 0, elsewhere ?? 0].filter((number) => number < MANY_ATTEMPTS)
        const attempt = Math.max(last, ...known) + 1
        last = attempt
        led += 1
        try {
          this.#member.leading.set(jobId, { state: 'committee', attempt, committee: [], excluded: [] })
          await this.#attempt(jobId, attempt, signal)
          return
        } catch (error) {
          this.#member.leading.delete(jobId)
          if (signal.aborted) return
          const failures = this.#member.failed(jobId, attempt, transport.self)
          log.info('attempt failed', { job: jobId, attempt, reason: EnigmaError.from(error).message })
          if (hasCode(error, 'PERMISSION_DENIED', 'HOLDERS_TOO_FEW') || failures >= MAX_ATTEMPTS) {
            if (
              await this.#giveUp(jobId, first, hasCode(error, 'HOLDERS_TOO_FEW') && failures < MAX_ATTEMPTS)
            )
              return
          }
          quietSince = clock.now()
          pause = Math.min(WATCH_MS * 2 ** Math.max(0, led - MAX_ATTEMPTS), MAX_PAUSE_MS)
        }
      }
      // Members take no orders from a convicted node.
      if (this.#out(jobId).has(transport.self)) return
      await clock.sleep(pause, signal)
    }
  }

  /** The number of an attempt that runs at a node of higher rank, if there is one. */
  async #activity(
    jobId: Hex,
    { ranking }: JobDraw,
    rank: number,
    claims: LeadClaims,
  ): Promise<number | undefined> {
    const { transport, clock } = this.#context
    const out = this.#out(jobId)
    const connected = new Set(transport.connectedPeers())
    const answers = await Promise.allSettled(
      ranking
        .slice(0, rank)
        .filter((id) => connected.has(id) && !out.has(id))
        .map(async (id) => {
          const answer = await transport.request(id, PROTOCOLS.progress, encodeMessage('job', { jobId }), {
            timeoutMs: READY_TIMEOUT_MS,
          })
          return { id, attempt: decodeMessage('progress', answer).attempt }
        }),
    )
    const running = answers
      .flatMap((a) => (a.status === 'fulfilled' ? [a.value] : []))
      .flatMap(({ id, attempt }) => (claims.counts(id, attempt, clock.now()) ? [attempt] : []))
    return running.length === 0 ? undefined : Math.max(...running)
  }

  async #attempt(jobId: Hex, attempt: number, signal: AbortSignal): Promise<void> {
    const facts = await readJob(this.#context, jobId)
    // What honest members can finish without the ones that fail.
    const alone = await this.#member.alone(facts)
    const committee = await this.#committee(facts, signal)
    const sources = await this.#sources(facts, signal)
    await turn()
    const excluded = [...this.#out(jobId)].map(([node, reason]) => ({ node, reason }))
    const plan: Message<'plan'> = { jobId, attempt, committee, sources: packSources(sources), excluded }
    this.#context.log.info('attempt', {
      job: jobId,
      attempt,
      members: committee.length,
      references: sources.length,
    })
    const order = encodeMessage('plan', plan)
    const runs: Promise<Message<'ran'>>[] = []
    try {
      runs.push(
        ...committee.map((id) =>
          this.#run(id, plan, order, facts.job.protocol === 'spdz', signal).then((answer) =>
            decodeMessage('ran', answer),
          ),
        ),
      )
      const failing = tooManyFail(runs, alone ? committee.length - facts.job.threshold - 1 : 0)
      await Promise.race([this.#release(jobId, sources, order, signal), failing])
      const results = await Promise.race([failing, Promise.allSettled(runs)])
      const ran = results.map((r) => (r.status === 'fulfilled' ? r.value : undefined))
      this.#member.leading.set(jobId, { state: 'output', attempt, committee, excluded })
      await this.#post(facts, plan, ran, signal)
    } catch (error) {
      const ended = await settled(runs, this.#member.signed(jobId, attempt) ? CLOSING_MS : ENDING_MS)
      const [own] = ended
      if (own?.status === 'rejected') this.#judge(jobId, EnigmaError.from(own.reason))
      ended.forEach((r, i) => {
        if (r?.status === 'rejected') this.#lose(jobId, committee[i] as NodeId)
      })
      const cancel = encodeMessage('abort', { jobId, attempt })
      for (const id of committee)
        this.#ask(id, PROTOCOLS.abort, cancel, SIGN_TIMEOUT_MS).catch(() => undefined)
      throw error
    }
  }

  /** This node, then the first of the ranking that answer. MPC_COMMITTEE_TOO_SMALL when they are not enough. */
  async #committee(facts: JobFacts, signal: AbortSignal): Promise<NodeId[]> {
    const { transport } = this.#context
    const size = facts.job.committeeSize
    const lost = this.#lost.get(facts.job.jobId) ?? new Set()
    const out = this.#out(facts.job.jobId)
    const eligible = facts.ranking
      .slice(0, size + SPARES)
      .filter((id) => id !== transport.self && !out.has(id))
    const answers = await Promise.all(
      eligible.map((id) =>
        this.#ask(id, PROTOCOLS.ready, encodeMessage('empty', {}), READY_TIMEOUT_MS, signal).then(
          () => id,
          () => undefined,
        ),
      ),
    )
    const ready = answers.filter((id) => id !== undefined)
    const ordered = [...ready.filter((id) => !lost.has(id)), ...ready.filter((id) => lost.has(id))]
    if (ordered.length < size - 1)
      throw new EnigmaError('MPC_COMMITTEE_TOO_SMALL', `${ordered.length + 1} of ${size} nodes are ready`)
    return [transport.self, ...ordered.slice(0, size - 1)]
  }

  /** t + 1 reachable holders for each reference. HOLDERS_TOO_FEW names the first that has fewer. */
  async #sources(facts: JobFacts, signal: AbortSignal): Promise<Source[]> {
    const candidates = (await this.#context.registry.candidates()).map((c) => c.id)
    const lost = this.#lost.get(facts.job.jobId) ?? new Set()
    const question = encodeMessage('holdings', { refs: facts.refs })
    const answers = await Promise.allSettled(
      candidates.map(async (node) => {
        const answer = await this.#ask(node, PROTOCOLS.holdings, question, HOLDINGS_TIMEOUT_MS, signal)
        await turn()
        const { indices } = decodeMessage('held', answer)
        if (indices.length !== facts.refs.length)
          throw new EnigmaError('RECORD_INVALID', 'an answer is for other references')
        return { node, indices }
      }),
    )
    const held = answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value] : []))
    // Those that failed before come last.
    held.sort((a, b) => Number(lost.has(a.node)) - Number(lost.has(b.node)))
    const sources: Source[] = []
    for (const [i, { ref, n, t }] of facts.references.entries()) {
      await turn()
      const known: Source['helpers'][number][] = []
      for (const { node, indices } of held) {
        const index = indices[i]!
        if (index > 0 && index <= n && !known.some((k) => k.index === index)) known.push({ index, node })
      }
      if (known.length < t + 1)
        throw new EnigmaError(
          'HOLDERS_TOO_FEW',
          `${known.length} of ${t + 1} needed holders of ${ref} answer`,
          {
            details: { ref },
          },
        )
      known.sort((a, b) => Number(lost.has(a.node)) - Number(lost.has(b.node)) || a.index - b.index)
      sources.push({ ref, helpers: known.slice(0, t + 1) })
    }
    return sources
  }

  /** Asks every holder for its references at once. */
  async #release(
    jobId: Hex,
    sources: readonly Source[],
    order: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all(
      [...holdersOf(sources)].map(async (holder) => {
        try {
          await this.#ask(holder, PROTOCOLS.release, order, RELEASE_TIMEOUT_MS, signal)
        } catch (error) {
          if (!hasCode(error, 'PERMISSION_DENIED')) this.#lose(jobId, holder)
          throw error
        }
      }),
    )
  }

  async #post(
    facts: JobFacts,
    plan: Message<'plan'>,
    ran: (Message<'ran'> | undefined)[],
    signal: AbortSignal,
  ): Promise<void> {
    const { jobId, attempt, committee } = plan
    const transcripts = new Set(ran.flatMap((r) => (r === undefined ? [] : [r.transcriptDigest])))
    if (transcripts.size !== 1) {
      const differ = new EnigmaError('MPC_ABORTED', 'the members saw different commitments or signatures')
      const error = EnigmaError.from(await this.#member.compare(jobId, attempt, differ))
      this.#judge(jobId, error)
      throw error
    }
    const digests = ran.map((r) => r?.sealedDigest ?? NO_DIGEST)
    const message = encodeMessage('sign', { jobId, attempt, committee, digests })
    const signed = await Promise.allSettled(
      committee.map(async (nodeId, i): Promise<NodeSignature> => {
        if (ran[i] === undefined) throw new EnigmaError('MPC_PARTY_LOST', nodeId)
        const answer = await this.#ask(nodeId, PROTOCOLS.sign, message, SIGN_TIMEOUT_MS, signal)
        return { nodeId, signature: decodeMessage('signed', answer).signature }
      }),
    )
    const signatures = signed.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []))
    if (signatures.length < facts.job.threshold + 1)
      throw new EnigmaError('MPC_PARTY_LOST', 'too few members vouch for the result')
    const transcript = this.#member.publicTranscript(jobId, attempt)
    if (transcript !== undefined) await publishTranscript(this.#context, jobId, transcript, signal)
    await this.#context.ledger.postResult(
      this.#context.nodeKey,
      {
        jobId,
        attempt,
        resultDigest: resultDigest(committee, digests),
        transcriptDigest: [...transcripts][0] as Hex,
      },
      signatures,
      { signal },
    )
  }

  /** A member's run. One that can be taken up again outlives a lost connection: the member is asked for it once more. */
  async #run(
    node: NodeId,
    { jobId, attempt }: Message<'plan'>,
    order: Uint8Array,
    resumable: boolean,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    let request = this.#ask(node, PROTOCOLS.run, order, RUN_TIMEOUT_MS, signal)
    for (const pause of resumable ? REJOIN_PAUSES_MS : [])
      try {
        return await request
      } catch (error) {
        if (!hasCode(error, 'CHANNEL_CLOSED', 'PEER_UNREACHABLE')) throw error
        await this.#context.clock.sleep(pause, signal)
        const message = encodeMessage('abort', { jobId, attempt })
        request = this.#ask(node, PROTOCOLS.rejoin, message, RUN_TIMEOUT_MS, signal)
      }
    return request
  }

  /** Has t + 1 nodes say on the ledger that the job cannot finish. False when they do not agree (yet). */
  async #giveUp(jobId: Hex, { job, ranking }: JobDraw, mayRecover: boolean): Promise<boolean> {
    if (mayRecover) return false
    const { ledger, nodeKey } = this.#context
    const message = encodeMessage('job', { jobId })
    const signed = await Promise.allSettled(
      ranking.slice(0, job.committeeSize + SPARES).map(async (nodeId) => {
        const answer = await this.#ask(nodeId, PROTOCOLS.fail, message, SIGN_TIMEOUT_MS)
        return { nodeId, signature: decodeMessage('signed', answer).signature }
      }),
    )
    const signatures = signed.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []))
    if (signatures.length < job.threshold + 1) return false
    await ledger.failJob(nodeKey, jobId, 'computation', signatures)
    return true
  }

  /** Who is never asked again for a job: whom the ledger has convicted, and whom this node saw cheat. */
  #out(jobId: Hex): Map<NodeId, string> {
    const convicted = this.#context.index.jobs.get(jobId)?.convicted ?? new Map<NodeId, EvidenceKind>()
    const verdicts = [...convicted].map(([node, kind]) => [node, VERDICTS[kind]] as const)
    return new Map<NodeId, string>([...verdicts, ...(this.#excluded.get(jobId) ?? [])])
  }

  /** What this node itself saw of another's misbehaviour. What others tell it might be a lie about somebody. */
  #judge(jobId: Hex, error: EnigmaError | undefined): void {
    const { index, log, transport } = this.#context
    const { party, holder, reason } = error?.details ?? {}
    if (typeof holder === 'string') this.#lose(jobId, holder as NodeId)
    if (typeof party !== 'string' || party === transport.self || index.jobs.get(jobId)?.state !== 'open')
      return
    if (error?.code === 'MPC_ABORTED' && typeof reason === 'string' && reason !== 'TOLD') {
      const of = this.#excluded.get(jobId) ?? new Map<NodeId, string>()
      of.set(party as NodeId, reason)
      this.#excluded.set(jobId, of)
      log.warn('a member was excluded', { job: jobId, node: party, reason })
    } else this.#lose(jobId, party as NodeId)
  }

  #lose(jobId: Hex, node: NodeId): void {
    const lost = this.#lost.get(jobId) ?? new Set()
    lost.add(node)
    this.#lost.set(jobId, lost)
  }

  #ask(
    node: NodeId,
    protocol: string,
    payload: Uint8Array,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const { transport } = this.#context
    if (node === transport.self) return this.#context.localRequest(protocol, payload)
    return transport.request(node, protocol, payload, {
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    })
  }
}

/** How runs have ended; undefined of those that have not after `ms`. */
async function settled<T>(
  runs: readonly Promise<T>[],
  ms: number,
): Promise<(PromiseSettledResult<T> | undefined)[]> {
  const results: (PromiseSettledResult<T> | undefined)[] = runs.map(() => undefined)
  const all = runs.map(async (run, i) => {
    results[i] = (await Promise.allSettled([run]))[0]
  })
  await withTimeout(Promise.all(all), ms, 'a member').catch(() => undefined)
  return [...results]
}

/** Rejects as soon as more than `tolerated` runs have failed; never resolves. */
function tooManyFail(runs: readonly Promise<unknown>[], tolerated: number): Promise<never> {
  const failing = new Promise<never>((_, reject) => {
    let failed = 0
    for (const run of runs)
      run.catch((error) => {
        failed += 1
        if (failed > tolerated) reject(error)
      })
  })
  // Runs that fail while nobody waits must not surface as unhandled rejections.
  failing.catch(() => undefined)
  return failing
}
