import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import type { Engine, SecretProduct } from '../circuits/types.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import type { Rerandomiser } from './challenge.ts'
import type { Layout } from './layout.ts'

/** A secret vector of the run, as its place on the tape. */
export interface Sym {
  readonly ref: number
  readonly length: number
}

type Entry = { readonly length: number } & (
  | { readonly op: 'leaf'; readonly from: number }
  /** Shares of inputs: leaf plus a public offset of each party. */
  | { readonly op: 'input'; readonly from: number }
  | { readonly op: 'public'; readonly v: FieldVector }
  | { readonly op: 'add' | 'sub'; readonly a: Sym; readonly b: Sym }
  | { readonly op: 'neg' | 'sum'; readonly a: Sym }
  | { readonly op: 'gather'; readonly a: Sym; readonly indices: Uint32Array }
  | { readonly op: 'addPublic' | 'mulPublic' | 'innerPublic'; readonly a: Sym; readonly v: FieldVector }
  | { readonly op: 'scale'; readonly a: Sym; readonly factor: bigint }
  | { readonly op: 'slice'; readonly a: Sym; readonly from: number; readonly to: number }
  | { readonly op: 'concat'; readonly parts: readonly Sym[] }
)

/** One part of an adjoint vector. */
interface Piece {
  readonly from: number
  readonly v: FieldVector
}

export interface Adjoint {
  /** Of every leaf. */
  readonly coefficients: FieldVector
  /** Of party 0's public constants, length 1. */
  readonly constant: FieldVector
  /** Of every input's offset. */
  readonly offsets: FieldVector
}

/** What a round opened, given the number of elements: the sums over all parties. */
export type Reader = (length: number) => FieldVector

/**
 * The linear functions that an audited run computes from committed leaves, given what it opened. Runs circuits as an
 * engine that reads openings instead of making them; `backward` then gives the coefficients of any combination of what was
 * opened or output, `forward` the values of a linear function. Public constants are party 0's.
 */
export class Tape implements Engine<Sym> {
  readonly field: PrimeField
  readonly #layout: Layout
  readonly #read: Reader
  readonly #random: Rerandomiser | undefined
  readonly #entries: Entry[] = []
  readonly #opened: Sym[] = []
  #inputs = 0
  #triples = 0
  #bits = 0
  #randoms = 0

  constructor(field: PrimeField, layout: Layout, read: Reader, random?: Rerandomiser) {
    this.field = field
    this.#random = random
    this.#layout = layout
    this.#read = read
  }

  /** Everything opened so far, in order. */
  get opened(): readonly Sym[] {
    return this.#opened
  }

  leaf(from: number, length: number): Sym {
    return this.#push({ op: 'leaf', from, length })
  }

  input(length: number): Sym {
    const from = this.#inputs
    this.#inputs += length
    if (this.#inputs > this.#layout.inputs) throw exhausted()
    return this.#push({ op: 'input', from, length })
  }

  /** Opens vectors in one round. */
  open(secrets: readonly Sym[]): FieldVector[] {
    const total = secrets.reduce((n, s) => n + s.length, 0)
    const values = this.#read(total)
    let at = 0
    return secrets.map((s) => {
      this.#opened.push(s)
      at += s.length
      return this.field.slice(values, at - s.length, at)
    })
  }

  /** As `SpdzParty.round`: Beaver's products (CRYPTO '91), then the openings, all in one round. */
  openRound(products: readonly SecretProduct<Sym>[], openings: readonly Sym[]) {
    const { field } = this
    const lengths = products.map((p) => Math.max(p.a.length, p.b.length))
    const total = lengths.reduce((n, l) => n + l, 0)
    if (total === 0) return { products: [] as Sym[], opened: openings.length > 0 ? this.open(openings) : [] }
    const { offsets, triples } = this.#layout
    const from = this.#triples
    this.#triples += total
    if (this.#triples > triples) throw exhausted()
    const [a, b, c] = [offsets.a, offsets.b, offsets.c].map((at) => this.leaf(at + from, total)) as [
      Sym,
      Sym,
      Sym,
    ]
    const x = this.concat(products.map((p, k) => this.#stretch(p.a, lengths[k]!)))
    const y = this.concat(products.map((p, k) => this.#stretch(p.b, lengths[k]!)))
    const [d, e, ...opened] = this.open([this.sub(x, a), this.sub(y, b), ...openings]) as [
      FieldVector,
      FieldVector,
      ...FieldVector[],
    ]
    const linear = this.add(c, this.add(this.mulPublic(b, d), this.mulPublic(a, e)))
    const product = this.addPublic(linear, field.mul(d, e))
    let at = 0
    const results = products.map(({ op }, k) => {
      const part = this.slice(product, at, at + lengths[k]!)
      at += lengths[k]!
      return op === 'mul' ? part : this.sum(part)
    })
    return { products: results, opened }
  }

  async round(products: readonly SecretProduct<Sym>[], openings: readonly Sym[]) {
    await turn()
    return this.openRound(products, openings)
  }

  async bits(count: number): Promise<Sym> {
    const from = this.#bits
    this.#bits += count
    if (this.#bits > this.#layout.bits) throw exhausted()
    const leaf = this.leaf(this.#layout.offsets.bits + from, count)
    if (this.#random === undefined) return leaf
    const { flips, signs } = this.#random
    const part = (v: FieldVector) => this.field.slice(v, from, from + count)
    return this.addPublic(this.mulPublic(leaf, part(signs)), part(flips))
  }

  async random(count: number): Promise<Sym> {
    const from = this.#randoms
    this.#randoms += count
    if (this.#randoms > this.#layout.randoms) throw exhausted()
    const leaf = this.leaf(this.#layout.offsets.randoms + from, count)
    if (this.#random === undefined) return leaf
    return this.addPublic(leaf, this.field.slice(this.#random.shifts, from, from + count))
  }

  lengthOf(a: Sym): number {
    return a.length
  }
  fromPublic(v: FieldVector): Sym {
    return this.#push({ op: 'public', v: this.#copy(v), length: v.length })
  }
  add(a: Sym, b: Sym): Sym {
    return this.#push({ op: 'add', a, b, length: Math.max(a.length, b.length) })
  }
  sub(a: Sym, b: Sym): Sym {
    return this.#push({ op: 'sub', a, b, length: Math.max(a.length, b.length) })
  }
  neg(a: Sym): Sym {
    return this.#push({ op: 'neg', a, length: a.length })
  }
  addPublic(a: Sym, v: FieldVector): Sym {
    return this.#push({ op: 'addPublic', a, v: this.#copy(v), length: Math.max(a.length, v.length) })
  }
  mulPublic(a: Sym, v: FieldVector): Sym {
    return this.#push({ op: 'mulPublic', a, v: this.#copy(v), length: Math.max(a.length, v.length) })
  }
  innerPublic(a: Sym, v: FieldVector): Sym {
    return this.#push({ op: 'innerPublic', a, v: this.#copy(v), length: 1 })
  }
  scale(a: Sym, factor: bigint): Sym {
    return this.#push({ op: 'scale', a, factor, length: a.length })
  }
  sum(a: Sym): Sym {
    return this.#push({ op: 'sum', a, length: 1 })
  }
  slice(a: Sym, from: number, to: number): Sym {
    return this.#push({ op: 'slice', a, from, to, length: to - from })
  }
  concat(parts: readonly Sym[]): Sym {
    return this.#push({ op: 'concat', parts, length: parts.reduce((n, p) => n + p.length, 0) })
  }
  gather(a: Sym, indices: Uint32Array): Sym {
    return this.#push({ op: 'gather', a, indices, length: indices.length })
  }
  free(): void {}

  /** A function of leaves whose constants are left out: what acts on the masks of commitments. */
  async forward(leaves: FieldVector, wanted: Sym): Promise<FieldVector> {
    const { field } = this
    const values: FieldVector[] = []
    const of = (s: Sym) => values[s.ref]!
    for (const e of this.#entries) {
      await turn()
      values.push(compute(e))
    }
    const result = field.slice(of(wanted), 0, wanted.length)
    for (const v of values) v.free()
    return result

    function compute(e: Entry): FieldVector {
      switch (e.op) {
        case 'leaf':
        case 'input':
          return field.slice(leaves, e.from, e.from + e.length)
        case 'public':
          return field.zeros(e.length)
        case 'add':
          return field.add(of(e.a), of(e.b))
        case 'sub':
          return field.sub(of(e.a), of(e.b))
        case 'neg':
          return field.neg(of(e.a))
        case 'sum':
          return field.sum(of(e.a))
        case 'gather':
          return field.gather(of(e.a), e.indices)
        case 'addPublic':
          return resize(field, of(e.a), e.length)
        case 'mulPublic':
          return field.mul(of(e.a), e.v)
        case 'innerPublic':
          return field.inner(of(e.a), e.v)
        case 'scale':
          return field.scale(of(e.a), e.factor)
        case 'slice':
          return field.slice(of(e.a), e.from, e.to)
        case 'concat':
          return field.concat(e.parts.map(of))
      }
    }
  }

  /** The coefficients of Σ ⟨weights_k, secrets_k⟩. Frees nothing of the caller's. */
  async backward(secrets: readonly Sym[], weights: readonly FieldVector[]): Promise<Adjoint> {
    const { field } = this
    const layout = this.#layout
    const pieces: (Piece[] | undefined)[] = []
    const leaves: Piece[] = []
    const offsets: Piece[] = []
    const constants: FieldVector[] = []
    const add = (s: Sym, v: FieldVector, from = 0) => {
      const list = pieces[s.ref] ?? []
      list.push({ from, v })
      pieces[s.ref] = list
    }
    secrets.forEach((s, k) => {
      add(s, weights[k]!)
    })
    for (let ref = this.#entries.length - 1; ref >= 0; ref--) {
      await turn()
      const own = pieces[ref]
      if (own === undefined) continue
      pieces[ref] = undefined
      const e = this.#entries[ref]!
      const g = assemble(field, e.length, own)
      switch (e.op) {
        case 'leaf':
          leaves.push({ from: e.from, v: g })
          break
        case 'input':
          leaves.push({ from: e.from, v: g })
          offsets.push({ from: e.from, v: g })
          break
        case 'public':
          constants.push(field.inner(g, e.v))
          break
        case 'add':
          add(e.a, resize(field, g, e.a.length))
          add(e.b, resize(field, g, e.b.length))
          break
        case 'sub':
          add(e.a, resize(field, g, e.a.length))
          add(e.b, field.neg(resize(field, g, e.b.length)))
          break
        case 'neg':
          add(e.a, field.neg(g))
          break
        case 'sum':
          add(e.a, resize(field, g, e.a.length))
          break
        case 'gather':
          add(e.a, scatter(field, g, e.indices, e.a.length))
          break
        case 'addPublic':
          add(e.a, resize(field, g, e.a.length))
          constants.push(field.inner(g, e.v))
          break
        case 'mulPublic':
        case 'innerPublic':
          add(e.a, resize(field, field.mul(g, e.v), e.a.length))
          break
        case 'scale':
          add(e.a, field.scale(g, e.factor))
          break
        case 'slice':
          add(e.a, g, e.from)
          break
        case 'concat': {
          let at = 0
          for (const part of e.parts) {
            add(part, field.slice(g, at, at + part.length))
            at += part.length
          }
          break
        }
      }
    }
    return {
      coefficients: assemble(field, layout.length, leaves),
      offsets: assemble(field, layout.inputs, offsets),
      constant: constants.length === 0 ? field.zeros(1) : field.sum(field.concat(constants)),
    }
  }

  #push(entry: Entry): Sym {
    this.#entries.push(entry)
    return { ref: this.#entries.length - 1, length: entry.length }
  }

  /** The runner frees public vectors after their last use. */
  #copy(v: FieldVector): FieldVector {
    return this.field.slice(v, 0, v.length)
  }

  #stretch(a: Sym, length: number): Sym {
    return a.length === length ? a : this.gather(a, new Uint32Array(length))
  }
}

function exhausted(): EnigmaError {
  return new EnigmaError('INTERNAL', 'a program took more than its layout has')
}

/** Of an operand that was broadcast the adjoint is the sum; one element is stretched. */
function resize(field: PrimeField, v: FieldVector, length: number): FieldVector {
  if (v.length === length) return field.slice(v, 0, length)
  return length === 1 ? field.sum(v) : field.gather(v, new Uint32Array(length))
}

/** The adjoint of `gather`: element j of the result is the sum of g over all places that index j. */
function scatter(field: PrimeField, g: FieldVector, indices: Uint32Array, length: number): FieldVector {
  if (length === 1) return field.sum(g)
  const order = Uint32Array.from(indices.keys()).sort((p, q) => indices[p]! - indices[q]!)
  let targets = indices.slice().sort()
  let values = field.gather(g, order)
  const zero = field.zeros(1)
  // Pairs of one target are added up until each target stands once.
  for (;;) {
    const first: number[] = []
    const second: number[] = []
    for (let i = 0; i < targets.length; i++) {
      const pair = i + 1 < targets.length && targets[i] === targets[i + 1]
      first.push(i)
      second.push(pair ? ++i : targets.length)
    }
    if (first.length === targets.length) break
    const padded = field.concat([values, zero])
    const sums = field.add(
      field.gather(padded, Uint32Array.from(first)),
      field.gather(padded, Uint32Array.from(second)),
    )
    values.free()
    padded.free()
    values = sums
    targets = Uint32Array.from(first, (i) => targets[i]!)
  }
  const places = new Uint32Array(length).fill(targets.length)
  targets.forEach((target, i) => {
    places[target] = i
  })
  return field.gather(field.concat([values, zero]), places)
}

/** The sum of pieces of a vector. */
function assemble(field: PrimeField, length: number, pieces: readonly Piece[]): FieldVector {
  if (pieces.length === 1 && pieces[0]!.v.length === length) return pieces[0]!.v
  let left = [...pieces].filter((p) => p.v.length > 0).sort((p, q) => p.from - q.from)
  let total: FieldVector | undefined
  // Layers of pieces that do not overlap.
  while (left.length > 0 || total === undefined) {
    const layer: FieldVector[] = []
    const rest: Piece[] = []
    let at = 0
    for (const piece of left) {
      if (piece.from < at) {
        rest.push(piece)
        continue
      }
      if (piece.from > at) layer.push(field.zeros(piece.from - at))
      layer.push(piece.v)
      at = piece.from + piece.v.length
    }
    if (at < length) layer.push(field.zeros(length - at))
    const joined = field.concat(layer)
    const sum: FieldVector = total === undefined ? joined : field.add(total, joined)
    if (total !== undefined) {
      total.free()
      joined.free()
    }
    total = sum
    left = rest
  }
  return total
}
