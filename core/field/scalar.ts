import { EnigmaError } from '../base/errors.ts'
import type { PrimeField } from './types.ts'

/** Arithmetic on single bigints modulo a prime, for indices, Lagrange coefficients and tests. Not constant time. */
export function createScalarField(modulus: bigint): PrimeField['scalar'] {
  const reduce = (x: bigint) => {
    const r = x % modulus
    return r < 0n ? r + modulus : r
  }
  const inverse = (x: bigint) => {
    let [a, b, u, v] = [reduce(x), modulus, 1n, 0n]
    if (a === 0n) throw new EnigmaError('FIELD_NOT_INVERTIBLE', 'zero has no inverse')
    while (b !== 0n) {
      const q = a / b
      ;[a, b, u, v] = [b, a - q * b, v, u - q * v]
    }
    return reduce(u)
  }
  return {
    reduce,
    mul: (a, b) => reduce(a * b),
    inverse,
    lagrange(xs, at = 0n) {
      const points = xs.map(reduce)
      if (points.some((x) => x === 0n)) throw new EnigmaError('SHARE_INDEX', 'an index is 0 modulo the field')
      if (new Set(points).size !== points.length)
        throw new EnigmaError('SHARE_INDEX', 'two indices are equal modulo the field')
      return points.map((xj, j) => {
        let numerator = 1n
        let denominator = 1n
        for (let m = 0; m < points.length; m++) {
          if (m === j) continue
          numerator = reduce(numerator * (at - points[m]!))
          denominator = reduce(denominator * (xj - points[m]!))
        }
        return reduce(numerator * inverse(denominator))
      })
    },
  }
}
