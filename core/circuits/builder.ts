import { createCircuit, lengthOf } from './analyse.ts'
import type { Circuit, Node, NodeRef } from './types.ts'

/** Writes a program node by node; every method returns the new node. `build` validates the whole. */
export class CircuitBuilder {
  readonly #nodes: Node[] = []
  readonly #outputs: NodeRef[] = []
  #inputs = 0
  #params = 0

  readonly #lengths: number[] = []

  #push(node: Node): NodeRef {
    this.#lengths.push(lengthOf(node, this.#nodes.length, this.#lengths))
    return this.#nodes.push(node) - 1
  }

  /** Elements of a node's vector. */
  length(ref: NodeRef): number {
    return this.#lengths[ref]!
  }

  /** The secret vector of the next input slot. */
  input(length: number): NodeRef {
    return this.#push({ op: 'input', slot: this.#inputs++, length })
  }
  /** The public vector of the next parameter slot. */
  param(length: number): NodeRef {
    return this.#push({ op: 'param', slot: this.#params++, length })
  }
  constant(values: readonly bigint[]): NodeRef {
    return this.#push({ op: 'const', values: [...values] })
  }
  add(a: NodeRef, b: NodeRef): NodeRef {
    return this.#push({ op: 'add', a, b })
  }
  sub(a: NodeRef, b: NodeRef): NodeRef {
    return this.#push({ op: 'sub', a, b })
  }
  neg(a: NodeRef): NodeRef {
    return this.#push({ op: 'neg', a })
  }
  scale(a: NodeRef, factor: bigint): NodeRef {
    return this.#push({ op: 'scale', a, factor })
  }
  mul(a: NodeRef, b: NodeRef): NodeRef {
    return this.#push({ op: 'mul', a, b })
  }
  inner(a: NodeRef, b: NodeRef): NodeRef {
    return this.#push({ op: 'inner', a, b })
  }
  sum(a: NodeRef): NodeRef {
    return this.#push({ op: 'sum', a })
  }
  slice(a: NodeRef, from: number, to: number): NodeRef {
    return this.#push({ op: 'slice', a, from, to })
  }
  /** A single part is returned as it is. */
  concat(parts: readonly NodeRef[]): NodeRef {
    return parts.length === 1 ? parts[0]! : this.#push({ op: 'concat', parts: [...parts] })
  }
  broadcast(a: NodeRef, length: number): NodeRef {
    return this.#push({ op: 'broadcast', a, length })
  }
  /** Blocks of `block` elements, picked by number. */
  blocks(a: NodeRef, block: number, picks: readonly number[]): NodeRef {
    return this.#push({ op: 'blocks', a, block, picks: [...picks] })
  }
  /** Random bits that nobody knows. */
  bits(length: number): NodeRef {
    return this.#push({ op: 'bits', length })
  }
  /** Random elements that nobody knows. */
  random(length: number): NodeRef {
    return this.#push({ op: 'random', length })
  }
  /** Reveals a masked secret to the committee. */
  open(a: NodeRef): NodeRef {
    return this.#push({ op: 'open', a })
  }
  low(a: NodeRef, bits: number): NodeRef {
    return this.#push({ op: 'low', a, bits })
  }
  digits(a: NodeRef, count: number): NodeRef {
    return this.#push({ op: 'digits', a, count })
  }
  inverse(a: NodeRef): NodeRef {
    return this.#push({ op: 'inverse', a })
  }
  isZero(a: NodeRef): NodeRef {
    return this.#push({ op: 'isZero', a })
  }
  output(a: NodeRef): this {
    this.#outputs.push(a)
    return this
  }
  /** Throws CIRCUIT_INVALID. */
  build(): Circuit {
    return createCircuit(this.#nodes, this.#outputs)
  }
}
