import { contradiction } from '../../audit/evidence.ts'
import type { RunView } from '../../audit/types.ts'
import { concatBytes, fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { second } from '../../base/units.ts'
import type { BlockRef, Hex, LedgerEvent, Signer } from '../../ledger/types.ts'
import type { NodeId } from '../../transport/types.ts'
import { account, type NodeContext } from '../context.ts'
import { demandKey, type OpenDemand } from '../ledger-index.ts'
import { signerUnder } from './audit-service.ts'
import { decodeMessage, encodeMessage } from './messages.ts'
import { type Rota, STEP_MS } from './rota.ts'
import type { Views } from './views.ts'

/**
 * Whose answer this node awaits on the ledger, by job and party: the run's nonce, and in how many spans after the deadline
 * it is this node's turn to report silence.
 */
const NAMESPACE = 'audit-demands'

const NONCE_BYTES = 32

function awaiting(nonce: Hex, turn: number): Uint8Array {
  return concatBytes(fromHex(nonce, NONCE_BYTES), Uint8Array.of(turn))
}

function turnOf(stored: Uint8Array): number {
  return stored[NONCE_BYTES] ?? 0
}

/**
 * Silence in audited runs (core/ledger/solidity/Evidence.sol). This node answers every demand that names it, and reports
 * who let the deadline of a demand pass that it has made, or would have. What is open is read from the ledger's events, so that a
 * restart or a reorganisation loses nothing; transactions carry ids and are not made twice. Fees: core/ledger/README.md.
 */
export class Demands {
  readonly #context: NodeContext
  readonly #views: Views
  readonly #rota: Rota
  /** Transactions under way. */
  readonly #busy = new Set<string>()

  constructor(context: NodeContext, views: Views, rota: Rota) {
    this.#context = context
    this.#views = views
    this.#rota = rota
    context.index.onEvent((event) => {
      if (event.name === 'DemandAnswered') this.#once(`judge/${event.demand}`, () => this.#judge(event))
    })
    context.index.onBlock((block) => this.#look(block))
  }

  /** Takes up what is open, after a start or a reorganisation. */
  async resume(): Promise<void> {
    this.#look(await this.#context.ledger.head())
  }

  /**
   * Asks a silent party on the ledger to say what comes after the last round that it signed; once for each party of a job,
   * whoever asks, this node when `rank` others have had their turn. A demand of somebody else is watched: it may be of the
   * party's own making, and nobody else there to report its silence.
   */
  demand(view: RunView, party: NodeId, rank: number): void {
    this.#once(`demand/${view.jobId}/${party}`, async () => {
      const { kv, ledger, log, nodeKey } = this.#context
      const { jobId, nonce } = view
      const last = view.rounds.at(-1)
      const signed = last?.signed[view.parties.indexOf(party)]
      const key = demandKey({ jobId, party })
      if (last === undefined || signed === undefined || kv.get(NAMESPACE, key) !== undefined) return
      await this.#rota.wait(rank)
      if (await this.#watch(view, party, rank)) return
      const signer = await this.#account()
      if (signer === undefined) {
        log.info('a silent member is not asked: the account of this node is locked', { job: jobId, party })
        return
      }
      // Before the transaction: whoever asks must know it after a crash, to report.
      kv.set(NAMESPACE, key, awaiting(nonce, 0))
      log.warn('a silent member is asked on the ledger', { job: jobId, party })
      try {
        await ledger.demandAnswer(
          signer,
          { jobId, nonce, party, round: last.round, last: signed, asNode: nodeKey.address },
          { id: `demand/${key}` },
        )
      } catch (error) {
        if (EnigmaError.from(error).code === 'NOT_RUNNING') throw error
        kv.delete(NAMESPACE, key)
        // Somebody else was faster.
        if (!(await this.#watch(view, party, rank))) throw error
      }
    })
  }

  /** Whether there was a demand to the party in this job; one that is open is watched from now on. */
  async #watch({ jobId, nonce }: RunView, party: NodeId, rank: number): Promise<boolean> {
    const { kv, ledger } = this.#context
    const open = await ledger.demandOf(jobId, party, 'latest')
    if (open?.answered === false) kv.set(NAMESPACE, demandKey({ jobId, party }), awaiting(nonce, rank + 1))
    return open !== undefined
  }

  #look({ timestamp }: BlockRef): void {
    const { index, kv, nodeKey } = this.#context
    for (const demand of index.demands.values()) {
      const over = timestamp > demand.deadline
      if (demand.party === nodeKey.address && !over)
        this.#once(`answer/${demand.demand}`, () => this.#answer(demand))
      const stored = kv.get(NAMESPACE, demandKey(demand))
      if (stored !== undefined && timestamp > demand.deadline + (turnOf(stored) * STEP_MS) / second)
        this.#once(`silence/${demandKey(demand)}`, () => this.#report(demand))
    }
  }

  /** Whoever answers is there; a node that has lost what it signed says so by an empty list. */
  async #answer({ jobId, nonce, party, round, demand }: OpenDemand): Promise<void> {
    const { ledger, log, nodeKey } = this.#context
    const view = this.#views.get({ jobId, nonce })
    const index = view?.parties.indexOf(party) ?? -1
    const rounds = (view?.rounds ?? []).flatMap(({ round: number, signed }) => {
      const own = signed[index]
      return own === undefined || number < round ? [] : [{ round: number, ...own }]
    })
    log.info('answering a demand on the ledger', { job: jobId, rounds: rounds.length })
    const content = encodeMessage('statements', { rounds })
    await ledger.answerDemand(nodeKey, nodeKey, jobId, content, { id: `answer/${demand}` })
  }

  async #report({ jobId, party }: OpenDemand): Promise<void> {
    const { ledger, log, nodeKey } = this.#context
    log.warn('a member did not answer in time', { job: jobId, party })
    await ledger.reportSilence(nodeKey, jobId, party, { id: `silence/${jobId}/${party}` })
  }

  /** An answer to this node's demand that tells another story than the party told before is evidence against it. */
  async #judge({ jobId, party, content }: LedgerEvent & { name: 'DemandAnswered' }): Promise<void> {
    const { kv, ledger, nodeKey } = this.#context
    const stored = kv.get(NAMESPACE, demandKey({ jobId, party }))
    const view = stored && this.#views.get({ jobId, nonce: toHex(stored.subarray(0, NONCE_BYTES)) })
    if (view === undefined) return
    const signer = signerUnder(ledger.deployment)
    for (const { round, ...answered } of decodeMessage('statements', fromHex(content)).rounds) {
      const known = view.rounds.find((r) => r.round === round)?.signed[view.parties.indexOf(party)]
      if (known === undefined) continue
      const told = { jobId, nonce: view.nonce, party, round, signed: [known, answered] as const }
      const evidence = contradiction(told, signer)
      if (evidence !== undefined)
        return void (await ledger.reportEvidence(nodeKey, evidence, {
          id: `evidence/${jobId}/${party}/${evidence.kind}`,
        }))
    }
  }

  /** The account that the registry knows for this node, if its key is at hand: only that may ask. */
  async #account(): Promise<Signer | undefined> {
    const { nodeKey, registry, vault } = this.#context
    const mine = (await registry.nodes()).find((n) => n.nodeId === nodeKey.address)?.account
    if (mine === nodeKey.address) return nodeKey
    if (!(await vault.status()).unlocked) return undefined
    const signer = account(this.#context)
    return (signer.address as Hex) === mine ? signer : undefined
  }

  #once(name: string, work: () => Promise<void>): void {
    if (this.#busy.has(name)) return
    this.#busy.add(name)
    work()
      .catch((error) =>
        this.#context.log.info('not done yet', { what: name, reason: EnigmaError.from(error).message }),
      )
      .finally(() => this.#busy.delete(name))
  }
}
