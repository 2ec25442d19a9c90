import { EnigmaError } from '../base/errors.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { Channel } from './channel.ts'
import { CHUNK, MAX_PARTIES, ROUND_TIMEOUT_MS } from './constants.ts'
import { receiveInput, sendInput } from './input.ts'
import { multiplyProducts } from './multiply.ts'
import { openAll } from './open.ts'
import { type Preprocessing, ReplicatedPreprocessing } from './preprocessing.ts'
import { KingReducer, type Reducer, type ReducerOptions, ReshareReducer } from './reduction.ts'
import { agree } from './setup.ts'
import type { Committee, PartyOptions, Product, ShamirParty, Traffic } from './types.ts'

/**
 * Joins the committee's session and agrees on keys (one round). Throws MPC_COMMITTEE_TOO_SMALL unless
 * t ≥ 1 and n ≥ 2t + 1, INVALID_ARGUMENT when the session and the committee differ, and the codes of
 * `ShamirParty` when a party is missing or about to run something else.
 */
export async function joinCommittee(options: PartyOptions): Promise<ShamirParty> {
  const { field, session, committee } = options
  const { parties, threshold: t } = committee
  const n = parties.length
  if (!Number.isSafeInteger(t) || t < 1 || n < 2 * t + 1)
    throw new EnigmaError(
      'MPC_COMMITTEE_TOO_SMALL',
      `a committee of ${n} cannot multiply with threshold ${t}: it takes at least ${Math.max(3, 2 * t + 1)}`,
    )
  if (n > MAX_PARTIES)
    throw new EnigmaError('INVALID_ARGUMENT', `a committee has at most ${MAX_PARTIES} parties, not ${n}`)
  const index = parties.indexOf(session.self)
  const others = parties.filter((p) => p !== session.self)
  if (
    index < 0 ||
    new Set(parties).size !== n ||
    [...others].sort().join() !== [...session.peers].sort().join()
  )
    throw new EnigmaError('INVALID_ARGUMENT', `session ${session.id} is not among exactly the committee`)
  const chunk = options.chunk ?? CHUNK
  if (!Number.isSafeInteger(chunk) || chunk < 1)
    throw new EnigmaError('INVALID_ARGUMENT', `chunks of ${chunk} elements`)

  const channel = new Channel({
    session,
    parties,
    index,
    timeoutMs: options.roundTimeoutMs ?? ROUND_TIMEOUT_MS,
    signal: options.signal,
  })
  const reduction = options.degreeReduction ?? 'reshare'
  try {
    const context = options.context ?? new Uint8Array(32)
    const setup = { n, t, index, modulus: field.modulus, chunk, reduction, context }
    const keys = await agree(channel, setup)
    const shared: ReducerOptions = { field, channel, keys, n, t, index, chunk }
    if (reduction === 'king' && keys.random.length === 0)
      throw new EnigmaError('UNSUPPORTED', `replicated keys for ${n} parties are too many; use re-sharing`)
    const preprocessing = new ReplicatedPreprocessing(field, keys, n, t, index)
    const reducer = reduction === 'king' ? new KingReducer(shared, preprocessing) : new ReshareReducer(shared)
    return new Party(committee, shared, reducer, keys.zero.length > 0 ? preprocessing : undefined)
  } catch (error) {
    const failure = EnigmaError.from(error)
    await channel.abort(failure)
    throw failure
  }
}

class Party implements ShamirParty {
  readonly field: PrimeField
  readonly committee: Committee
  readonly index: number
  readonly #o: ReducerOptions
  readonly #reducer: Reducer
  readonly #preprocessing: Preprocessing | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #ended: EnigmaError | undefined

  constructor(
    committee: Committee,
    options: ReducerOptions,
    reducer: Reducer,
    preprocessing: Preprocessing | undefined,
  ) {
    this.committee = committee
    this.field = options.field
    this.index = options.index
    this.#o = options
    this.#reducer = reducer
    this.#preprocessing = preprocessing
  }

  multiply(products: readonly Product[]): Promise<FieldVector[]> {
    return this.#run(() => multiplyProducts(this.field, this.#reducer, products))
  }

  input(owner: number, values: FieldVector | number): Promise<FieldVector> {
    return this.#run(() => {
      if (!Number.isSafeInteger(owner) || owner < 0 || owner >= this.#o.n)
        throw new EnigmaError('INVALID_ARGUMENT', `party ${owner} is not in the committee`)
      if (owner === this.index) {
        if (typeof values === 'number')
          throw new EnigmaError('INVALID_ARGUMENT', 'the owner of an input passes its values')
        return sendInput(this.#o, values)
      }
      return receiveInput(this.#o, owner, typeof values === 'number' ? values : values.length)
    })
  }

  open(share: FieldVector): Promise<FieldVector> {
    return this.#run(() => openAll(this.#o, share))
  }

  refresh(share: FieldVector): Promise<FieldVector> {
    return this.#run(async () => {
      if (!this.#preprocessing)
        return this.#reducer.reduce(share.length, (from, to) => this.field.slice(share, from, to))
      const zero = this.#preprocessing.zero(share.length)
      const out = this.field.add(share, zero)
      zero.free()
      return out
    })
  }

  traffic(): Traffic {
    return this.#o.channel.traffic()
  }

  async close(reason?: unknown): Promise<void> {
    if (this.#ended) return
    this.#ended = new EnigmaError('NOT_RUNNING', 'this party has left the committee')
    if (reason === undefined) {
      await this.#tail
      await this.#o.channel.farewell()
    } else await this.#o.channel.abort(EnigmaError.from(reason))
  }

  /** One operation at a time: the streams of both ends of a key advance in the same order. */
  #run<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      if (this.#ended) throw this.#ended
      try {
        return await operation()
      } catch (error) {
        const failure = EnigmaError.from(error)
        this.#ended ??= failure
        await this.#o.channel.abort(failure)
        throw failure
      }
    })
    this.#tail = result.catch(() => undefined)
    return result
  }
}
