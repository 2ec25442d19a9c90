import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { analyse, operands } from './analyse.ts'
import { CHECKPOINT_ROUNDS } from './constants.ts'
import { checkSlots } from './evaluate.ts'
import { localNode, Operands } from './local.ts'
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
  const { layers, lengths } = analyse(circuit)
  const params = options.params ?? []
  const program = { nodes: circuit.nodes, lengths, inputs, params }
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
        values.set(ref, await localNode(engine, values, ref, program))
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
class Values<S> extends Operands<S> {
  readonly #engine: Engine<S>
  readonly #circuit: Circuit
  readonly #inputs: readonly S[]
  readonly #borrowed: ReadonlySet<S>
  readonly #uses: number[]
  readonly #values: (Value<S> | undefined)[] = []
  /** What the last checkpoint holds outlives its last use. */
  #kept: ReadonlyMap<NodeRef, Value<S>> = new Map()

  constructor(engine: Engine<S>, circuit: Circuit, inputs: readonly S[]) {
    super()
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
