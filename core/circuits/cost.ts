import { analyse } from './analyse.ts'
import type { Circuit, Cost, Node } from './types.ts'

const SOURCES: ReadonlySet<Node['op']> = new Set(['input', 'param', 'const', 'bits', 'random'])

/** Work of a program, independent of the committee: the basis of fees and progress. */
export function cost(circuit: Circuit): Cost {
  const { lengths, layers } = analyse(circuit)
  let multiplications = 0
  let openings = 0
  let reveals = 0
  let bits = 0
  let randoms = 0
  let additions = 0
  for (const layer of layers) {
    for (const ref of layer.multiply) {
      const node = circuit.nodes[ref]!
      if (node.op === 'inner') multiplications += lengths[node.a]!
      else multiplications += lengths[ref]!
      openings += lengths[ref]!
    }
    for (const ref of layer.open) reveals += lengths[ref]!
    for (const ref of layer.local) {
      const node = circuit.nodes[ref]!
      if (node.op === 'bits') bits += node.length
      if (node.op === 'random') randoms += node.length
      if (node.op === 'sum' || node.op === 'inner') additions += lengths[node.a]!
      else if (!SOURCES.has(node.op)) additions += lengths[ref]!
    }
  }
  return {
    rounds: layers.length - 1,
    multiplications,
    openings,
    reveals,
    bits,
    randoms,
    additions,
    outputs: circuit.outputs.reduce((n, ref) => n + lengths[ref]!, 0),
  }
}

/**
 * Payload bytes one party sends in all rounds, headers aside: with re-sharing each of 2t + 1 dealers sends
 * n − 1 − t elements a product; the others send nothing. Plus the output share.
 */
export function bytesPerParty(c: Cost, n: number, t: number, elementBytes = 32): number {
  return (c.openings * (n - 1 - t) + c.outputs) * elementBytes
}
