import { fromHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { turn } from '../../base/turns.ts'
import { second } from '../../base/units.ts'
import type { Authorization, ShareRecord } from '../../dht/types.ts'
import type { Hex } from '../../ledger/types.ts'
import { decodePredicate } from '../../predicates/codec.ts'
import { conditionsOf } from '../../predicates/explain.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import { checkPlan, type JobFacts, readJob } from './attempt.ts'
import { decodeMessage, encodeMessage, PROTOCOLS } from './messages.ts'
import type { DealtInput } from './party-service.ts'
import type { PartyThread } from './party-thread.ts'
import { functionOf, readParams } from './program.ts'
import type { Source } from './sources.ts'

const PIECE_TIMEOUT_MS = 120 * second
/** Inputs that the thread is given at once. */
const GIVEN = 50

/**
 * The ledger counts the owners of a job; what a result depends on can be fewer (weights of zero). Each number
 * that is released must mix at least as many owners as the strictest rule among the references asks for.
 */
async function checkCrowd(context: NodeContext, facts: JobFacts, refs: readonly Hex[]): Promise<void> {
  const named = new Set(refs)
  const rules = new Map(
    facts.references.filter((r) => named.has(r.ref)).map((r) => [r.computePredicate, r.ref]),
  )
  let minimum = 0
  for (const [rule, ref] of rules) {
    await turn()
    const encoding = context.index.predicates.get(rule)
    if (encoding === undefined)
      throw new EnigmaError('PREDICATE_INVALID', `the rule of ${ref} is not known here yet`)
    for (const { min } of conditionsOf(decodePredicate(fromHex(encoding)), 'cohort'))
      minimum = Math.max(minimum, min)
  }
  const fn = functionOf(facts.job.functionId)
  const params = fn.parseParams(readParams(facts.params))
  const shapes = facts.references.map((r) => r.length)
  await turn()
  let smallest = Number.POSITIVE_INFINITY
  for (const positions of fn.contributors(params, shapes)) {
    await turn()
    smallest = Math.min(smallest, new Set(positions.map((p) => facts.references[p]?.owner)).size)
  }
  if (smallest < minimum)
    throw new EnigmaError(
      'COHORT_TOO_SMALL',
      `a result would depend on ${smallest} people, ${minimum} are needed`,
    )
}

/** The active share this node holds under a reference, and what authorised it. */
export async function heldShare(
  context: NodeContext,
  ref: Hex,
): Promise<{ record: ShareRecord; authorization: Authorization } | undefined> {
  const stored = await context.records.get('share', ref)
  if (stored?.state !== 'active' || stored.record.kind !== 'share') return undefined
  return { record: stored.record, authorization: stored.authorization }
}

/** Gives the thread this node's shares of `sources`, a few at a time. NOT_FOUND when it does not hold one as the plan says. */
async function give(context: NodeContext, party: PartyThread, sources: readonly Source[]): Promise<number> {
  const given = await party.service.give([])
  try {
    for (let from = 0; from < sources.length; from += GIVEN) {
      const inputs: DealtInput[] = []
      for (const { ref, helpers } of sources.slice(from, from + GIVEN)) {
        await turn()
        const record = (await heldShare(context, ref))?.record
        const mine = helpers.find((h) => h.node === context.transport.self)
        if (record === undefined || mine === undefined || record.index !== mine.index)
          throw new EnigmaError(
            'NOT_FOUND',
            `this node does not hold the share of ${ref} that the plan names`,
            {
              details: { ref },
            },
          )
        const { index, values, masks, commitments } = record
        inputs.push({
          record: { index, values, masks, commitments },
          helpers: helpers.map((h) => h.index),
          first: mine === helpers[0],
        })
      }
      await party.service.give(inputs, given)
    }
    return given
  } catch (error) {
    await party.service.drop(given)
    throw error
  }
}

/**
 * The holder's side of a job (Alg. 4 Compute): releases nothing before its own chain client says that the job
 * is open, every reference admitted and still authorised, and that the draw gives this committee. What it
 * releases is a fresh verifiable re-sharing of its shares, each member's piece to that member alone.
 */
export function serveHolder(context: NodeContext, party: PartyThread): void {
  const { transport, ledger, log, index } = context
  /** The last attempt that this node dealt for, by job and coordinator. */
  const dealtFor = new Map<Hex, Map<NodeId, number>>()
  index.onEvent((event) => {
    if (event.name === 'JobDone' || event.name === 'JobFailed' || event.name === 'JobCancelled')
      dealtFor.delete(event.jobId)
  })

  const request = (to: NodeId, protocol: string, payload: Uint8Array) =>
    to === transport.self
      ? context.localRequest(protocol, payload)
      : transport.request(to, protocol, payload, { timeoutMs: PIECE_TIMEOUT_MS })

  context.serve(PROTOCOLS.holdings, async (_from, payload) => {
    await turn()
    const { refs } = decodeMessage('holdings', payload)
    const indices = new Uint8Array(refs.length)
    for (const [i, ref] of refs.entries()) {
      await turn()
      const summary = context.records.summary('share', ref)
      if (summary?.state === 'active') indices[i] = summary.index
    }
    return encodeMessage('held', { indices })
  })

  context.serve(PROTOCOLS.release, async (from, payload) => {
    const plan = decodeMessage('plan', payload)
    const facts = await readJob(context, plan.jobId)
    const sources = (await checkPlan(facts, from, plan)).filter(({ helpers }) =>
      helpers.some((h) => h.node === transport.self),
    )
    if (sources.length === 0) throw new EnigmaError('NOT_FOUND', 'the plan names no share of this node')
    const refs = sources.map((s) => s.ref)
    const authorised = await ledger.authorisedMany(plan.jobId, refs)
    const refused = refs.find((_, i) => authorised[i] !== true)
    if (refused !== undefined) {
      log.info('release refused', { job: plan.jobId, ref: refused })
      throw new EnigmaError('PERMISSION_DENIED', `the ledger does not authorise the use of ${refused}`, {
        details: { ref: refused },
      })
    }
    // The rules themselves come from events, which this node may not have read up to the block it has just asked about.
    await context.index.caughtUp()
    await checkCrowd(context, facts, refs)
    const given = await give(context, party, sources)
    // Two dealings for one attempt would look like two stories.
    const attempts = dealtFor.get(plan.jobId) ?? new Map<NodeId, number>()
    if ((attempts.get(from) ?? -1) >= plan.attempt) {
      await party.service.drop(given)
      throw new EnigmaError('INVALID_ARGUMENT', 'this node has dealt for this attempt already')
    }
    dealtFor.set(plan.jobId, attempts.set(from, plan.attempt))
    const pieces = await party.service.deal({
      names: { jobId: plan.jobId, attempt: plan.attempt, coordinator: from, refs },
      given,
      members: plan.committee.length,
      threshold: facts.job.threshold,
    })
    await Promise.all(
      plan.committee.map((member, i) => request(member, PROTOCOLS.piece, pieces[i] as Uint8Array)),
    )
    return encodeMessage('released', { references: refs.length })
  })
}
