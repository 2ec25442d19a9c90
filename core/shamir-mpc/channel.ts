import { withTimeout } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import type { NodeId, Session } from '../transport/types.ts'
import { FAREWELL_TIMEOUT_MS, LAST_WORDS_MS, PROTOCOL_VERSION, TELL_TIMEOUT_MS, WINDOW } from './constants.ts'
import type { Traffic } from './types.ts'
import { decodeMessage, encodeMessage, type Header, KIND, type Kind, sessionTag } from './wire.ts'

/** What a message must be to be accepted. */
export interface Expected {
  readonly kind: Kind
  readonly round: number
  readonly offset: number
  readonly count: number
  /** Exact length of the payload; absent for `hello`, whose reader checks it. */
  readonly bytes?: number
}

/** Why a party is blamed; `details.reason` of MPC_ABORTED. */
export type Reason =
  | 'MALFORMED'
  | 'OUT_OF_STEP'
  | 'NOT_CANONICAL'
  | 'DIFFERENT_PROGRAM'
  | 'INCONSISTENT'
  | 'TOLD'

export interface ChannelOptions {
  readonly session: Session
  readonly parties: readonly NodeId[]
  readonly index: number
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

const NOBODY = 255
const ABORT_CODES = ['MPC_ABORTED', 'MPC_PARTY_LOST', 'CANCELLED'] as const
/**
 * Messages of one committee session, by party index: framing, the checks of wire.ts, timeouts that name the
 * silent party, and the end of the session for all when one fails.
 */
export class Channel {
  readonly #o: ChannelOptions
  readonly #tag: Uint8Array
  #rounds = 0
  #messagesSent = 0
  #bytesSent = 0
  #bytesReceived = 0
  #closed = false
  /** Why this party ended the session. */
  #end: EnigmaError | undefined
  /** Messages of another kind of the same round that came first (the king's openings overtake its shares). */
  readonly #early = new Map<string, { header: Header; payload: Uint8Array }[]>()

  constructor(options: ChannelOptions) {
    this.#o = options
    this.#tag = sessionTag(options.session.id)
  }

  /** The number of the next round. Every party makes the same calls, so the numbers agree. */
  nextRound(): number {
    return ++this.#rounds
  }

  async send(
    to: number,
    kind: Kind,
    round: number,
    offset: number,
    count: number,
    payload: Uint8Array,
  ): Promise<void> {
    const message = encodeMessage(
      this.#tag,
      { version: PROTOCOL_VERSION, kind, round, offset, count },
      payload,
    )
    this.#messagesSent++
    this.#bytesSent += message.length
    try {
      await this.#handedOver(to, message)
    } catch (error) {
      throw (await this.#lastWords(to, round)) ?? this.#failure(error, to, round)
    }
  }

  /** The next message of a party, which must be exactly the expected one; returns its payload. */
  async receive(from: number, expected: Expected): Promise<Uint8Array> {
    const { round } = expected
    const early = this.#early.get(`${from}/${expected.kind}`)?.shift()
    if (early) return this.#check(from, expected, early.header, early.payload)
    const { timeoutMs } = this.#o
    const start = performance.now()
    let deadline = start + timeoutMs
    const notice = setTimeout(() => void this.#tell(KIND.wait, new Uint8Array(0), from), timeoutMs / 2)
    try {
      for (;;) {
        const bytes = await this.#next(from, round, deadline - performance.now())
        this.#bytesReceived += bytes.length
        const message = decodeMessage(this.#tag, bytes)
        if (message === undefined || message.header.version !== PROTOCOL_VERSION)
          throw this.blame(from, round, 'MALFORMED', 'sent a malformed message')
        const { header, payload } = message
        if (header.kind === KIND.wait && payload.length === 0) {
          // Bounded, so that parties that wait for each other in a circle end too.
          deadline = Math.min(performance.now() + timeoutMs, start + 2 * timeoutMs)
          continue
        }
        if (header.kind === KIND.abort) throw this.#told(from, round, payload)
        if (this.#keep(from, expected, header, payload)) continue
        return this.#check(from, expected, header, payload)
      }
    } finally {
      clearTimeout(notice)
    }
  }

  #check(from: number, expected: Expected, header: Header, payload: Uint8Array): Uint8Array {
    if (
      header.kind !== expected.kind ||
      header.round !== expected.round ||
      header.offset !== expected.offset ||
      header.count !== expected.count
    )
      throw this.blame(
        from,
        expected.round,
        'OUT_OF_STEP',
        'sent a message that does not belong to this round',
      )
    if (expected.bytes !== undefined && payload.length !== expected.bytes)
      throw this.blame(from, expected.round, 'MALFORMED', 'sent a message of the wrong length')
    return payload
  }

  /** Sets a message of the round's other kind aside, a window's worth at most. */
  #keep(from: number, expected: Expected, header: Header, payload: Uint8Array): boolean {
    const other =
      expected.kind === KIND.data ? KIND.king : expected.kind === KIND.king ? KIND.data : undefined
    if (header.kind !== other || header.round !== expected.round) return false
    const key = `${from}/${other}`
    const kept = this.#early.get(key) ?? []
    if (kept.length > 2 * WINDOW) return false
    this.#early.set(key, [...kept, { header, payload }])
    return true
  }

  /** Typed evidence against a party. */
  blame(party: number, round: number, reason: Reason, what: string): EnigmaError {
    return new EnigmaError('MPC_ABORTED', `party ${party} ${what} (round ${round})`, {
      details: { party: this.#o.parties[party]!, index: party, round, reason },
    })
  }

  traffic(): Traffic {
    return {
      rounds: this.#rounds,
      messagesSent: this.#messagesSent,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
    }
  }

  /** Tells the others that this party stops, and why; then closes. */
  async abort(error: EnigmaError): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#end = error
    const code = Math.max(0, (ABORT_CODES as readonly string[]).indexOf(error.code))
    const index = error.details?.index
    // Without a culprit it is this party's own decision, unless shares disagree and nobody can be told.
    const cause = error.details?.reason === ('INCONSISTENT' satisfies Reason) ? NOBODY : this.#o.index
    const payload = Uint8Array.of(code, typeof index === 'number' ? index : cause)
    await this.#tell(KIND.abort, payload)
    // Not awaited: a peer that does not read must not hold up the news.
    this.#o.session.close().catch(() => undefined)
  }

  /** Ends a finished session: waits (briefly) for the others, since closing drops what they have not read. */
  async farewell(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#tell(KIND.bye, new Uint8Array(0))
    const timeoutMs = Math.min(this.#o.timeoutMs, FAREWELL_TIMEOUT_MS)
    const farewells = Promise.all(
      this.#o.session.peers.map(async (peer) => {
        for (;;) {
          const bytes = await this.#o.session.receive(peer, { timeoutMs })
          if (decodeMessage(this.#tag, bytes)?.header.kind !== KIND.wait) return
        }
      }),
    )
    await withTimeout(farewells, timeoutMs, 'the committee').catch(() => undefined)
    await this.#o.session.close().catch(() => undefined)
  }

  async #next(from: number, round: number, leftMs: number): Promise<Uint8Array> {
    const { session, parties, signal } = this.#o
    try {
      const timeoutMs = Math.max(1, leftMs)
      return await session.receive(parties[from]!, { timeoutMs, ...(signal ? { signal } : {}) })
    } catch (error) {
      throw this.#failure(error, from, round)
    }
  }

  /** Sends, but neither waits longer than a round for a peer that does not read nor past a cancellation. */
  #handedOver(to: number, message: Uint8Array): Promise<void> {
    const { session, parties, timeoutMs, signal } = this.#o
    const sent = session.send(parties[to]!, message)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(new EnigmaError('TIMEOUT', 'not read')), timeoutMs)
      const cancel = () => done(new EnigmaError('CANCELLED', 'cancelled'))
      const done = (error?: unknown) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', cancel)
        if (error === undefined) resolve()
        else reject(error)
      }
      signal?.addEventListener('abort', cancel, { once: true })
      sent.then(
        () => done(),
        (error: unknown) => done(error ?? new EnigmaError('CHANNEL_CLOSED', 'closed')),
      )
    })
  }

  async #tell(kind: Kind, payload: Uint8Array, except?: number): Promise<void> {
    const header = { version: PROTOCOL_VERSION, kind, round: this.#rounds, offset: 0, count: payload.length }
    const message = encodeMessage(this.#tag, header, payload)
    const { session, parties, index } = this.#o
    const told = Promise.allSettled(
      parties.flatMap((peer, i) => (i === index || i === except ? [] : [session.send(peer, message)])),
    )
    await withTimeout(told, TELL_TIMEOUT_MS, 'the committee').catch(() => undefined)
  }

  /** A peer that closed its channel may have said why before. */
  async #lastWords(from: number, round: number): Promise<EnigmaError | undefined> {
    const { session, parties, signal } = this.#o
    if (signal?.aborted) return undefined
    try {
      for (const end = performance.now() + LAST_WORDS_MS; performance.now() < end; ) {
        const bytes = await session.receive(parties[from]!, { timeoutMs: LAST_WORDS_MS })
        const message = decodeMessage(this.#tag, bytes)
        if (message?.header.kind === KIND.abort) return this.#told(from, round, message.payload)
      }
    } catch {
      // Nothing more to read.
    }
    return undefined
  }

  #failure(error: unknown, party: number, round: number): EnigmaError {
    if (this.#end) return this.#end
    if (this.#o.signal?.aborted || hasCode(error, 'CANCELLED'))
      return new EnigmaError('CANCELLED', 'the computation was cancelled')
    if (hasCode(error, 'TIMEOUT'))
      return this.#lost(party, round, `did not answer within ${this.#o.timeoutMs} ms`)
    if (hasCode(error, 'FRAME_INVALID', 'FRAME_TOO_LARGE'))
      return this.blame(party, round, 'MALFORMED', 'sent an invalid frame')
    return this.#lost(party, round, 'is no longer reachable')
  }

  #lost(party: number, round: number, what: string): EnigmaError {
    return new EnigmaError('MPC_PARTY_LOST', `party ${party} ${what} (round ${round})`, {
      remedy: 'The job can be repeated with another committee; no input was revealed.',
      details: { party: this.#o.parties[party]!, index: party, round },
    })
  }

  /** A peer stopped: repeat its reason, and who said so. The accused may be this party itself. */
  #told(from: number, round: number, payload: Uint8Array): EnigmaError {
    if (payload.length !== 2) return this.blame(from, round, 'MALFORMED', 'sent a malformed message')
    const index = payload[1]!
    const reportedBy = this.#o.parties[from]!
    if (index === NOBODY)
      return new EnigmaError('MPC_ABORTED', `shares disagree, as party ${from} reports (round ${round})`, {
        details: { round, reason: 'TOLD' satisfies Reason, reportedBy },
      })
    const party = this.#o.parties[index]
    if (party === undefined) return this.blame(from, round, 'MALFORMED', 'sent a malformed message')
    if (index === from) return this.blame(from, round, 'TOLD', 'ended the computation')
    const code = ABORT_CODES[payload[0]!] === 'MPC_PARTY_LOST' ? 'MPC_PARTY_LOST' : 'MPC_ABORTED'
    return new EnigmaError(code, `party ${index} failed, as party ${from} reports (round ${round})`, {
      details: { party, index, round, reason: 'TOLD', reportedBy },
    })
  }
}
