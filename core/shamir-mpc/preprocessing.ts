import { Prg } from '../base/random.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { coefficients, point } from './interpolate.ts'
import type { PartyKeys } from './setup.ts'
import { derive } from './setup.ts'

/** A random value r shared twice, as the multiplication of Damgård–Nielsen 2007 consumes it. */
export interface DoubleSharing {
  /** Degree t. */
  readonly low: FieldVector
  /** Degree 2t, over the dealers 0 … 2t. */
  readonly high: FieldVector
}

/** One party's half of pseudo-random material. All parties must draw the same lengths in the same order. */
export interface Preprocessing {
  /** A sharing of zero of degree t. */
  zero(length: number): FieldVector
  doubleSharing(length: number): DoubleSharing
}

interface Weighted {
  readonly prg: Prg
  /** Value at this party's point of the polynomials that the key selects. */
  readonly factors: readonly bigint[]
}

/**
 * Sharings drawn without communication from replicated keys (PRSS and PRZS, Cramer–Damgård–Ishai 2005), a
 * departure from Damgård–Nielsen 2007, whose double sharings cost a round of dealing and extraction. The
 * part of degree 2t that hides the product is additive among the 2t + 1 dealers with pairwise keys: any
 * vector of 2t + 1 values is a sharing of degree 2t, so 2t streams a party do where PRZS takes C(n, t)·t.
 */
export class ReplicatedPreprocessing implements Preprocessing {
  readonly #field: PrimeField
  readonly #random: readonly Weighted[]
  readonly #zero: readonly Weighted[]
  readonly #masks: readonly { prg: Prg; sign: bigint }[]

  constructor(field: PrimeField, keys: PartyKeys, n: number, t: number, index: number) {
    this.#field = field
    const x = point(index)
    /** Π over the absent parties of (1 − x/x_j): 1 at 0, 0 at every party without the key. */
    const selector = (members: readonly number[]) => {
      const absent = Array.from({ length: n }, (_, j) => j).filter((j) => !members.includes(j))
      return coefficients(field, [0n, ...absent.map(point)], x)[0]!
    }
    this.#random = keys.random.map(({ members, key }) => ({
      prg: new Prg(derive(key, 'random')),
      factors: [selector(members)],
    }))
    this.#zero = keys.zero.map(({ members, key }) => ({
      prg: new Prg(derive(key, 'zero')),
      factors: [field.scalar.mul(x, selector(members))],
    }))
    const dealers = Array.from({ length: 2 * t + 1 }, (_, j) => j)
    const lambda = coefficients(field, dealers.map(point), 0n)
    this.#masks =
      index > 2 * t
        ? []
        : dealers
            .filter((j) => j !== index)
            .map((j) => ({
              prg: new Prg(derive(keys.pair[j]!, 'mask')),
              sign: field.scalar.mul(
                index < j ? 1n : -1n + field.modulus,
                field.scalar.inverse(lambda[index]!),
              ),
            }))
  }

  zero(length: number): FieldVector {
    return this.#draw(this.#zero, length)
  }

  doubleSharing(length: number): DoubleSharing {
    const low = this.#draw(this.#random, length)
    const masks = this.#masks.map((m) => this.#field.random(length, m.prg))
    const high = this.#field.linear([1n, ...this.#masks.map((m) => m.sign)], [low, ...masks])
    for (const m of masks) m.free()
    return { low, high }
  }

  #draw(streams: readonly Weighted[], length: number): FieldVector {
    const factors = streams.flatMap((s) => s.factors)
    const draws = streams.flatMap((s) => s.factors.map(() => this.#field.random(length, s.prg)))
    const out = this.#field.linear(factors, draws)
    for (const d of draws) d.free()
    return out
  }
}
