import { createHash } from 'node:crypto'
import { withTimeout } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import { second } from '../base/units.ts'
import { deadline, orAbort } from '../transport/requests.ts'
import type { NodeId, Session } from '../transport/types.ts'

const HEADER = 16
const VERSION = 1
const ABORT = 255
const WORKING = 254
/** A peer that does not read holds up the end of a session no longer. */
const ABORT_MS = 2 * second
/** How much longer than `timeoutMs` a party may take that says it is working: in all, over a session, in timeouts. */
const PATIENCE = 10
/** "Still working" to one party, in a timeout. */
const BEATS = 4
/** What somebody may have sent before this party began to count. */
const BEATS_BEFORE = 64

/** Why a party is blamed; `details.reason` of MPC_ABORTED. */
export type Reason =
  | 'MALFORMED'
  | 'OUT_OF_STEP'
  | 'BAD_KEY'
  | 'BAD_CIPHERTEXT'
  | 'BAD_PROOF'
  | 'NOT_CANONICAL'
  | 'BAD_OPENING'
  | 'MAC_CHECK'
  | 'ECHO'
  | 'BAD_MATERIAL'
  | 'TOLD'
  | 'DIFFERENT_PROGRAM'
  | 'BAD_SIGNATURE'
  | 'BAD_INPUT'

/** The steps of preprocessing and of the online phase; a message names its step, and comes in its turn. */
export const STEP = {
  nonce: 1,
  key: 2,
  keyProof: 3,
  ciphertext: 4,
  proof: 5,
  reply: 6,
  commit: 7,
  reveal: 8,
  open: 9,
  toOwner: 10,
  echo: 11,
  hello: 12,
  collect: 13,
  result: 14,
  round: 15,
  input: 16,
} as const
export type Step = (typeof STEP)[keyof typeof STEP]

/** Whether a session ended because a connection was lost, as far as this party saw or was told: `details.cut`. */
export function isCut(error: unknown): boolean {
  return hasCode(error, 'MPC_PARTY_LOST', 'MPC_ABORTED') && EnigmaError.from(error).details?.cut === true
}

export interface ChannelOptions {
  readonly session: Session
  /** In party order. */
  readonly parties: readonly NodeId[]
  readonly index: number
  /** Longest silence of one party; the same at all parties. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Of one of the others. */
interface Peer {
  sent: number
  received: number
  /** When it was last sent something. */
  told: number
  /** Whether "still working" is on its way to it. */
  telling: boolean
  /** How often it said that it was working. */
  beats: number
  /** Milliseconds that it took beyond the timeout. */
  overtime: number
}

/**
 * Ordered, typed messages between the parties of a session of preprocessing or of SPDZ. Every message carries its step and its number in
 * the order of its sender, so that nothing can be dropped, repeated or moved; whoever sends something else is named.
 * Header: version u8 · step u8 · 0 u16 · number u32 · 8 bytes of the session's digest.
 *
 * "Still working" is a message without number or payload, with its distance in the third byte: 0 of a party at work, 1 of one that
 * waits for such a party. It is passed on once, so that whoever waits for both blames the right one.
 */
export class PartyChannel {
  readonly parties: readonly NodeId[]
  readonly index: number
  readonly #o: ChannelOptions
  readonly #tag: Uint8Array
  readonly #peers: readonly Peer[]
  readonly #since = performance.now()
  #working = 0
  #timer: NodeJS.Timeout | undefined
  /** Of everything broadcast, in order. */
  #echo = createHash('sha256')
  #failed: EnigmaError | undefined
  bytesSent = 0
  bytesReceived = 0
  messagesSent = 0

  constructor(options: ChannelOptions) {
    this.#o = options
    this.parties = options.parties
    this.index = options.index
    this.#tag = createHash('sha256')
      .update(`enigma/preprocessing/${options.session.id}`)
      .digest()
      .subarray(0, 8)
    this.#peers = options.parties.map(() => ({
      ...{ sent: 0, received: 0, told: this.#since, telling: false, beats: 0, overtime: 0 },
    }))
  }

  /** Indices of the others. */
  get others(): number[] {
    return this.parties.map((_, i) => i).filter((i) => i !== this.index)
  }

  /** Throws MPC_PARTY_LOST, also when the party does not read for as long as it may take to work; CANCELLED. */
  async send(to: number, step: Step, payload: Uint8Array): Promise<void> {
    this.#check()
    const peer = this.#peers[to]!
    const header = this.#header(step)
    new DataView(header.buffer).setUint32(4, peer.sent, true)
    peer.sent += 1
    peer.told = performance.now()
    this.bytesSent += HEADER + payload.length
    this.messagesSent += 1
    const { timeoutMs, session, signal } = this.#o
    const limit = deadline((1 + PATIENCE) * timeoutMs, `party ${this.parties[to]}`, signal)
    try {
      await orAbort(session.send(this.parties[to]!, header, payload), limit.signal)
    } catch (error) {
      throw this.#lost(to, error)
    } finally {
      limit.done()
    }
  }

  /**
   * Does `work` of this party's own, which must leave the event loop its turns, and lets the others know while it lasts:
   * they wait beyond the timeout, though not for ever.
   */
  async working<T>(work: () => Promise<T>): Promise<T> {
    this.#working += 1
    const tell = () => this.#beat(0)
    tell()
    this.#timer ??= setInterval(tell, this.#o.timeoutMs / BEATS).unref()
    try {
      return await work()
    } finally {
      this.#working -= 1
      if (this.#working === 0) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
    }
  }

  /** The next message of a party, which must be of this step. Throws MPC_PARTY_LOST, MPC_ABORTED, CANCELLED; see `isCut`. */
  async receive(from: number, step: Step): Promise<Uint8Array> {
    this.#check()
    const message = await this.#next(from)
    if (message[1] === ABORT) throw this.#told(from, message[2] === 1)
    const peer = this.#peers[from]!
    const number = new DataView(message.buffer, message.byteOffset).getUint32(4, true)
    if (message[1] !== step || number !== peer.received)
      throw this.blame(from, 'OUT_OF_STEP', 'sent a message out of step')
    peer.received += 1
    return message.subarray(HEADER)
  }

  /** Sends to all and receives of all: payloads in party order, one's own included. */
  async broadcast(step: Step, payload: Uint8Array): Promise<Uint8Array[]> {
    const [all] = await this.broadcastAll(step, [payload])
    return all!
  }

  /** Several broadcasts that need not wait for each other: for each, payloads in party order. */
  async broadcastAll(step: Step, payloads: readonly Uint8Array[]): Promise<Uint8Array[][]> {
    const sending = Promise.all(
      this.others.map(async (to) => {
        for (const payload of payloads) await this.send(to, step, payload)
      }),
    )
    sending.catch(() => undefined)
    const all: Uint8Array[][] = []
    for (const payload of payloads) {
      const parts: Uint8Array[] = []
      for (const i of this.parties.keys())
        parts.push(i === this.index ? payload : await this.receive(i, step))
      for (const part of parts) this.note(part)
      all.push(parts)
    }
    await sending
    return all
  }

  /** Adds to what `echo` compares. */
  note(bytes: Uint8Array): void {
    this.#echo.update(createHash('sha256').update(bytes).digest())
  }

  /** Of what was broadcast so far: 32 bytes. The same at all parties after `echo`. */
  get transcript(): Uint8Array {
    return this.#echo.copy().digest()
  }

  /** That all parties received the same broadcasts so far. Throws MPC_ABORTED (ECHO): someone told two stories. */
  async echo(): Promise<void> {
    const own = this.transcript
    const sending = Promise.all(this.others.map((to) => this.send(to, STEP.echo, own)))
    sending.catch(() => undefined)
    for (const i of this.others) {
      const theirs = await this.receive(i, STEP.echo)
      if (Buffer.compare(theirs, own) !== 0)
        throw this.fail('ECHO', 'the parties received different broadcasts')
    }
    await sending
  }

  /** An error that names a party. */
  blame(party: number, reason: Reason, what: string, more: { closing?: true } = {}): EnigmaError {
    return new EnigmaError('MPC_ABORTED', `party ${this.parties[party]} ${what}`, {
      details: { party: this.parties[party]!, index: party, reason, ...more },
    })
  }

  /** An error that names nobody. */
  fail(reason: Reason, what: string): EnigmaError {
    return new EnigmaError('MPC_ABORTED', what, { details: { reason } })
  }

  /** Tells the others that it is over, as far as they listen, and whether only a connection was lost. */
  async abort(error?: unknown): Promise<void> {
    this.#failed ??= new EnigmaError('CANCELLED', 'the session is over')
    const header = this.#header(ABORT)
    header[2] = Number(isCut(error))
    const told = Promise.allSettled(this.others.map((to) => this.#o.session.send(this.parties[to]!, header)))
    await withTimeout(told, ABORT_MS, 'a peer').catch(() => undefined)
  }

  #header(step: number): Uint8Array<ArrayBuffer> {
    const header = new Uint8Array(HEADER)
    header[0] = VERSION
    header[1] = step
    header.set(this.#tag, 8)
    return header
  }

  /** The next message of a party that is more than a sign of life. */
  async #next(from: number): Promise<Uint8Array> {
    const { session, timeoutMs, signal } = this.#o
    const peer = this.#peers[from]!
    const start = performance.now()
    let limit = start + timeoutMs
    try {
      for (;;) {
        const message = await session.receive(this.parties[from]!, {
          timeoutMs: Math.max(0, limit - performance.now()),
          ...(signal === undefined ? {} : { signal }),
        })
        this.bytesReceived += message.length
        const tag = message.subarray(8, HEADER)
        if (message.length < HEADER || message[0] !== VERSION || tag.some((b, i) => b !== this.#tag[i]))
          throw this.blame(from, 'MALFORMED', 'sent a malformed message')
        if (message[1] !== WORKING) return message
        const distance = message[2]!
        const now = performance.now()
        peer.beats += 1
        const allowed = BEATS_BEFORE + (2 * BEATS * (now - this.#since)) / timeoutMs
        if (message.length !== HEADER || distance > 1 || peer.beats > allowed)
          throw this.blame(from, 'MALFORMED', 'said that it was working in a wrong way, or too often')
        // Whoever waits for others may have to wait for each of them.
        const patience = PATIENCE * timeoutMs * (distance === 0 ? 1 : this.parties.length)
        limit = Math.max(limit, Math.min(now + timeoutMs, start + timeoutMs + patience - peer.overtime))
        if (now > limit) throw new EnigmaError('TIMEOUT', 'the party took too long')
        if (distance === 0) this.#beat(1, from)
      }
    } catch (error) {
      throw hasCode(error, 'MPC_ABORTED') ? error : this.#lost(from, error)
    } finally {
      peer.overtime += Math.max(0, performance.now() - start - timeoutMs)
    }
  }

  /** Says "still working" to everybody who has heard nothing for a while. */
  #beat(distance: 0 | 1, except?: number): void {
    if (this.#failed !== undefined) return
    const now = performance.now()
    for (const to of this.others) {
      const peer = this.#peers[to]!
      if (to === except || peer.telling || now - peer.told < this.#o.timeoutMs / BEATS) continue
      peer.told = now
      peer.telling = true
      const header = this.#header(WORKING)
      header[2] = distance
      this.#o.session
        .send(this.parties[to]!, header)
        // A party that is lost is noticed where something is expected of it.
        .catch(() => undefined)
        .finally(() => {
          peer.telling = false
        })
    }
  }

  #check(): void {
    if (this.#o.signal?.aborted) throw new EnigmaError('CANCELLED', 'preprocessing was cancelled')
    if (this.#failed !== undefined) throw this.#failed
  }

  #told(from: number, cut: boolean): EnigmaError {
    return new EnigmaError('MPC_ABORTED', `party ${this.parties[from]} ended the session`, {
      details: { party: this.parties[from]!, index: from, reason: 'TOLD', ...(cut && { cut }) },
    })
  }

  #lost(party: number, error: unknown): EnigmaError {
    if (hasCode(error, 'CANCELLED')) return EnigmaError.from(error)
    const cut = hasCode(error, 'CHANNEL_CLOSED')
    return new EnigmaError('MPC_PARTY_LOST', `party ${this.parties[party]} does not answer`, {
      cause: error,
      details: { party: this.parties[party]!, index: party, ...(cut && { cut }) },
    })
  }
}
