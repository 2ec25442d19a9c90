import { EnigmaError } from '../base/errors.ts'
import { analyse, operands } from '../circuits/analyse.ts'
import { checkSlots } from '../circuits/evaluate.ts'
import type { Circuit, NodeRef } from '../circuits/types.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { Turns } from './turns.ts'
import type { Product, RunOptions, ShamirParty } from './types.ts'

type Multiply = (products: readonly Product[]) => Promise<FieldVector[]>

/**
 * Runs a program over this party's input shares (one vector per slot, degree t) and returns its share of all
 * outputs concatenated, refreshed with a new sharing of zero: the requester learns the outputs and nothing of
 * how they were computed. Layers of products take one round each; intermediate vectors are freed after their
 * last use, the inputs are left to the caller. Throws CIRCUIT_INPUT, CANCELLED and the codes of `ShamirParty`.
 */
export async function runProgram(
  party: ShamirParty,
  circuit: Circuit,
  inputs: readonly FieldVector[],
  options: RunOptions = {},
): Promise<FieldVector> {
  const output = await execute(party.field, circuit, inputs, options, (p) => party.multiply(p))
  try {
    return await party.refresh(output)
  } finally {
    output.free()
  }
}

/**
 * Runs a program without secret products by one party alone: no session, so any t + 1 parties suffice for the
 * output and nobody waits for a lost one. The output is not refreshed: over fresh input sharings its
 * polynomials are the same linear images of uniform coefficients that the outputs are of the inputs, and so
 * reveal only the outputs. Throws CIRCUIT_INVALID when the program multiplies secrets, CIRCUIT_INPUT, CANCELLED.
 */
export async function runLinearProgram(
  field: PrimeField,
  circuit: Circuit,
  inputs: readonly FieldVector[],
  options: RunOptions = {},
): Promise<FieldVector> {
  if (!isLinear(circuit))
    throw new EnigmaError('CIRCUIT_INVALID', 'the program multiplies secrets and needs a committee session')
  return execute(field, circuit, inputs, options, async () => [])
}

/** Whether a program runs without any communication. */
export function isLinear(circuit: Circuit): boolean {
  return analyse(circuit).layers.length === 1
}

async function execute(
  field: PrimeField,
  circuit: Circuit,
  inputs: readonly FieldVector[],
  options: RunOptions,
  multiply: Multiply,
): Promise<FieldVector> {
  const { layers } = analyse(circuit)
  const params = options.params ?? []
  checkSlots('input', circuit.inputs, inputs)
  checkSlots('parameter', circuit.params, params)

  const uses = new Array<number>(circuit.nodes.length).fill(0)
  for (const node of circuit.nodes) for (const ref of operands(node)) uses[ref]!++
  for (const ref of circuit.outputs) uses[ref]!++
  const values: (FieldVector | undefined)[] = []
  const borrowed = new Set(inputs)
  const release = (ref: NodeRef) => {
    const v = values[ref]
    if (--uses[ref]! > 0 || v === undefined) return
    values[ref] = undefined
    if (!borrowed.has(v)) v.free()
  }
  const at = (ref: NodeRef) => values[ref]!
  const turns = new Turns()

  try {
    for (const [layer, { local, multiply: products }] of layers.entries()) {
      for (const ref of local) {
        cancelled(options.signal)
        values[ref] = localNode(field, circuit, ref, inputs, params, at)
        for (const operand of operands(circuit.nodes[ref]!)) release(operand)
        if (uses[ref] === 0) {
          uses[ref] = 1
          release(ref)
        }
        await turns.yield()
      }
      if (products.length > 0) {
        const wanted = products.map((ref): Product => {
          const node = circuit.nodes[ref]!
          if (node.op !== 'mul' && node.op !== 'inner') throw new EnigmaError('INTERNAL', 'not a product')
          return { op: node.op, a: at(node.a), b: at(node.b) }
        })
        const results = await multiply(wanted)
        turns.fresh()
        products.forEach((ref, k) => {
          values[ref] = results[k]!
          for (const operand of operands(circuit.nodes[ref]!)) release(operand)
          if (uses[ref] === 0) {
            uses[ref] = 1
            release(ref)
          }
        })
      }
      options.onProgress?.({ layer: layer + 1, layers: layers.length })
    }
    return field.concat(circuit.outputs.map(at))
  } finally {
    for (const v of new Set(values)) if (v !== undefined && !borrowed.has(v)) v.free()
  }
}

/** A node without communication. Public values are constant sharings: every party holds the value itself. */
function localNode(
  field: PrimeField,
  circuit: Circuit,
  ref: NodeRef,
  inputs: readonly FieldVector[],
  params: readonly (readonly bigint[])[],
  at: (ref: NodeRef) => FieldVector,
): FieldVector {
  const node = circuit.nodes[ref]!
  switch (node.op) {
    case 'input':
      return inputs[node.slot]!
    case 'param':
      return field.fromBigints(params[node.slot]!)
    case 'const':
      return field.fromBigints(node.values)
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
    default:
      throw new EnigmaError('CIRCUIT_INVALID', `this protocol does not run ${node.op}`)
  }
}

function cancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EnigmaError('CANCELLED', 'the computation was cancelled')
}
