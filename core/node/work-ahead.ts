import { randomBytes } from 'node:crypto'
import { availableParallelism, loadavg } from 'node:os'
import * as z from 'zod'
import { encodeCanonical } from '../base/cbor.ts'
import { EnigmaError } from '../base/errors.ts'
import { second } from '../base/units.ts'
import { decodeCanonical } from '../dht/cbor.ts'
import type { PartyThread } from './compute/party-thread.ts'
import type { NodeContext } from './context.ts'

const BEGIN = 'preprocessing/begin'
const LOOK_MS = 10 * second
const ASK_TIMEOUT_MS = 5 * second
const MAX_PARTIES = 16

const nodeId = z.string().regex(/^0x[0-9a-f]{40}$/) as unknown as z.ZodType<`0x${string}`>
const begin = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  parties: z.array(nodeId).min(2).max(MAX_PARTIES),
})

/**
 * Makes material in idle time, so that jobs find it ready: the first member of an epoch asks the others for one batch
 * more, while no job runs here, and then rests as long as that took: half of one core at most. Each member commits to what is
 * in stock for audited jobs when the stock is complete.
 */
export class WorkAhead {
  readonly #context: NodeContext
  readonly #party: PartyThread
  readonly #busy: () => boolean
  #timer: NodeJS.Timeout | undefined
  #restUntil = 0

  constructor(context: NodeContext, party: PartyThread, busy: () => boolean) {
    this.#context = context
    this.#party = party
    this.#busy = busy
    context.serve(BEGIN, async (from, payload) => {
      const { id, parties } = decodeCanonical(payload, begin)
      const { self } = context.transport
      if (parties[0] !== from || !parties.includes(self) || new Set(parties).size !== parties.length)
        throw new EnigmaError('PERMISSION_DENIED', 'not the first member of a committee with this node')
      if (!this.#free() || party.working()) throw new EnigmaError('NOT_RUNNING', 'this node has other work')
      void this.#run(id, parties)
      return new Uint8Array()
    })
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #free(): boolean {
    const { clock, serving } = this.#context
    return serving() && !this.#busy() && clock.now() >= this.#restUntil
  }

  async #look(): Promise<void> {
    if (!this.#free() || this.#party.working()) return
    // Others use this computer too. (Always 0 on Windows.)
    if (loadavg()[0]! > availableParallelism() / 2) return
    if (!(await this.#lead())) await this.#commit()
  }

  /** False when nothing is short, or somebody has other work. */
  async #lead(): Promise<boolean> {
    const { transport } = this.#context
    const connected = transport.connectedPeers()
    const parties = (await this.#party.shortCommittees()).find((members) =>
      members.every((m) => m === transport.self || connected.includes(m)),
    )
    if (parties === undefined) return false
    const id = randomBytes(16).toString('hex')
    const others = parties.filter((party) => party !== transport.self)
    const asked = await Promise.allSettled(
      others.map((to) =>
        transport.request(to, BEGIN, encodeCanonical({ id, parties }), { timeoutMs: ASK_TIMEOUT_MS }),
      ),
    )
    if (asked.some((answer) => answer.status === 'rejected')) return false
    await this.#run(id, parties)
    return true
  }

  async #commit(): Promise<void> {
    await this.#working(async () => {
      if (await this.#party.commitAhead(() => this.#free())) this.#context.events.emit({ type: 'node' })
    })
  }

  async #run(id: string, parties: readonly `0x${string}`[]): Promise<void> {
    await this.#working(async () => {
      await this.#party.workAhead(`ahead/${id}`, parties)
      this.#context.events.emit({ type: 'node' })
    })
  }

  async #working(work: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#context
    const since = clock.now()
    try {
      await work()
    } catch (error) {
      log.info('no material made ahead', { code: EnigmaError.from(error).code })
    }
    this.#restUntil = clock.now() + (clock.now() - since)
  }
}
