import { decode, encode } from 'cborg'
import { VIEW_ROUNDS } from '../../audit/constants.ts'
import type { RoundView, RunView } from '../../audit/types.ts'
import { EnigmaError, hasCode } from '../../base/errors.ts'
import { turn } from '../../base/turns.ts'
import { day, KiB, second } from '../../base/units.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import { decodeMessage, encodeMessage, PROTOCOLS } from './messages.ts'

const NAMESPACE = 'audit-views'
const PAGE = 100
const ASK_TIMEOUT_MS = 10 * second
/** A demand may come long after the job; a view is some kilobytes. */
const KEPT_MS = 90 * day
/** Views kept at most, whoever makes this node run jobs: some 40 MB with three parties each. */
const MAX_VIEWS = 10_000
/** Runs after which it is time to look. */
const PRUNE_EVERY = 100
/** 64 parties, 4 rounds: 70 kB. */
const MAX_VIEW_BYTES = 128 * KiB

type Run = Pick<RunView, 'jobId' | 'nonce'>

/** What a member answered: its view, nothing that can be used, or not at all. */
export type Answer = RunView | 'refused' | 'silent'

/**
 * What the parties of audited runs have signed towards this node: the last rounds of each run, on disk before this node
 * signs the next round. Members of a run get them from each other.
 */
export class Views {
  readonly #context: NodeContext
  #sincePruned = 0

  constructor(context: NodeContext) {
    this.#context = context
    context.serve(PROTOCOLS.view, async (from, payload) => {
      const view = this.get(decodeMessage('viewed', payload))
      if (view === undefined) throw new EnigmaError('NOT_FOUND', 'this node has nothing of that run')
      if (!view.parties.includes(from))
        throw new EnigmaError('PERMISSION_DENIED', 'only members of a run compare what they have of it')
      return encodeView(view)
    })
  }

  /** Starts a view; each call adds a round, durably. */
  recorder(run: Run, parties: readonly NodeId[]): (round: RoundView) => void {
    const { kv, clock, log } = this.#context
    if (++this.#sincePruned >= PRUNE_EVERY)
      this.prune().catch((error) => log.info('views are kept', { code: EnigmaError.from(error).code }))
    const at = clock.now()
    let rounds: RoundView[] = []
    return (round) => {
      rounds = [...rounds, round].slice(-VIEW_ROUNDS)
      kv.set(NAMESPACE, key(run), encode([at, encodeView({ ...run, parties, rounds })]))
    }
  }

  get(run: Run): RunView | undefined {
    const stored = this.#context.kv.get(NAMESPACE, key(run))
    return stored && decodeMessage('view', decodeStored(stored).view)
  }

  /** What every other member has of the run. */
  async ask(own: RunView): Promise<Map<NodeId, Answer>> {
    const { transport } = this.#context
    const { jobId, nonce, parties } = own
    const request = encodeMessage('viewed', { jobId, nonce })
    const answers = parties
      .filter((id) => id !== transport.self)
      .map(async (id): Promise<[NodeId, Answer]> => {
        try {
          const bytes = await transport.request(id, PROTOCOLS.view, request, { timeoutMs: ASK_TIMEOUT_MS })
          if (bytes.length > MAX_VIEW_BYTES) return [id, 'refused']
          const view = decodeMessage('view', bytes)
          return [id, isOf(view, own) ? view : 'refused']
        } catch (error) {
          return [id, hasCode(error, 'PEER_UNREACHABLE', 'CHANNEL_CLOSED', 'TIMEOUT') ? 'silent' : 'refused']
        }
      })
    return new Map(await Promise.all(answers))
  }

  /** Forgets what nobody asks about any more, and the oldest of more than `most`. */
  async prune(most = MAX_VIEWS): Promise<void> {
    const { kv, clock } = this.#context
    this.#sincePruned = 0
    const before = clock.now() - KEPT_MS
    const kept: { name: string; at: number }[] = []
    let after: string | undefined
    for (;;) {
      await turn()
      const page = kv.list(NAMESPACE, after, PAGE)
      for (const { key: name, value } of page) {
        const { at } = decodeStored(value)
        if (at < before) kv.delete(NAMESPACE, name)
        else kept.push({ name, at })
      }
      if (page.length < PAGE) break
      after = page.at(-1)?.key
    }
    const tooMany = kept.sort((a, b) => a.at - b.at).slice(0, Math.max(0, kept.length - most))
    for (const { name } of tooMany) {
      await turn()
      kv.delete(NAMESPACE, name)
    }
  }
}

/** Whether it is a view of the same run by the same parties, each of which has a statement in every round. */
function isOf(view: RunView, own: RunView): boolean {
  return (
    view.jobId === own.jobId &&
    view.nonce === own.nonce &&
    view.parties.join() === own.parties.join() &&
    view.rounds.every((r) => r.signed.length === own.parties.length)
  )
}

function encodeView({ jobId, nonce, parties, rounds }: RunView): Uint8Array {
  const statements = rounds.map(({ round, signed }) => ({ round, signed: [...signed] }))
  return encodeMessage('view', { jobId, nonce, parties: [...parties], rounds: statements })
}

function decodeStored(stored: Uint8Array): { at: number; view: Uint8Array } {
  const [at, view] = decode(stored) as [number, Uint8Array]
  return { at, view }
}

function key({ jobId, nonce }: Run): string {
  return `${jobId}/${nonce}`
}
