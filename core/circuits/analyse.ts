import { EnigmaError } from '../base/errors.ts'
import {
  MAX_CONSTANT_BITS,
  MAX_DIGITS,
  MAX_ELEMENTS,
  MAX_LENGTH,
  MAX_NODES,
  MAX_ROUNDS,
  MAX_SLOTS,
} from './constants.ts'
import type { Analysis, Circuit, Node, NodeRef } from './types.ts'

const invalid = (message: string) => new EnigmaError('CIRCUIT_INVALID', message)
const analyses = new WeakMap<Circuit, Analysis>()
const CONSTANT_LIMIT = 1n << BigInt(MAX_CONSTANT_BITS)

/** The operands of a node, in order. */
export function operands(node: Node): readonly NodeRef[] {
  switch (node.op) {
    case 'input':
    case 'param':
    case 'const':
    case 'bits':
    case 'random':
      return []
    case 'add':
    case 'sub':
    case 'mul':
    case 'inner':
      return [node.a, node.b]
    case 'concat':
      return node.parts
    default:
      return [node.a]
  }
}

/**
 * Checks a list of nodes and makes it a circuit. Throws CIRCUIT_INVALID, naming the node, on forward
 * references, unequal lengths, slots out of order, public outputs, or any limit of constants.ts exceeded.
 */
export function createCircuit(nodes: readonly Node[], outputs: readonly NodeRef[]): Circuit {
  if (nodes.length === 0 || nodes.length > MAX_NODES)
    throw invalid(`a program has 1 to ${MAX_NODES} nodes, not ${nodes.length}`)
  const inputs: number[] = []
  const params: number[] = []
  const lengths: number[] = []
  const secret: boolean[] = []
  const depth: number[] = []
  let elements = 0

  nodes.forEach((node, at) => {
    const refs = operands(node)
    for (const ref of refs)
      if (!Number.isSafeInteger(ref) || ref < 0 || ref >= at)
        throw invalid(`node ${at} refers to ${ref}, which does not precede it`)
    const length = lengthOf(node, at, lengths)
    if (!Number.isSafeInteger(length) || length < 1 || length > MAX_LENGTH)
      throw invalid(`node ${at} has length ${length}; allowed are 1 to ${MAX_LENGTH}`)
    elements += length
    if (elements > MAX_ELEMENTS) throw invalid(`the program has more than ${MAX_ELEMENTS} elements`)
    if (node.op === 'input') takeSlot(inputs, node.slot, length, at)
    if (node.op === 'param') takeSlot(params, node.slot, length, at)
    lengths.push(length)
    secret.push(isSource(node) || (node.op !== 'open' && refs.some((r) => secret[r])))
    if (PUBLIC_ONLY.has(node.op) && refs.some((r) => secret[r]))
      throw invalid(`node ${at} (${node.op}) takes a public operand`)
    if (node.op === 'open' && !secret[node.a]) throw invalid(`node ${at} opens a public value`)
    const below = refs.reduce((d, r) => Math.max(d, depth[r]!), 0)
    depth.push(node.op === 'open' || isSecretProduct(node, secret) ? below + 1 : below)
  })

  if (outputs.length === 0 || outputs.length > MAX_NODES) throw invalid('a program has at least one output')
  for (const ref of outputs) {
    if (!Number.isSafeInteger(ref) || ref < 0 || ref >= nodes.length)
      throw invalid(`output ${ref} is not a node`)
    if (!secret[ref]) throw invalid(`output ${ref} does not depend on any input`)
  }
  const circuit: Circuit = Object.freeze({
    nodes: Object.freeze([...nodes]),
    outputs: Object.freeze([...outputs]),
    inputs: Object.freeze(inputs),
    params: Object.freeze(params),
  })
  analyses.set(circuit, { lengths, secret, layers: schedule(nodes, secret, depth) })
  return circuit
}

/** Lengths, secrecy and schedule of a circuit. */
export function analyse(circuit: Circuit): Analysis {
  const known = analyses.get(circuit)
  if (known) return known
  // Not made by createCircuit (for instance structurally cloned): validate before trusting it.
  const checked = createCircuit(circuit.nodes, circuit.outputs)
  const analysis = analyses.get(checked)!
  analyses.set(circuit, analysis)
  return analysis
}

const PUBLIC_ONLY: ReadonlySet<Node['op']> = new Set(['low', 'digits', 'inverse', 'isZero'])

/** Secret without operands. */
function isSource(node: Node): boolean {
  return node.op === 'input' || node.op === 'bits' || node.op === 'random'
}

function isSecretProduct(node: Node, secret: readonly boolean[]): boolean {
  return (node.op === 'mul' || node.op === 'inner') && secret[node.a]! && secret[node.b]!
}

function takeSlot(slots: number[], slot: number, length: number, at: number): void {
  if (slot !== slots.length) throw invalid(`node ${at} takes slot ${slot}; the next one is ${slots.length}`)
  if (slots.length >= MAX_SLOTS) throw invalid(`a program has at most ${MAX_SLOTS} slots`)
  slots.push(length)
}

/** Throws CIRCUIT_INVALID when the operands do not fit. */
export function lengthOf(node: Node, at: number, lengths: readonly number[]): number {
  const of = (ref: NodeRef) => lengths[ref]!
  switch (node.op) {
    case 'input':
    case 'param':
    case 'bits':
    case 'random':
      return node.length
    case 'const':
      for (const v of node.values) checkConstant(v, at)
      return node.values.length
    case 'add':
    case 'sub':
    case 'mul':
    case 'inner':
      if (of(node.a) !== of(node.b))
        throw invalid(`node ${at} (${node.op}) has operands of lengths ${of(node.a)} and ${of(node.b)}`)
      return node.op === 'inner' ? 1 : of(node.a)
    case 'neg':
    case 'open':
    case 'inverse':
    case 'isZero':
      return of(node.a)
    case 'low':
      checkBits(node.bits, at)
      return of(node.a)
    case 'digits':
      checkBits(node.count, at)
      return node.count * of(node.a)
    case 'scale':
      checkConstant(node.factor, at)
      return of(node.a)
    case 'sum':
      return 1
    case 'slice':
      if (!(Number.isSafeInteger(node.from) && node.from >= 0 && node.to <= of(node.a)))
        throw invalid(`node ${at} slices [${node.from}, ${node.to}) of length ${of(node.a)}`)
      return node.to - node.from
    case 'concat':
      return node.parts.reduce((n, p) => n + of(p), 0)
    case 'blocks': {
      const blocks = of(node.a) / node.block
      if (!(Number.isSafeInteger(node.block) && node.block > 0 && Number.isInteger(blocks)))
        throw invalid(`node ${at} has blocks of ${node.block} in a vector of length ${of(node.a)}`)
      if (node.picks.some((p) => !Number.isSafeInteger(p) || p < 0 || p >= blocks))
        throw invalid(`node ${at} picks a block that is not there`)
      return node.block * node.picks.length
    }
    case 'broadcast':
      if (of(node.a) !== 1) throw invalid(`node ${at} broadcasts a vector of length ${of(node.a)}`)
      return node.length
    default:
      throw invalid(`node ${at} has an unknown operation`)
  }
}

function checkBits(bits: number, at: number): void {
  if (!Number.isSafeInteger(bits) || bits < 1 || bits > MAX_DIGITS)
    throw invalid(`node ${at} takes 1 to ${MAX_DIGITS} bits, not ${bits}`)
}

function checkConstant(value: bigint, at: number): void {
  if (typeof value !== 'bigint' || value >= CONSTANT_LIMIT || value <= -CONSTANT_LIMIT)
    throw invalid(`node ${at} has a constant beyond ${MAX_CONSTANT_BITS} bits`)
}

function schedule(nodes: readonly Node[], secret: readonly boolean[], depth: readonly number[]) {
  const rounds = depth.reduce((a, b) => Math.max(a, b), 0)
  if (rounds > MAX_ROUNDS) throw invalid(`the program needs ${rounds} rounds; allowed are ${MAX_ROUNDS}`)
  const layers = Array.from({ length: rounds + 1 }, () => ({
    local: [] as NodeRef[],
    multiply: [] as NodeRef[],
    open: [] as NodeRef[],
  }))
  nodes.forEach((node, at) => {
    if (isSecretProduct(node, secret)) layers[depth[at]! - 1]!.multiply.push(at)
    else if (node.op === 'open') layers[depth[at]! - 1]!.open.push(at)
    else layers[depth[at]!]!.local.push(at)
  })
  return layers
}
