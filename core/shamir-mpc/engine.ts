import { EnigmaError } from '../base/errors.ts'
import type { Engine } from '../circuits/types.ts'
import { squareRoots } from '../field/sqrt.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import type { ShamirParty } from './types.ts'

/**
 * Runs circuits on Shamir shares; public values are constant sharings. Without a party only local operations are
 * possible (CIRCUIT_INVALID otherwise). Random elements are sums of one input of each party; a random bit is
 * (r/√(r²) + 1)/2 for an opened square (Damgård et al., TCC 2006).
 */
export function shamirEngine(field: PrimeField, party: ShamirParty | undefined): Engine<FieldVector> {
  const together = (): ShamirParty => {
    if (party === undefined) throw new EnigmaError('CIRCUIT_INVALID', 'the program needs a committee session')
    return party
  }
  const copy = (v: FieldVector) => field.slice(v, 0, v.length)
  const random = async (count: number): Promise<FieldVector> => {
    const p = together()
    let sum = field.zeros(count)
    for (let owner = 0; owner < p.committee.parties.length; owner++) {
      const own = owner === p.index ? field.random(count) : undefined
      const share = await p.input(owner, own ?? count)
      const next = field.add(sum, share)
      for (const v of [sum, share, ...(own === undefined ? [] : [own])]) v.free()
      sum = next
    }
    return sum
  }
  return {
    field,
    lengthOf: (a) => a.length,
    fromPublic: copy,
    add: (a, b) => field.add(a, b),
    sub: (a, b) => field.sub(a, b),
    neg: (a) => field.neg(a),
    addPublic: (a, v) => field.add(a, v),
    mulPublic: (a, v) => field.mul(a, v),
    innerPublic: (a, v) => field.inner(a, v),
    scale: (a, factor) => field.scale(a, factor),
    sum: (a) => field.sum(a),
    slice: (a, from, to) => field.slice(a, from, to),
    concat: (parts) => field.concat(parts),
    gather: (a, indices) => field.gather(a, indices),
    free: (a) => a.free(),
    random,
    async bits(count) {
      const r = await random(count)
      const [square] = (await together().multiply([{ op: 'mul', a: r, b: r }])) as [FieldVector]
      const opened = await together().open(square)
      const roots = await squareRoots(field, opened)
      const inverse = field.inverse(roots)
      const sign = field.mul(r, inverse)
      const one = field.fromBigints([1n])
      const shifted = field.add(sign, one)
      const bits = field.scale(shifted, (field.modulus + 1n) / 2n)
      for (const v of [r, square, opened, roots, inverse, sign, one, shifted]) v.free()
      return bits
    },
    async round(products, openings) {
      const results = products.length === 0 ? [] : await together().multiply(products)
      const opened: FieldVector[] = []
      if (openings.length > 0) {
        const joined = field.concat(openings)
        const values = await together().open(joined)
        let at = 0
        for (const { length } of openings) {
          opened.push(field.slice(values, at, at + length))
          at += length
        }
        joined.free()
        values.free()
      }
      return { products: results, opened }
    },
  }
}
