import { analyse, operands } from '../circuits/analyse.ts'
import { cost } from '../circuits/cost.ts'
import type { Circuit, Engine } from '../circuits/types.ts'
import { freeAuth } from '../preprocessing/auth.ts'
import type { Amounts, AuthShare, MaterialSource } from '../preprocessing/types.ts'
import { PIECE } from './constants.ts'
import { internals } from './party.ts'
import type { SpdzParty } from './types.ts'

/**
 * Runs circuits on a party; random bits and elements come from its material. What a program opens is masked for its range
 * only, and an unchecked error in a product would leave that range: MACs are checked before each such round. `piece` is how
 * many elements are worked on between two turns of the event loop.
 */
export function spdzEngine(
  party: SpdzParty,
  material: MaterialSource,
  piece: number = PIECE,
): Engine<AuthShare> {
  const inner = internals(party)
  const { local } = inner
  const { field } = party
  return {
    field,
    lengthOf: (a) => a.share.length,
    fromPublic(v) {
      const zero = { share: field.zeros(v.length), mac: field.zeros(v.length) }
      const out = local.addPublic(zero, v)
      freeAuth(zero)
      return out
    },
    add: (a, b) => local.add(a, b),
    sub: (a, b) => local.sub(a, b),
    neg: (a) => local.map(a, (v) => field.neg(v)),
    addPublic: (a, v) => local.addPublic(a, v),
    mulPublic: (a, v) => local.mulPublic(a, v),
    innerPublic: (a, v) => local.map(a, (x) => field.inner(x, v)),
    scale: (a, factor) => local.scale(a, factor),
    sum: (a) => local.map(a, (v) => field.sum(v)),
    slice: (a, from, to) => local.slice(a, from, to),
    concat: (parts) => local.concat(parts),
    gather: (a, indices) => local.map(a, (v) => field.gather(v, indices)),
    free: (a) => freeAuth(a),
    pieces: { length: piece, join: (parts) => local.join(parts) },
    check: async () => {
      if (inner.unchecked) await party.check()
    },
    async round(products, openings) {
      if (openings.length > 0 && inner.unchecked) await party.check()
      return party.round(products, openings)
    },
    bits: (count) => material.bits(count),
    random: (count) => material.randoms(count),
  }
}

/** What a run that is taken up at a checkpoint before this layer's round takes from the store: `outputShares` included. */
export function materialAfter(circuit: Circuit, layer: number): Amounts {
  const { lengths, layers } = analyse(circuit)
  const products = layers.slice(layer).flatMap(({ multiply }) => multiply)
  const factors = products.reduce((n, ref) => n + lengths[operands(circuit.nodes[ref]!)[0]!]!, 0)
  return { triple: factors + cost(circuit).outputs + 1, random: 2 }
}

/**
 * What a job takes from the store: `authenticate` and `outputShares` included.
 */
export function materialFor(circuit: Circuit): Amounts {
  const { multiplications, bits, randoms, outputs } = cost(circuit)
  const { lengths } = analyse(circuit)
  const inputs = circuit.nodes.reduce((n, node, at) => n + (node.op === 'input' ? lengths[at]! : 0), 0)
  return {
    triple: multiplications + outputs + 1,
    bit: bits,
    random: randoms + 2,
    mask: inputs + 1,
  }
}
