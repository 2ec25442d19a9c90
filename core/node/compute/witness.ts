import { findEquivocation } from '../../audit/evidence.ts'
import type { CheatEvidence, RunView } from '../../audit/types.ts'
import { EnigmaError, hasCode } from '../../base/errors.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import { statements } from './audit.ts'
import { Demands } from './demands.ts'
import { type Answer, Views } from './views.ts'

/** Finds, after an audited run that ended badly, who told two stories and who has fallen silent. */
export class Witness {
  readonly views: Views
  readonly demands: Demands
  readonly #context: NodeContext

  constructor(context: NodeContext) {
    this.#context = context
    this.views = new Views(context)
    this.demands = new Demands(context, this.views)
  }

  /** Whether this node has recorded a round of the run. */
  has(run: Pick<RunView, 'jobId' | 'nonce'>): boolean {
    return this.views.get(run) !== undefined
  }

  /**
   * Compares with the other members what everybody signed, and returns the error to end with: MPC_ABORTED that names a
   * party (details.party, details.reason EQUIVOCATION) whose own signatures convict it, which the ledger is told; MPC_PARTY_LOST in place
   * of an accusation that another history may explain; else `error`. Of the members but the silent one, the first in
   * `committee` asks on the ledger.
   */
  async examine(
    run: Pick<RunView, 'jobId' | 'nonce'>,
    committee: readonly NodeId[],
    error: unknown,
  ): Promise<unknown> {
    const own = this.views.get(run)
    // A wrong opening is proven by what the party signed over this node's own history.
    const { reason } = EnigmaError.from(error).details ?? {}
    if (own === undefined || reason === 'BAD_OPENING') return error
    const answers = await this.views.ask(own)
    const equivocation = await this.#compare(own, answers)
    if (equivocation !== undefined) return equivocation
    // Whoever leads may have ended the attempt right after its own second story, so that much is looked at.
    if (hasCode(error, 'CANCELLED')) return error
    this.#demand(own, committee, answers)
    return reason === 'BAD_SIGNATURE' ? doubted(EnigmaError.from(error), own, answers) : error
  }

  async #compare(own: RunView, answers: ReadonlyMap<NodeId, Answer>): Promise<EnigmaError | undefined> {
    const { ledger, log } = this.#context
    const { signer } = statements(ledger.deployment)
    const views = [own, ...[...answers.values()].filter((a) => typeof a !== 'string')]
    for (const [k, a] of views.entries())
      for (const b of views.slice(k + 1)) {
        const evidence = findEquivocation(a, b, signer)
        if (evidence === undefined) continue
        const { jobId, party } = evidence
        log.warn('a member told two stories', { job: jobId, node: party })
        await this.#report(evidence)
        return new EnigmaError('MPC_ABORTED', `party ${party} told two stories`, {
          details: { party, index: own.parties.indexOf(party), reason: 'EQUIVOCATION' },
        })
      }
    return undefined
  }

  /** All honest members report; the contract takes the first, and what comes later is not sent. */
  async #report(evidence: CheatEvidence): Promise<void> {
    const { ledger, log, nodeKey } = this.#context
    const id = `evidence/${evidence.jobId}/${evidence.party}`
    await ledger
      .reportEvidence(nodeKey, evidence, { id, wait: 'stored' })
      .catch((error) => log.info('evidence not reported', { reason: EnigmaError.from(error).message }))
  }

  #demand(own: RunView, committee: readonly NodeId[], answers: ReadonlyMap<NodeId, Answer>): void {
    const { self } = this.#context.transport
    const silent = [...answers].flatMap(([id, answer]) => (answer === 'silent' ? [id] : []))
    // When nobody answers, it is this node that is cut off.
    if (silent.length === answers.size && answers.size > 1) return
    const asking = committee.find((id) => !silent.includes(id))
    if (asking === self) for (const party of silent) this.demands.demand(own, party)
  }
}

/**
 * A signature that does not fit may fit another history, or a party that was cut off a round before it closes: whoever cannot
 * be asked, or has less than this node, is taken for lost instead of guilty.
 */
function doubted(error: EnigmaError, own: RunView, answers: ReadonlyMap<NodeId, Answer>): EnigmaError {
  const { party, index } = error.details ?? {}
  const answer = answers.get(party as NodeId)
  const lags = typeof answer === 'object' && answer.rounds.at(-1)?.round !== own.rounds.at(-1)?.round
  if (answer !== 'silent' && !lags) return error
  return new EnigmaError('MPC_PARTY_LOST', `party ${String(party)} has another history`, {
    cause: error,
    details: { party: String(party), index: Number(index) },
  })
}
