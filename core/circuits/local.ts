import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { joinInPieces } from '../field/pieces.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { operands } from './analyse.ts'
import type { Engine, Node, NodeRef, Value } from './types.ts'

/** The values that the operations of a program read. */
export abstract class Operands<S> {
  abstract get(ref: NodeRef): Value<S>

  secret(ref: NodeRef): S {
    const value = this.get(ref)
    if (!('secret' in value)) throw new EnigmaError('INTERNAL', 'a public value where a secret is due')
    return value.secret
  }

  public(ref: NodeRef): FieldVector {
    const value = this.get(ref)
    if (!('open' in value)) throw new EnigmaError('INTERNAL', 'a secret where a public value is due')
    return value.open
  }
}

interface Program<S> {
  readonly nodes: readonly Node[]
  readonly lengths: readonly number[]
  readonly inputs: readonly S[]
  readonly params: readonly (readonly bigint[])[]
}

/** A node without communication; in pieces, between which the event loop turns, when the engine wants that. */
export async function localNode<S>(
  engine: Engine<S>,
  values: Operands<S>,
  ref: NodeRef,
  program: Program<S>,
): Promise<Value<S>> {
  const { field, pieces } = engine
  const node = program.nodes[ref]!
  const longest = Math.max(program.lengths[ref]!, ...operands(node).map((a) => program.lengths[a]!))
  if (pieces === undefined || longest <= pieces.length || node.op === 'input' || node.op === 'digits')
    return wholeNode(engine, values, node, program)
  const parts: Value<S>[] = []
  for (const { node: part, from, to } of cut(node, program.lengths[ref]!, program, pieces.length)) {
    await turn()
    const some = from === undefined ? undefined : new Slices(engine, values, from, to!)
    parts.push(await wholeNode(engine, some ?? values, part, program))
    some?.free()
  }
  const joined = await join(parts)
  if (node.op !== 'sum' && node.op !== 'inner') return joined
  // Sums of the pieces, to be added up.
  if ('open' in joined) {
    const total = field.sum(joined.open)
    joined.open.free()
    return { open: total }
  }
  const total = engine.sum(joined.secret)
  engine.free(joined.secret)
  return { secret: total }

  async function join(made: readonly Value<S>[]): Promise<Value<S>> {
    const open = made.flatMap((value) => ('open' in value ? [value.open] : []))
    if (open.length === made.length) return { open: await joinInPieces(field, open) }
    const secrets = made.map((value) => {
      if ('secret' in value) return value.secret
      const promoted = engine.fromPublic(value.open)
      value.open.free()
      return promoted
    })
    return { secret: await pieces!.join(secrets) }
  }
}

/** Part of a node: a smaller one, of the same operands or of their elements from…to. */
interface Cut {
  readonly node: Node
  readonly from?: number
  readonly to?: number
}

/** Nodes of at most `size` elements whose results are those of `node`, one after the other; sums are to be added up. */
function* cut<S>(node: Node, length: number, { lengths, params }: Program<S>, size: number): Generator<Cut> {
  const ranges = function* (from: number, to: number): Generator<[number, number]> {
    for (let at = from; at < to; at += size) yield [at, Math.min(to, at + size)]
  }
  const slices = function* (a: NodeRef, start: number, end: number): Generator<Cut> {
    for (const [from, to] of ranges(start, end)) yield { node: { op: 'slice', a, from, to } }
  }
  switch (node.op) {
    case 'param':
    case 'const': {
      const all = node.op === 'param' ? params[node.slot]! : node.values
      for (const [from, to] of ranges(0, length)) yield { node: { op: 'const', values: all.slice(from, to) } }
      return
    }
    case 'bits':
    case 'random':
    case 'broadcast':
      for (const [from, to] of ranges(0, length)) yield { node: { ...node, length: to - from } }
      return
    case 'slice':
      yield* slices(node.a, node.from, node.to)
      return
    case 'concat':
      for (const ref of node.parts) yield* slices(ref, 0, lengths[ref]!)
      return
    case 'blocks': {
      const { a, block, picks } = node
      const each = Math.floor(size / block)
      if (each === 0) for (const pick of picks) yield* slices(a, pick * block, (pick + 1) * block)
      else
        for (let at = 0; at < picks.length; at += each)
          yield { node: { ...node, picks: picks.slice(at, at + each) } }
      return
    }
    default:
      for (const [from, to] of ranges(0, lengths[operands(node)[0]!]!)) yield { node, from, to }
  }
}

/** Elements from…to of the values that are read. */
class Slices<S> extends Operands<S> {
  readonly #engine: Engine<S>
  readonly #whole: Operands<S>
  readonly #from: number
  readonly #to: number
  readonly #made = new Map<NodeRef, Value<S>>()

  constructor(engine: Engine<S>, whole: Operands<S>, from: number, to: number) {
    super()
    this.#engine = engine
    this.#whole = whole
    this.#from = from
    this.#to = to
  }

  get(ref: NodeRef): Value<S> {
    let part = this.#made.get(ref)
    if (part === undefined) {
      const value = this.#whole.get(ref)
      const [from, to] = [this.#from, this.#to]
      part =
        'open' in value
          ? { open: this.#engine.field.slice(value.open, from, to) }
          : { secret: this.#engine.slice(value.secret, from, to) }
      this.#made.set(ref, part)
    }
    return part
  }

  free(): void {
    for (const value of this.#made.values())
      if ('open' in value) value.open.free()
      else this.#engine.free(value.secret)
  }
}

async function wholeNode<S>(
  engine: Engine<S>,
  values: Operands<S>,
  node: Node,
  { inputs, params }: Program<S>,
): Promise<Value<S>> {
  const { field } = engine
  switch (node.op) {
    case 'input':
      return { secret: inputs[node.slot]! }
    case 'param':
      return { open: field.fromBigints(params[node.slot]!) }
    case 'const':
      return { open: field.fromBigints(node.values) }
    case 'bits':
      return { secret: await engine.bits(node.length) }
    case 'random':
      return { secret: await engine.random(node.length) }
    case 'low':
      return { open: low(field, values.public(node.a), node.bits) }
    case 'digits':
      return { open: await digits(field, values.public(node.a), node.count) }
    case 'inverse':
      return { open: field.inverse(values.public(node.a)) }
    case 'isZero':
      return { open: isZero(field, values.public(node.a)) }
    case 'open':
      throw new EnigmaError('INTERNAL', 'an opening is not local')
    default:
      return operands(node).every((ref) => 'open' in values.get(ref))
        ? { open: publicNode(field, values, node) }
        : { secret: secretNode(engine, values, node) }
  }
}

type Linear = Exclude<
  Node,
  { op: 'input' | 'param' | 'const' | 'bits' | 'random' | 'low' | 'digits' | 'inverse' | 'isZero' | 'open' }
>

function publicNode<S>(field: PrimeField, values: Operands<S>, node: Linear): FieldVector {
  const at = (ref: NodeRef) => values.public(ref)
  switch (node.op) {
    case 'add':
      return field.add(at(node.a), at(node.b))
    case 'sub':
      return field.sub(at(node.a), at(node.b))
    case 'neg':
      return field.neg(at(node.a))
    case 'scale':
      return field.scale(at(node.a), node.factor)
    case 'mul':
      return field.mul(at(node.a), at(node.b))
    case 'inner':
      return field.inner(at(node.a), at(node.b))
    case 'sum':
      return field.sum(at(node.a))
    case 'slice':
      return field.slice(at(node.a), node.from, node.to)
    case 'concat':
      return field.concat(node.parts.map(at))
    case 'broadcast':
      return field.gather(at(node.a), new Uint32Array(node.length))
    case 'blocks':
      return field.gather(at(node.a), blockIndices(node))
  }
}

/** At least one operand is secret; of two factors exactly one. */
function secretNode<S>(engine: Engine<S>, values: Operands<S>, node: Linear): S {
  const { field } = engine
  const pair = (a: NodeRef, b: NodeRef) => [values.get(a), values.get(b)] as const
  switch (node.op) {
    case 'add': {
      const [a, b] = pair(node.a, node.b)
      if ('open' in a) return engine.addPublic(values.secret(node.b), a.open)
      return 'open' in b ? engine.addPublic(a.secret, b.open) : engine.add(a.secret, b.secret)
    }
    case 'sub': {
      const [a, b] = pair(node.a, node.b)
      if ('secret' in a && 'secret' in b) return engine.sub(a.secret, b.secret)
      if ('open' in a) {
        const negated = engine.neg(values.secret(node.b))
        const difference = engine.addPublic(negated, a.open)
        engine.free(negated)
        return difference
      }
      const negated = field.neg(values.public(node.b))
      const difference = engine.addPublic(a.secret, negated)
      negated.free()
      return difference
    }
    case 'mul':
    case 'inner': {
      const [a] = pair(node.a, node.b)
      const secret = 'secret' in a ? a.secret : values.secret(node.b)
      const open = 'open' in a ? a.open : values.public(node.b)
      return node.op === 'mul' ? engine.mulPublic(secret, open) : engine.innerPublic(secret, open)
    }
    case 'neg':
      return engine.neg(values.secret(node.a))
    case 'scale':
      return engine.scale(values.secret(node.a), node.factor)
    case 'sum':
      return engine.sum(values.secret(node.a))
    case 'slice':
      return engine.slice(values.secret(node.a), node.from, node.to)
    case 'broadcast':
      return engine.gather(values.secret(node.a), new Uint32Array(node.length))
    case 'blocks':
      return engine.gather(values.secret(node.a), blockIndices(node))
    case 'concat': {
      const made: S[] = []
      const parts = node.parts.map((ref) => {
        const value = values.get(ref)
        if ('secret' in value) return value.secret
        const promoted = engine.fromPublic(value.open)
        made.push(promoted)
        return promoted
      })
      const joined = engine.concat(parts)
      for (const part of made) engine.free(part)
      return joined
    }
  }
}

function blockIndices({
  block,
  picks,
}: {
  readonly block: number
  readonly picks: readonly number[]
}): Uint32Array {
  const out = new Uint32Array(block * picks.length)
  let at = 0
  for (const pick of picks) for (let i = 0; i < block; i++) out[at++] = pick * block + i
  return out
}

/** Bit-major: bit j of element i stands at j·length + i. */
async function digits(field: PrimeField, v: FieldVector, count: number): Promise<FieldVector> {
  const bytes = field.toBytes(v)
  const width = field.byteLength
  const parts: FieldVector[] = []
  for (let j = 0; j < count; j++) {
    await turn()
    const digit = new Uint8Array(v.length * width)
    for (let i = 0; i < v.length; i++) digit[i * width] = (bytes[i * width + (j >> 3)]! >> (j & 7)) & 1
    parts.push(field.fromBytes(digit))
  }
  return joinInPieces(field, parts)
}

function low(field: PrimeField, v: FieldVector, bits: number): FieldVector {
  const bytes = field.toBytes(v)
  const width = field.byteLength
  const whole = bits >> 3
  for (let i = 0; i < v.length; i++) {
    const element = bytes.subarray(i * width, (i + 1) * width)
    if (whole < width) element[whole]! &= (1 << (bits & 7)) - 1
    element.fill(0, whole + 1)
  }
  return field.fromBytes(bytes)
}

function isZero(field: PrimeField, v: FieldVector): FieldVector {
  const bytes = field.toBytes(v)
  const width = field.byteLength
  const out = new Uint8Array(bytes.length)
  for (let i = 0; i < v.length; i++)
    out[i * width] = bytes.subarray(i * width, (i + 1) * width).every((b) => b === 0) ? 1 : 0
  return field.fromBytes(out)
}
