import { findEquivocations } from '../../audit/evidence.ts'
import type { AuditFacts, CheatEvidence, RunView } from '../../audit/types.ts'
import { toHex } from '../../base/bytes.ts'
import { EnigmaError, hasCode } from '../../base/errors.ts'
import { turn } from '../../base/turns.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import { signerUnder } from './audit-service.ts'
import { Demands } from './demands.ts'
import { Rota } from './rota.ts'
import { type Answer, Views } from './views.ts'

/** Finds, after an audited run that ended badly, who told two stories and who has fallen silent. */
export class Witness {
  readonly views: Views
  readonly demands: Demands
  readonly #context: NodeContext
  readonly #rota: Rota

  constructor(context: NodeContext) {
    this.#context = context
    this.#rota = new Rota(context)
    this.views = new Views(context)
    this.demands = new Demands(context, this.views, this.#rota)
  }

  /** Whose turn is still to come sends nothing any more. */
  stop(): void {
    this.#rota.stop()
  }

  /** Whether this node has recorded a round of the run. */
  has(run: Pick<RunView, 'jobId' | 'nonce'>): boolean {
    return this.views.get(run) !== undefined
  }

  /**
   * Compares with the other members what everybody signed, and returns the error to end with: MPC_ABORTED that names a
   * party (details.party, details.reason EQUIVOCATION) whose own signatures convict it, which the ledger is told; MPC_PARTY_LOST in place
   * of an accusation that another history may explain; else `error`. Of the members but the silent one, each in its turn asks
   * on the ledger, if nobody has.
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
    const equivocation = await this.#compare(own, committee, answers)
    if (equivocation !== undefined) return equivocation
    // Whoever leads may have ended the attempt right after its own second story, so that much is looked at.
    if (hasCode(error, 'CANCELLED')) return error
    this.#demand(own, committee, answers)
    return reason === 'BAD_SIGNATURE' ? doubted(EnigmaError.from(error), own, answers) : error
  }

  async #compare(
    own: RunView,
    committee: readonly NodeId[],
    answers: ReadonlyMap<NodeId, Answer>,
  ): Promise<EnigmaError | undefined> {
    const { ledger, log } = this.#context
    const signer = remembering(signerUnder(ledger.deployment))
    const views = [own, ...[...answers.values()].filter((a) => typeof a !== 'string')]
    const found = new Map<NodeId, CheatEvidence>()
    for (const [k, a] of views.entries())
      for (const b of views.slice(k + 1)) {
        for (const evidence of findEquivocations(a, b, signer)) found.set(evidence.party, evidence)
        // What others show may be long, and nothing but wrong signatures.
        await turn()
      }
    for (const evidence of found.values()) {
      log.warn('a member told two stories', { job: evidence.jobId, node: evidence.party })
      await this.report(evidence, committee)
    }
    const [party] = found.keys()
    if (party === undefined) return undefined
    return new EnigmaError('MPC_ABORTED', `party ${party} told two stories`, {
      details: { party, index: own.parties.indexOf(party), reason: 'EQUIVOCATION' },
    })
  }

  /**
   * Has the ledger convict a cheater: every honest member sees to it, the first in `committee` at once, the others when it is
   * their turn and nobody has. Never throws.
   */
  async report(evidence: CheatEvidence, committee: readonly NodeId[]): Promise<void> {
    const rank = committee.filter((id) => id !== evidence.party).indexOf(this.#context.transport.self)
    if (rank <= 0) return this.#send(evidence)
    void this.#rota.wait(rank).then(
      () => this.#send(evidence),
      () => undefined,
    )
  }

  async #send(evidence: CheatEvidence): Promise<void> {
    const { ledger, log, nodeKey } = this.#context
    const { jobId, party, kind } = evidence
    try {
      const verdicts = await ledger.verdicts(jobId, party, 'latest')
      if (verdicts.some((verdict) => verdict.kind === kind)) return
      const id = `evidence/${jobId}/${party}/${kind}`
      await ledger.reportEvidence(nodeKey, evidence, { id, wait: 'stored' })
    } catch (error) {
      log.info('evidence not reported', { reason: EnigmaError.from(error).message })
    }
  }

  #demand(own: RunView, committee: readonly NodeId[], answers: ReadonlyMap<NodeId, Answer>): void {
    const { self } = this.#context.transport
    const silent = [...answers].flatMap(([id, answer]) => (answer === 'silent' ? [id] : []))
    // When nobody answers, it is this node that is cut off.
    if (silent.length === answers.size && answers.size > 1) return
    const rank = committee.filter((id) => !silent.includes(id)).indexOf(self)
    for (const party of silent) this.demands.demand(own, party, Math.max(0, rank))
  }
}

/** Each signature is looked at once, whoever shows it. */
function remembering(signer: AuditFacts['signer']): AuditFacts['signer'] {
  const known = new Map<string, NodeId | undefined>()
  return (structHash, signature) => {
    const key = `${toHex(structHash)}${toHex(signature)}`
    if (!known.has(key)) known.set(key, signer(structHash, signature))
    return known.get(key)
  }
}

/**
 * A signature that does not fit may fit another history, or a party that was cut off in the last round before it closes:
 * whoever cannot be asked, or closes a round behind this node, is taken for lost instead of guilty. Before the closing rounds
 * nobody signs who does not have the round before.
 */
function doubted(error: EnigmaError, own: RunView, answers: ReadonlyMap<NodeId, Answer>): EnigmaError {
  const { party, index, closing } = error.details ?? {}
  const answer = answers.get(party as NodeId)
  const lags =
    closing === true && typeof answer === 'object' && answer.rounds.at(-1)?.round === own.rounds.at(-2)?.round
  if (answer !== 'silent' && !lags) return error
  return new EnigmaError('MPC_PARTY_LOST', `party ${String(party)} has another history`, {
    cause: error,
    details: { party: String(party), index: Number(index) },
  })
}
