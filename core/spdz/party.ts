import { createHash } from 'node:crypto'
import { concatBytes } from '../base/bytes.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { chainNext, chainStart, roundDigest } from '../commitments/rounds.ts'
import { appendInPieces, copyInPieces, joinInPieces } from '../field/pieces.ts'
import type { FieldVector, PrimeField, VectorBuilder } from '../field/types.ts'
import { AuthArithmetic, addUp, checkMacs, decodeVector, freeAuth, release } from '../preprocessing/auth.ts'
import { PartyChannel, STEP } from '../preprocessing/channel.ts'
import type { AuthShare, Triples } from '../preprocessing/types.ts'
import type { NodeId } from '../transport/types.ts'
import { BATCH, CHUNK, PENDING_LIMIT, ROUND_TIMEOUT_MS, SIGNATURE_BYTES, WINDOW } from './constants.ts'
import type { Product, SpdzOptions, SpdzParty } from './types.ts'

/**
 * Joins the session: all parties confirm that they are about to run the same. Throws as `SpdzParty` does;
 * DIFFERENT_PROGRAM names a party with another context, or with material of another epoch.
 */
export async function joinSpdz(options: SpdzOptions): Promise<SpdzParty> {
  const party = new Party(options)
  await party.hello()
  return party
}

/** Products that are masked and combined together. */
interface Batch {
  readonly triples: Triples
  /** x − a and y − b. */
  readonly masked: readonly [AuthShare, AuthShare]
}

class Party implements SpdzParty {
  readonly field: PrimeField
  readonly parties: readonly NodeId[]
  readonly index: number
  readonly local: AuthArithmetic
  readonly channel: PartyChannel
  readonly #o: SpdzOptions
  /** Opened and not yet checked. */
  #pending: { value: FieldVector; mac: FieldVector }[] = []
  #pendingLength = 0
  #rounds = 0
  #chain: Uint8Array
  #closed = false

  constructor(options: SpdzOptions) {
    const { field, parties, material, session } = options
    const { epoch } = material
    if (
      parties.length < 2 ||
      epoch.parties.length !== parties.length ||
      epoch.parties.some((id, i) => id !== parties[i]) ||
      parties[epoch.index] !== session.self
    )
      throw new EnigmaError('INVALID_ARGUMENT', 'the material is of another committee')
    this.#o = options
    this.field = field
    this.parties = parties
    this.index = epoch.index
    this.local = new AuthArithmetic(field, material.macKey, epoch.index)
    this.channel = new PartyChannel({
      session,
      parties,
      index: epoch.index,
      timeoutMs: options.roundTimeoutMs ?? ROUND_TIMEOUT_MS,
      signal: options.signal,
    })
    this.#chain = chainStart(options.context ?? new Uint8Array())
  }

  async hello(): Promise<void> {
    await this.#safely(async () => {
      const { context = new Uint8Array(), material, audit } = this.#o
      const own = createHash('sha256')
        .update(context)
        .update(material.epoch.id)
        .update(audit?.run ?? new Uint8Array())
        .digest()
      for (const [i, theirs] of (await this.channel.broadcast(STEP.hello, own)).entries())
        if (Buffer.compare(theirs, own) !== 0)
          throw this.channel.blame(i, 'DIFFERENT_PROGRAM', 'is about to run something else')
    })
  }

  round(
    products: readonly Product[],
    openings: readonly AuthShare[],
  ): Promise<{ products: AuthShare[]; opened: FieldVector[] }> {
    return this.#safely(async () => {
      const { field } = this
      if (products.some((p) => lengthOf(p) === 0))
        throw new EnigmaError('INVALID_ARGUMENT', 'a product of no elements')
      const batches = await this.#mask(products)
      // All first factors, then all second ones, as the verifier of a transcript expects (core/audit/tape.ts).
      const masked = [...batches.map((b) => b.masked[0]), ...batches.map((b) => b.masked[1])]
      const all = [...masked, ...openings]
      const values = await this.#open(all)
      const results = await this.#multiply(products, batches, values)
      const opened: FieldVector[] = []
      for (const v of values.slice(masked.length)) opened.push(await copyInPieces(field, v))
      for (const [k, { mac }] of all.entries()) {
        await turn()
        // Masked factors are this round's own; what the caller opens stays the caller's.
        const own = k < masked.length
        this.#pending.push({ value: values[k]!, mac: own ? mac : await copyInPieces(field, mac) })
        if (own) masked[k]!.share.free()
        this.#pendingLength += mac.length
      }
      if (this.#pendingLength > PENDING_LIMIT) await this.#check()
      return { products: results, opened }
    })
  }

  /** The factors of all products one after the other, in batches, each under the masks of its triples. */
  async #mask(products: readonly Product[]): Promise<Batch[]> {
    const { field } = this
    const ends: number[] = []
    for (const p of products) ends.push((ends.at(-1) ?? 0) + lengthOf(p))
    const total = ends.at(-1) ?? 0
    const size = this.#o.batch ?? BATCH
    const batches: Batch[] = []
    for (let from = 0; from < total; from += size) {
      const to = Math.min(total, from + size)
      const triples = await this.#o.material.triples(to - from)
      const masked = async (factor: 'a' | 'b', of: 'share' | 'mac') => {
        const joined = field.builder(to - from)
        for (const [k, p] of products.entries()) {
          const start = ends[k]! - lengthOf(p)
          const [first, last] = [Math.max(from, start) - start, Math.min(to, ends[k]!) - start]
          if (first < last) await appendStretched(field, joined, p[factor][of], first, last)
        }
        const factors = joined.done()
        const difference = field.sub(factors, triples[factor][of])
        factors.free()
        await turn()
        return difference
      }
      const both = async (factor: 'a' | 'b'): Promise<AuthShare> => ({
        share: await masked(factor, 'share'),
        mac: await masked(factor, 'mac'),
      })
      batches.push({ triples, masked: [await both('a'), await both('b')] })
    }
    return batches
  }

  /** `values` begin with the masked first factors of the batches, opened, then their second ones. */
  async #multiply(
    products: readonly Product[],
    batches: readonly Batch[],
    values: readonly FieldVector[],
  ): Promise<AuthShare[]> {
    const { field, local } = this
    const results: AuthShare[] = []
    /** Parts of the product that is not complete yet. */
    let parts: AuthShare[] = []
    let missing = products.length === 0 ? 0 : lengthOf(products[0]!)
    for (const [k, { triples }] of batches.entries()) {
      const batch = await this.#combine(triples, values[k]!, values[batches.length + k]!)
      await release(triples.a, triples.b, triples.c)
      const length = batch.share.length
      // All of one product: no need to cut it.
      const uncut = missing >= length
      for (let at = 0; at < length; ) {
        const to = Math.min(length, at + missing)
        const { op } = products[results.length]!
        const piece = uncut ? batch : local.slice(batch, at, to)
        parts.push(op === 'mul' ? piece : local.map(piece, (v) => field.sum(v)))
        if (op === 'inner') freeAuth(piece)
        await turn()
        missing -= to - at
        at = to
        if (missing > 0) continue
        const several = parts.length > 1
        const whole = await local.join(parts)
        results.push(op === 'mul' || !several ? whole : local.map(whole, (v) => field.sum(v)))
        if (op === 'inner' && several) freeAuth(whole)
        parts = []
        const next = products[results.length]
        missing = next === undefined ? 0 : lengthOf(next)
      }
      if (!uncut) freeAuth(batch)
    }
    return results
  }

  input(owner: number, values: FieldVector | number): Promise<AuthShare> {
    return this.#safely(async () => {
      const { field } = this
      const length = typeof values === 'number' ? values : values.length
      if ((owner === this.index) === (typeof values === 'number'))
        throw new EnigmaError('INVALID_ARGUMENT', 'only the owner of an input gives its values')
      const { shares, clear } = await this.#o.material.masks(owner, length)
      let difference: FieldVector
      if (typeof values !== 'number') {
        if (clear === undefined) throw new EnigmaError('INTERNAL', 'the owner does not know its masks')
        difference = field.sub(values, clear)
        clear.free()
        const bytes = field.toMontgomery(difference)
        for (const to of this.channel.others) await this.channel.send(to, STEP.input, bytes)
        this.channel.note(bytes)
      } else {
        const bytes = await this.channel.receive(owner, STEP.input)
        difference = decodeVector(this.channel, field, owner, bytes, length)
        this.channel.note(bytes)
      }
      const out = this.local.addPublic(shares, difference)
      freeAuth(shares)
      difference.free()
      return out
    })
  }

  /** Whether anything was opened since the last check. */
  get unchecked(): boolean {
    return this.#pendingLength > 0
  }

  check(): Promise<void> {
    return this.#safely(() => this.#check())
  }

  traffic() {
    const { messagesSent, bytesSent, bytesReceived } = this.channel
    return { rounds: this.#rounds, messagesSent, bytesSent, bytesReceived }
  }

  async close(reason?: unknown): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const { value, mac } of this.#pending.splice(0)) {
      value.free()
      mac.free()
    }
    if (reason !== undefined) await this.channel.abort(reason)
    await this.#o.session.close()
  }

  async #check(): Promise<void> {
    const pending = this.#pending.splice(0)
    this.#pendingLength = 0
    try {
      await this.channel.echo()
      await checkMacs(this.channel, this.local, pending, this.#o.material.checks)
    } finally {
      for (const { value, mac } of pending) {
        await turn()
        value.free()
        mac.free()
      }
    }
  }

  async #combine({ a, b, c }: Triples, d: FieldVector, e: FieldVector): Promise<AuthShare> {
    const { field } = this
    const square = field.mul(d, e)
    await turn()
    const mac = field.sumOfProducts(
      [
        [d, b.mac],
        [e, a.mac],
        [square, this.local.macKey],
      ],
      c.mac,
    )
    await turn()
    let share = field.sumOfProducts(
      [
        [d, b.share],
        [e, a.share],
      ],
      c.share,
    )
    if (this.index === 0) {
      const own = share
      share = field.add(own, square)
      own.free()
    }
    square.free()
    return { share, mac }
  }

  /** Values of shared vectors, all in one round. */
  async #open(shares: readonly AuthShare[]): Promise<FieldVector[]> {
    const { field } = this
    if (shares.length === 0) return []
    this.#rounds += 1
    const vectors = shares.map(({ share }) => share)
    // Transcripts have one payload a round. Elsewhere only short vectors are worth a copy.
    const audited = this.#o.audit !== undefined
    const runs = audited ? [vectors] : runsOf(vectors, this.#o.chunk ?? CHUNK)
    const pieces = runs.map((run) => (run.length === 1 ? run[0]! : field.concat(run)))
    const opened = audited ? [await this.#broadcast(pieces[0]!)] : await this.#collect(pieces)
    const values: FieldVector[] = []
    for (const [k, run] of runs.entries()) {
      await turn()
      if (run.length === 1) {
        values.push(opened[k]!)
        continue
      }
      let at = 0
      for (const { length } of run) {
        values.push(field.slice(opened[k]!, at, at + length))
        at += length
      }
      pieces[k]!.free()
      opened[k]!.free()
    }
    return values
  }

  /**
   * Chunk k is added up by party k mod n, which sends the sum to all: 2(n − 1) messages instead of n(n − 1). What a party
   * is told is compared in `check`.
   */
  async #collect(pieces: readonly FieldVector[]): Promise<FieldVector[]> {
    const { field, channel, index } = this
    const n = this.parties.length
    const size = this.#o.chunk ?? CHUNK
    const chunks = pieces
      .flatMap((share, piece) =>
        Array.from({ length: Math.ceil(share.length / size) }, (_, k) => ({
          ...{ share, piece },
          from: k * size,
          to: Math.min(share.length, (k + 1) * size),
        })),
      )
      .map((chunk, k) => ({ ...chunk, collector: k % n }))
    const opened: FieldVector[][] = pieces.map(() => [])
    for (let at = 0; at < chunks.length; at += WINDOW) {
      await turn()
      const window = chunks.slice(at, at + WINDOW)
      const own: FieldVector[] = []
      for (const { share, from, to } of window) {
        await turn()
        own.push(field.slice(share, from, to))
      }
      const sending = (async () => {
        for (const [k, { collector }] of window.entries()) {
          if (collector === index) continue
          await turn()
          await channel.send(collector, STEP.collect, field.toMontgomery(own[k]!))
        }
      })()
      sending.catch(() => undefined)
      const sums = new Map<number, FieldVector>()
      const results: [number, Uint8Array][] = []
      for (const [k, { from, to, collector }] of window.entries()) {
        await turn()
        if (collector !== index) continue
        const parts = [own[k]!]
        for (const i of channel.others) {
          const bytes = await channel.receive(i, STEP.collect)
          await turn()
          parts.push(decodeVector(channel, field, i, bytes, to - from))
        }
        const sum = addUp(field, parts)
        for (const part of parts.slice(1)) part.free()
        sums.set(k, sum)
        results.push([k, field.toMontgomery(sum)])
      }
      await sending
      const telling = (async () => {
        for (const [, bytes] of results) {
          await turn()
          await Promise.all(channel.others.map((to) => channel.send(to, STEP.result, bytes)))
        }
      })()
      telling.catch(() => undefined)
      const known = new Map(results)
      for (const [k, { piece, from, to, collector }] of window.entries()) {
        let bytes = known.get(k)
        if (bytes === undefined) {
          bytes = await channel.receive(collector, STEP.result)
          await turn()
          sums.set(k, decodeVector(channel, field, collector, bytes, to - from))
        }
        channel.note(bytes)
        opened[piece]!.push(sums.get(k)!)
        own[k]!.free()
      }
      await telling
    }
    const values: FieldVector[] = []
    for (const parts of opened) values.push(await joinInPieces(field, parts))
    return values
  }

  /** Every party's shares to all, chained to what came before, signed, recorded. */
  async #broadcast(share: FieldVector): Promise<FieldVector> {
    const { field, channel } = this
    const audit = this.#o.audit!
    const round = this.#rounds - 1
    const previous = this.#chain
    // Transcripts hold canonical integers.
    const own = field.toBytes(share)
    await turn()
    const signature = await audit.sign(roundDigest(audit.run, round, previous, own))
    const messages = await channel.broadcast(STEP.round, concatBytes(signature, own))
    const signatures: Uint8Array[] = []
    const payloads: Uint8Array[] = []
    const vectors: FieldVector[] = []
    for (const [i, message] of messages.entries()) {
      await turn()
      const [theirs, payload] = [message.slice(0, SIGNATURE_BYTES), message.slice(SIGNATURE_BYTES)]
      vectors.push(decodeVector(channel, field, i, payload, share.length, 'canonical'))
      signatures.push(theirs)
      payloads.push(payload)
      if (i === channel.index) continue
      const digest = roundDigest(audit.run, round, previous, payload)
      if (audit.signer(digest, theirs) !== this.parties[i])
        throw channel.blame(i, 'BAD_SIGNATURE', 'did not sign its round')
    }
    await turn()
    this.#chain = chainNext(previous, payloads)
    await audit.record({ round, payloads, signatures })
    const sum = addUp(field, vectors)
    for (const v of vectors) v.free()
    return sum
  }

  /** A failure ends the session for all; after a failed check the material of the epoch is destroyed. */
  async #safely<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new EnigmaError('NOT_RUNNING', 'the session is over')
    try {
      return await work()
    } catch (error) {
      const { details } = EnigmaError.from(error)
      // That somebody else left says nothing about the material, except in the middle of a MAC check.
      const cheated = hasCode(error, 'MPC_ABORTED') && details?.reason !== 'TOLD'
      const suspect = cheated || details?.keyExposed === true
      // First: a peer that does not read may hold up the rest.
      try {
        if (suspect) await this.#o.material.destroy(String(details?.reason ?? 'aborted'))
      } finally {
        await this.channel.abort(error)
      }
      throw error
    }
  }
}

/** Neighbours together until they are as long as a message; longer ones alone. */
function runsOf(vectors: readonly FieldVector[], size: number): FieldVector[][] {
  const runs: FieldVector[][] = []
  let open = 0
  for (const v of vectors) {
    if (open > 0 && v.length < size) runs.at(-1)!.push(v)
    else runs.push([v])
    open = v.length >= size || open + v.length >= size ? 0 : open + v.length
  }
  return runs
}

function lengthOf({ a, b }: Product): number {
  return Math.max(a.share.length, b.share.length)
}

/** Appends the elements from…to of a vector, or of one element stretched. */
async function appendStretched(
  field: PrimeField,
  builder: VectorBuilder,
  v: FieldVector,
  from: number,
  to: number,
): Promise<void> {
  if (to <= v.length) return appendInPieces(builder, v, from, to)
  const same = field.gather(v, new Uint32Array(to - from))
  await appendInPieces(builder, same)
  same.free()
}

/** The parts that this folder's other files need beside the public face. */
export function internals(party: SpdzParty): {
  readonly channel: PartyChannel
  readonly local: AuthArithmetic
  readonly unchecked: boolean
} {
  if (!(party instanceof Party)) throw new EnigmaError('INVALID_ARGUMENT', 'not a party of this engine')
  return party
}
