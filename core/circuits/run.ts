import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { analyse, operands } from './analyse.ts'
import { CHECKPOINT_ROUNDS } from './constants.ts'
import { checkSlots } from './evaluate.ts'
import type {
  Checkpoint,
  Circuit,
  Engine,
  Layer,
  Node,
  NodeRef,
  Resumption,
  RunOptions,
  Value,
} from './types.ts'

/**
 * Runs a program on an engine over secret inputs (one vector per slot) and returns all outputs concatenated, as a
 * secret. All products and openings of a layer share one round; vectors are freed after their last use, the inputs
 * are left to the caller. Throws CIRCUIT_INPUT, CANCELLED, FIELD_NOT_INVERTIBLE and the codes of the engine.
 *
 * With `onCheckpoint` and an engine that checks, there is a checkpoint before the first round, before every one that opens
 * something, and after many that do not; the last one survives the run, also one that ends well, until `freeCheckpoint`. All randomness of
 * the program is drawn before the first, so that a run that is taken up opens the same values under the same masks, or none:
 * what the openings depend on was checked before each. Throws INVALID_ARGUMENT for a checkpoint of another program.
 */
export async function runCircuit<S>(
  engine: Engine<S>,
  circuit: Circuit,
  inputs: readonly S[],
  options: RunOptions & Resumption<S> = {},
): Promise<S> {
  const { resume, onCheckpoint } = options
  const { layers } = analyse(circuit)
  const params = options.params ?? []
  checkSlots(
    'input',
    circuit.inputs,
    inputs.map((s) => ({ length: engine.lengthOf(s) })),
  )
  checkSlots('parameter', circuit.params, params)
  if (layers.slice(1).some(({ local }) => local.some((ref) => isDrawn(circuit.nodes[ref]!))))
    throw new EnigmaError('INTERNAL', 'randomness is drawn in the first layer')
  const values = new Values(engine, circuit, inputs)
  let checkpoint = resume?.layer
  if (resume !== undefined) values.restore(resume, layers)
  try {
    for (const [layer, { local, multiply, open }] of layers.entries()) {
      if (layer < (resume?.layer ?? 0)) continue
      for (const ref of layer === resume?.layer ? [] : local) {
        await turn()
        if (options.signal?.aborted) throw new EnigmaError('CANCELLED', 'the computation was cancelled')
        values.set(ref, await localNode(engine, values, circuit.nodes[ref]!, inputs, params))
      }
      if (multiply.length + open.length > 0) {
        const due = checkpoint === undefined || open.length > 0 || layer - checkpoint >= CHECKPOINT_ROUNDS
        if (due && layer !== checkpoint && onCheckpoint !== undefined && engine.check !== undefined) {
          await engine.check()
          onCheckpoint(values.checkpoint(layer))
          checkpoint = layer
        }
        const products = multiply.map((ref) => {
          const node = circuit.nodes[ref]!
          if (node.op !== 'mul' && node.op !== 'inner') throw new EnigmaError('INTERNAL', 'not a product')
          return { op: node.op, a: values.secret(node.a), b: values.secret(node.b) }
        })
        const openings = open.map((ref) => values.secret(operands(circuit.nodes[ref]!)[0]!))
        const results = await engine.round(products, openings)
        multiply.forEach((ref, k) => {
          values.set(ref, { secret: results.products[k]! })
        })
        open.forEach((ref, k) => {
          values.set(ref, { open: results.opened[k]! })
        })
      }
      options.onProgress?.({ layer: layer + 1, layers: layers.length })
    }
    return engine.concat(circuit.outputs.map((ref) => values.secret(ref)))
  } finally {
    values.free()
  }
}

function isDrawn({ op }: Node): boolean {
  return op === 'bits' || op === 'random'
}

/** Frees what a checkpoint holds. */
export function freeCheckpoint<S>(engine: Pick<Engine<S>, 'free'>, checkpoint: Checkpoint<S>): void {
  for (const value of checkpoint.values.values())
    if ('open' in value) value.open.free()
    else engine.free(value.secret)
}

/** The vectors of a run, each freed after its last use. */
class Values<S> {
  readonly #engine: Engine<S>
  readonly #circuit: Circuit
  readonly #inputs: readonly S[]
  readonly #borrowed: ReadonlySet<S>
  readonly #uses: number[]
  readonly #values: (Value<S> | undefined)[] = []
  /** What the last checkpoint holds outlives its last use. */
  #kept: ReadonlyMap<NodeRef, Value<S>> = new Map()

  constructor(engine: Engine<S>, circuit: Circuit, inputs: readonly S[]) {
    this.#engine = engine
    this.#circuit = circuit
    this.#inputs = inputs
    this.#borrowed = new Set(inputs)
    this.#uses = new Array<number>(circuit.nodes.length).fill(0)
    for (const node of circuit.nodes) for (const ref of operands(node)) this.#uses[ref]!++
    for (const ref of circuit.outputs) this.#uses[ref]!++
  }

  get(ref: NodeRef): Value<S> {
    return this.#values[ref]!
  }

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

  set(ref: NodeRef, value: Value<S>): void {
    this.#values[ref] = value
    for (const operand of operands(this.#circuit.nodes[ref]!)) this.#release(operand)
    if (this.#uses[ref] === 0) {
      this.#uses[ref] = 1
      this.#release(ref)
    }
  }

  free(): void {
    for (const ref of this.#values.keys()) this.#drop(ref)
  }

  /** What is live now; what only the checkpoint before held is freed. */
  checkpoint(layer: number): Checkpoint<S> {
    const live = new Map<NodeRef, Value<S>>()
    this.#values.forEach((value, ref) => {
      if (value !== undefined && !this.#isInput(ref)) live.set(ref, value)
    })
    for (const [ref, value] of this.#kept) if (live.get(ref) !== value) this.#dispose(value)
    this.#kept = live
    return { layer, values: live }
  }

  /** The state in which `checkpoint` was made. */
  restore(checkpoint: Checkpoint<S>, layers: readonly Layer[]): void {
    const { layer, values } = checkpoint
    const { nodes } = this.#circuit
    const done = layers
      .slice(0, layer + 1)
      .flatMap(({ local, multiply, open }, k) => (k < layer ? [...local, ...multiply, ...open] : local))
    for (const ref of done) for (const operand of operands(nodes[ref]!)) this.#uses[operand]!--
    const live = done.filter((ref) => this.#uses[ref]! > 0)
    const stored = live.filter((ref) => !this.#isInput(ref))
    if (layer >= layers.length - 1 || stored.length !== values.size || stored.some((ref) => !values.has(ref)))
      throw new EnigmaError('INVALID_ARGUMENT', 'the checkpoint is of another program')
    for (const ref of live) {
      const node = nodes[ref]!
      this.#values[ref] = node.op === 'input' ? { secret: this.#inputs[node.slot]! } : values.get(ref)!
    }
    this.#kept = values
  }

  #isInput(ref: NodeRef): boolean {
    return this.#circuit.nodes[ref]!.op === 'input'
  }

  #release(ref: NodeRef): void {
    if (--this.#uses[ref]! === 0) this.#drop(ref)
  }

  #drop(ref: NodeRef): void {
    const value = this.#values[ref]
    this.#values[ref] = undefined
    if (value !== undefined && this.#kept.get(ref) !== value) this.#dispose(value)
  }

  #dispose(value: Value<S>): void {
    if ('open' in value) value.open.free()
    else if (!this.#borrowed.has(value.secret)) this.#engine.free(value.secret)
  }
}

/** A node without communication. */
async function localNode<S>(
  engine: Engine<S>,
  values: Values<S>,
  node: Node,
  inputs: readonly S[],
  params: readonly (readonly bigint[])[],
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
      return { open: digits(field, values.public(node.a), node.count) }
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

function publicNode<S>(field: PrimeField, values: Values<S>, node: Linear): FieldVector {
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
function secretNode<S>(engine: Engine<S>, values: Values<S>, node: Linear): S {
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
function digits(field: PrimeField, v: FieldVector, count: number): FieldVector {
  const bytes = field.toBytes(v)
  const width = field.byteLength
  const out = new Uint8Array(count * v.length * width)
  for (let j = 0; j < count; j++)
    for (let i = 0; i < v.length; i++)
      out[(j * v.length + i) * width] = (bytes[i * width + (j >> 3)]! >> (j & 7)) & 1
  return field.fromBytes(out)
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
