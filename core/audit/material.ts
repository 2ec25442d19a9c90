import { EnigmaError } from '../base/errors.ts'
import type { CommitVector } from '../commitments/types.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { freeAuth } from '../preprocessing/auth.ts'
import type {
  AuthShare,
  CheckMark,
  CommittedKind,
  Epoch,
  InputMasks,
  MaterialSource,
  Triples,
} from '../preprocessing/types.ts'
import type { SpdzParty } from '../spdz/types.ts'
import { challenge, type Rerandomiser, rerandomiser } from './challenge.ts'
import { commitInSlices, completeCommitments, type ReadyPart } from './committing.ts'
import type { Layout } from './layout.ts'

/**
 * The material of one audited run: drawn at once, committed to share by share, and handed out in order after the
 * sacrifice. Commitments are to this party's own shares, so that a wrong one names it (Cunningham, Fuller and Yakoubov,
 * ICITS 2017).
 */
export class AuditedMaterial implements MaterialSource {
  readonly epoch: Epoch
  readonly macKey: FieldVector
  /** 64 bytes for every share, in the order of the layout. */
  readonly commitments: Uint8Array
  /** Of the commitments; secret. */
  readonly blinding: FieldVector
  readonly #field: PrimeField
  readonly #source: MaterialSource
  readonly #layout: Layout
  readonly #drawn: { triples: Triples; bits: AuthShare; randoms: AuthShare }
  /** Known after the challenge was drawn; nothing is handed out before. */
  #random: Rerandomiser | undefined
  #triples = 0
  #bits = 0
  #randoms = 0

  private constructor(
    field: PrimeField,
    source: MaterialSource,
    layout: Layout,
    drawn: { triples: Triples; bits: AuthShare; randoms: AuthShare },
    masks: FieldVector,
    commitments: Uint8Array,
  ) {
    this.#field = field
    this.#source = source
    this.#layout = layout
    this.#drawn = drawn
    this.epoch = source.epoch
    this.macKey = source.macKey
    this.blinding = masks
    this.commitments = commitments
  }

  /**
   * Takes everything of the layout from `source` and commits to it, where the source has no commitments ready. Codes: those of
   * the source and of `commit`.
   */
  static async draw(
    field: PrimeField,
    source: MaterialSource,
    layout: Layout,
    { commit = commitInSlices, signal }: { commit?: CommitVector; signal?: AbortSignal } = {},
  ): Promise<AuditedMaterial> {
    const ready = readyParts(source, layout)
    const triples = await source.triples(2 * layout.triples)
    const none = { share: field.zeros(0), mac: field.zeros(0) }
    const bits = layout.bits === 0 ? none : await source.bits(layout.bits)
    const randoms = await source.randoms(layout.randoms)
    const { a, b, c } = triples
    const shares = field.concat([a.share, b.share, c.share, bits.share, randoms.share])
    try {
      const { masks, commitments } = await completeCommitments(field, shares, ready, commit, signal)
      return new AuditedMaterial(field, source, layout, { triples, bits, randoms }, masks, commitments)
    } catch (error) {
      freeAuth(a, b, c, bits, randoms)
      throw error
    } finally {
      shares.free()
    }
  }

  /**
   * Proves to everybody that the triples are products and the bits are bits, with challenges that follow from the
   * ledger and the transcript; `context` is the run's, `chain` the chain value after the last round. Three broadcasts.
   * Throws MPC_ABORTED (reason BAD_MATERIAL).
   */
  async sacrifice(party: SpdzParty, context: Uint8Array, chain: () => Uint8Array): Promise<void> {
    const field = this.#field
    const { triples: t, bits: bitCount } = this.#layout
    const { triples, bits } = this.#drawn
    const chi = field.toBigints(challenge(field, context, 'sacrifice', 1))[0]!
    const map = (x: AuthShare, f: (v: FieldVector) => FieldVector) => ({ share: f(x.share), mac: f(x.mac) })
    const zip = (x: AuthShare, y: AuthShare, f: (v: FieldVector, w: FieldVector) => FieldVector) => ({
      share: f(x.share, y.share),
      mac: f(x.mac, y.mac),
    })
    const halves = (x: AuthShare) =>
      [map(x, (v) => field.slice(v, 0, t)), map(x, (v) => field.slice(v, t, 2 * t))] as const
    const [a, a2] = halves(triples.a)
    const [b, b2] = halves(triples.b)
    const [c, c2] = halves(triples.c)
    const scaled = (x: AuthShare, y: AuthShare) => zip(x, y, (v, w) => field.linear([chi, -1n], [v, w]))
    const [first, second] = [scaled(a, a2), zip(b, b2, (v, w) => field.sub(v, w))]
    const { opened } = await party.round([], [first, second])
    const [sigma, tau] = opened as [FieldVector, FieldVector]
    const weights = challenge(field, chain(), 'triples', t)
    const product = scaled(c, c2)
    const rest = zip(a2, b, (v, w) => field.mulAdd(v, tau, field.mul(w, sigma)))
    const zero = map(
      zip(product, rest, (v, w) => field.sub(v, w)),
      (v) => field.inner(weights, v),
    )
    this.#random = rerandomiser(field, context, bitCount, this.#layout.randoms)
    if (bitCount === 0) {
      this.#requireZero((await party.round([], [zero])).opened[0]!, 'a triple is not a product')
    } else {
      const squares = await party.round([{ op: 'mul', a: bits, b: bits }], [zero])
      this.#requireZero(squares.opened[0]!, 'a triple is not a product')
      const bitWeights = challenge(field, chain(), 'bits', bitCount)
      const difference = zip(squares.products[0]!, bits, (v, w) => field.sub(v, w))
      const bitZero = map(difference, (v) => field.inner(bitWeights, v))
      this.#requireZero((await party.round([], [bitZero])).opened[0]!, 'a bit is neither 0 nor 1')
      freeAuth(difference, bitZero, ...squares.products)
    }
    await party.check()
    freeAuth(a, a2, b, b2, c, c2, first, second, product, rest, zero)
    for (const v of [sigma, tau, weights]) v.free()
  }

  async triples(count: number): Promise<Triples> {
    this.#drawnChallenge()
    const from = this.#triples
    this.#triples += count
    if (this.#triples > this.#layout.triples) throw exhausted()
    const { a, b, c } = this.#drawn.triples
    const part = (x: AuthShare) => this.#part(x, from, count)
    return { a: part(a), b: part(b), c: part(c) }
  }

  async bits(count: number): Promise<AuthShare> {
    this.#bits += count
    if (this.#bits > this.#layout.bits) throw exhausted()
    const from = this.#bits - count
    const { flips, signs } = this.#drawnChallenge()
    const field = this.#field
    const [flip, sign] = [field.slice(flips, from, from + count), field.slice(signs, from, from + count)]
    const bits = this.#part(this.#drawn.bits, from, count)
    const turned = { share: field.mul(bits.share, sign), mac: field.mul(bits.mac, sign) }
    const out = this.#addPublic(turned, flip)
    freeAuth(bits, turned)
    for (const v of [flip, sign]) v.free()
    return out
  }

  async randoms(count: number): Promise<AuthShare> {
    this.#randoms += count
    if (this.#randoms > this.#layout.randoms) throw exhausted()
    const from = this.#randoms - count
    const shift = this.#field.slice(this.#drawnChallenge().shifts, from, from + count)
    const randoms = this.#part(this.#drawn.randoms, from, count)
    const out = this.#addPublic(randoms, shift)
    freeAuth(randoms)
    shift.free()
    return out
  }

  masks(owner: number, count: number): Promise<InputMasks> {
    return this.#source.masks(owner, count)
  }

  get checks(): CheckMark {
    return this.#source.checks
  }

  squares(): Promise<never> {
    throw unsupported()
  }

  inverses(): Promise<never> {
    throw unsupported()
  }

  destroy(reason: string): Promise<void> {
    return this.#source.destroy(reason)
  }

  free(): void {
    const { triples, bits, randoms } = this.#drawn
    freeAuth(triples.a, triples.b, triples.c, bits, randoms)
    this.blinding.free()
  }

  #part(x: AuthShare, from: number, count: number): AuthShare {
    const field = this.#field
    return {
      share: field.slice(x.share, from, from + count),
      mac: field.slice(x.mac, from, from + count),
    }
  }

  #drawnChallenge(): Rerandomiser {
    if (this.#random === undefined)
      throw new EnigmaError('INTERNAL', 'material is handed out after its challenge')
    return this.#random
  }

  /** Party 0 adds the constant to its share, each party α_i times the constant to its MAC. */
  #addPublic(x: AuthShare, v: FieldVector): AuthShare {
    const field = this.#field
    return {
      share: this.epoch.index === 0 ? field.add(x.share, v) : field.slice(x.share, 0, x.share.length),
      mac: field.mulAdd(v, this.macKey, x.mac),
    }
  }

  #requireZero(value: FieldVector, what: string): void {
    if (this.#field.equal(value, this.#field.zeros(value.length))) return
    throw new EnigmaError('MPC_ABORTED', `the committee's material is wrong: ${what}`, {
      details: { reason: 'BAD_MATERIAL' },
    })
  }
}

/** Where the commitments that the source has ready stand among the run's. */
function readyParts(source: MaterialSource, layout: Layout): ReadyPart[] {
  const { offsets } = layout
  const places: readonly [CommittedKind, number, readonly number[]][] = [
    ['triple', 2 * layout.triples, [offsets.a, offsets.b, offsets.c]],
    ['bit', layout.bits, [offsets.bits]],
    ['random', layout.randoms, [offsets.randoms]],
  ]
  return places.flatMap(([kind, count, starts]) =>
    (source.ready?.(kind, count) ?? []).flatMap(({ from, masks, points }) =>
      starts.map((start, k) => ({
        at: start - layout.inputs + from,
        masks: masks[k]!,
        points: points[k]!,
      })),
    ),
  )
}

function exhausted(): EnigmaError {
  return new EnigmaError('MATERIAL_EXHAUSTED', 'the run takes more material than it has committed to')
}

function unsupported(): EnigmaError {
  return new EnigmaError('UNSUPPORTED', 'an audited run uses triples, bits and random elements only')
}
