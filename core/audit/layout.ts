import { cost } from '../circuits/cost.ts'
import type { Circuit } from '../circuits/types.ts'
import type { Amounts } from '../preprocessing/types.ts'

/**
 * Where each party's committed shares stand in its vector of leaves: the inputs, then the material. Of the triples the
 * first half is used, the second half checks it: a₀…a₂ₜ, b₀…b₂ₜ, c₀…c₂ₜ.
 */
export interface Layout {
  readonly inputs: number
  /** Triples that are used: the program's, the output's, and one for every bit. */
  readonly triples: number
  readonly bits: number
  readonly randoms: number
  readonly outputs: number
  readonly offsets: {
    readonly a: number
    readonly b: number
    readonly c: number
    readonly bits: number
    readonly randoms: number
  }
  /** Inputs included. */
  readonly length: number
}

/** The layout of an audited run of a circuit. */
export function layoutOf(circuit: Circuit): Layout {
  const { multiplications, bits, randoms, outputs } = cost(circuit)
  const inputs = circuit.inputs.reduce((n, length) => n + length, 0)
  const triples = multiplications + outputs + 1 + bits
  const a = inputs
  const [b, c] = [a + 2 * triples, a + 4 * triples]
  const bitsAt = a + 6 * triples
  const randomsAt = bitsAt + bits
  return {
    ...{ inputs, triples, bits, randoms: randoms + 2, outputs },
    offsets: { a, b, c, bits: bitsAt, randoms: randomsAt },
    length: randomsAt + randoms + 2,
  }
}

/** What an audited job takes from the store. */
export function auditedMaterial(circuit: Circuit): Amounts {
  const { inputs, triples, bits, randoms } = layoutOf(circuit)
  return { triple: 2 * triples, bit: bits, random: randoms, mask: inputs + 1 }
}
