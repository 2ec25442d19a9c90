import { toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { Prg } from '../base/random.ts'
import { analyse } from './analyse.ts'
import type { Circuit } from './types.ts'

/**
 * The reference semantics: evaluates a program in the clear, modulo `modulus`, with random bits and elements
 * from `prg`. Returns all outputs concatenated, canonical. Throws CIRCUIT_INPUT when the vectors do not fit the slots.
 */
export function evaluate(
  circuit: Circuit,
  modulus: bigint,
  inputs: readonly (readonly bigint[])[],
  params: readonly (readonly bigint[])[] = [],
  prg: Prg = new Prg(),
): bigint[] {
  analyse(circuit)
  checkSlots('input', circuit.inputs, inputs)
  checkSlots('parameter', circuit.params, params)
  const mod = (v: bigint) => {
    const r = v % modulus
    return r < 0n ? r + modulus : r
  }
  const values: bigint[][] = []
  const sum = (v: readonly bigint[]) => mod(v.reduce((a, b) => a + b, 0n))
  for (const node of circuit.nodes) {
    const at = (ref: number) => values[ref]!
    const zip = (a: number, b: number, f: (x: bigint, y: bigint) => bigint) =>
      at(a).map((x, i) => mod(f(x, at(b)[i]!)))
    values.push(
      (() => {
        switch (node.op) {
          case 'input':
            return inputs[node.slot]!.map(mod)
          case 'param':
            return params[node.slot]!.map(mod)
          case 'const':
            return node.values.map(mod)
          case 'add':
            return zip(node.a, node.b, (x, y) => x + y)
          case 'sub':
            return zip(node.a, node.b, (x, y) => x - y)
          case 'neg':
            return at(node.a).map((x) => mod(-x))
          case 'scale':
            return at(node.a).map((x) => mod(x * node.factor))
          case 'mul':
            return zip(node.a, node.b, (x, y) => x * y)
          case 'inner':
            return [sum(zip(node.a, node.b, (x, y) => x * y))]
          case 'sum':
            return [sum(at(node.a))]
          case 'slice':
            return at(node.a).slice(node.from, node.to)
          case 'concat':
            return node.parts.flatMap(at)
          case 'broadcast':
            return new Array<bigint>(node.length).fill(at(node.a)[0]!)
          case 'blocks':
            return node.picks.flatMap((p) => at(node.a).slice(p * node.block, (p + 1) * node.block))
          case 'bits':
            return Array.from(prg.bytes(node.length), (b) => BigInt(b & 1))
          case 'random':
            return Array.from({ length: node.length }, () => mod(BigInt(toHex(prg.bytes(48)))))
          case 'open':
            return [...at(node.a)]
          case 'low':
            return at(node.a).map((x) => BigInt.asUintN(node.bits, x))
          case 'digits':
            return Array.from({ length: node.count }, (_, j) =>
              at(node.a).map((x) => (x >> BigInt(j)) & 1n),
            ).flat()
          case 'inverse':
            return at(node.a).map((x) => modInverse(x, modulus))
          case 'isZero':
            return at(node.a).map((x) => (x === 0n ? 1n : 0n))
        }
      })(),
    )
  }
  return circuit.outputs.flatMap((ref) => values[ref]!)
}

function modInverse(x: bigint, modulus: bigint): bigint {
  if (x === 0n) throw new EnigmaError('FIELD_NOT_INVERTIBLE', 'zero has no inverse')
  let [a, b, u, v] = [x, modulus, 1n, 0n]
  while (a !== 1n) {
    const q = b / a
    ;[a, b, u, v] = [b - q * a, a, v - q * u, u]
  }
  return ((u % modulus) + modulus) % modulus
}

/** Throws CIRCUIT_INPUT unless there is one vector per slot, each of its slot's length. */
export function checkSlots(
  what: 'input' | 'parameter',
  slots: readonly number[],
  vectors: readonly { readonly length: number }[],
): void {
  if (slots.length !== vectors.length)
    throw new EnigmaError(
      'CIRCUIT_INPUT',
      `the program takes ${slots.length} ${what} vectors, not ${vectors.length}`,
    )
  slots.forEach((length, slot) => {
    if (vectors[slot]!.length !== length)
      throw new EnigmaError(
        'CIRCUIT_INPUT',
        `${what} ${slot} has ${vectors[slot]!.length} values where the program takes ${length}`,
      )
  })
}
