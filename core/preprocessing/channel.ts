import { createHash } from 'node:crypto'
import { EnigmaError, hasCode } from '../base/errors.ts'
import type { NodeId, Session } from '../transport/types.ts'

const HEADER = 16
const VERSION = 1
const ABORT = 255

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

export interface ChannelOptions {
  readonly session: Session
  /** In party order. */
  readonly parties: readonly NodeId[]
  readonly index: number
  /** Longest silence of one party. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Ordered, typed messages between the parties of a session of preprocessing or of SPDZ. Every message carries its step and its number in
 * the order of its sender, so that nothing can be dropped, repeated or moved; whoever sends something else is named.
 * Header: version u8 · step u8 · 0 u16 · number u32 · 8 bytes of the session's digest.
 */
export class PartyChannel {
  readonly parties: readonly NodeId[]
  readonly index: number
  readonly #o: ChannelOptions
  readonly #tag: Uint8Array
  readonly #sent: number[]
  readonly #received: number[]
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
    this.#sent = options.parties.map(() => 0)
    this.#received = options.parties.map(() => 0)
  }

  /** Indices of the others. */
  get others(): number[] {
    return this.parties.map((_, i) => i).filter((i) => i !== this.index)
  }

  async send(to: number, step: Step, payload: Uint8Array): Promise<void> {
    this.#check()
    const message = new Uint8Array(HEADER + payload.length)
    message[0] = VERSION
    message[1] = step
    new DataView(message.buffer).setUint32(4, this.#sent[to]!, true)
    this.#sent[to]! += 1
    message.set(this.#tag, 8)
    message.set(payload, HEADER)
    this.bytesSent += message.length
    this.messagesSent += 1
    try {
      await this.#o.session.send(this.parties[to]!, message)
    } catch (error) {
      throw this.#lost(to, error)
    }
  }

  /** The next message of a party, which must be of this step. Throws MPC_PARTY_LOST, MPC_ABORTED, CANCELLED. */
  async receive(from: number, step: Step): Promise<Uint8Array> {
    this.#check()
    let message: Uint8Array
    try {
      message = await this.#o.session.receive(this.parties[from]!, {
        timeoutMs: this.#o.timeoutMs,
        ...(this.#o.signal === undefined ? {} : { signal: this.#o.signal }),
      })
    } catch (error) {
      throw this.#lost(from, error)
    }
    this.bytesReceived += message.length
    const tag = message.subarray(8, HEADER)
    if (message.length < HEADER || message[0] !== VERSION || tag.some((b, i) => b !== this.#tag[i]))
      throw this.blame(from, 'MALFORMED', 'sent a malformed message')
    if (message[1] === ABORT) throw this.#told(from)
    const number = new DataView(message.buffer, message.byteOffset).getUint32(4, true)
    if (message[1] !== step || number !== this.#received[from])
      throw this.blame(from, 'OUT_OF_STEP', 'sent a message out of step')
    this.#received[from]! += 1
    return message.subarray(HEADER)
  }

  /** Sends to all and receives of all: payloads in party order, one's own included. */
  async broadcast(step: Step, payload: Uint8Array): Promise<Uint8Array[]> {
    const sending = Promise.all(this.others.map((to) => this.send(to, step, payload)))
    sending.catch(() => undefined)
    const all: Uint8Array[] = []
    for (const i of this.parties.keys()) all.push(i === this.index ? payload : await this.receive(i, step))
    await sending
    for (const part of all) this.note(part)
    return all
  }

  /** Adds to what `echo` compares. */
  note(bytes: Uint8Array): void {
    this.#echo.update(createHash('sha256').update(bytes).digest())
  }

  /** That all parties received the same broadcasts so far. Throws MPC_ABORTED (ECHO): someone told two stories. */
  async echo(): Promise<void> {
    const own = this.#echo.copy().digest()
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

  /** Tells the others that it is over. */
  async abort(): Promise<void> {
    const message = new Uint8Array(HEADER)
    message[0] = VERSION
    message[1] = ABORT
    message.set(this.#tag, 8)
    this.#failed ??= new EnigmaError('CANCELLED', 'the session is over')
    await Promise.allSettled(this.others.map((to) => this.#o.session.send(this.parties[to]!, message)))
  }

  #check(): void {
    if (this.#o.signal?.aborted) throw new EnigmaError('CANCELLED', 'preprocessing was cancelled')
    if (this.#failed !== undefined) throw this.#failed
  }

  #told(from: number): EnigmaError {
    return new EnigmaError('MPC_ABORTED', `party ${this.parties[from]} ended the session`, {
      details: { party: this.parties[from]!, index: from, reason: 'TOLD' },
    })
  }

  #lost(party: number, error: unknown): EnigmaError {
    if (hasCode(error, 'CANCELLED')) return EnigmaError.from(error)
    return new EnigmaError('MPC_PARTY_LOST', `party ${this.parties[party]} does not answer`, {
      cause: error,
      details: { party: this.parties[party]!, index: party },
    })
  }
}
