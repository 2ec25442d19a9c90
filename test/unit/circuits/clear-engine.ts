import type { Engine } from '../../../core/circuits/types.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { FieldVector } from '../../../core/field/types.ts'

export class Cut extends Error {}

/** An engine over values in the clear, all vectors counted; ends before round `cutAt`. */
export function clear({
  cutAt = -1,
  opened = [],
  piece,
}: {
  cutAt?: number
  opened?: string[]
  piece?: number
} = {}) {
  const live = new Set<FieldVector>()
  const made = (v: FieldVector) => {
    live.add(v)
    return v
  }
  const state = { live, rounds: 0, checks: 0, unchecked: false, uncheckedCheckpoint: false }
  const product = (op: 'mul' | 'inner', a: FieldVector, b: FieldVector) =>
    made(op === 'mul' ? field.mul(a, b) : field.inner(a, b))
  const engine: Engine<FieldVector> = {
    field,
    lengthOf: (a) => a.length,
    fromPublic: (v) => made(field.slice(v, 0, v.length)),
    add: (a, b) => made(field.add(a, b)),
    sub: (a, b) => made(field.sub(a, b)),
    neg: (a) => made(field.neg(a)),
    addPublic: (a, v) => made(field.add(a, v)),
    mulPublic: (a, v) => made(field.mul(a, v)),
    innerPublic: (a, v) => made(field.inner(a, v)),
    scale: (a, factor) => made(field.scale(a, factor)),
    sum: (a) => made(field.sum(a)),
    slice: (a, from, to) => made(field.slice(a, from, to)),
    concat: (parts) => made(field.concat(parts)),
    gather: (a, indices) => made(field.gather(a, indices)),
    free(a) {
      if (!live.delete(a)) throw new Error('freed twice, or not ours')
      a.free()
    },
    async round(products, openings) {
      if (state.rounds === cutAt) throw new Cut()
      state.rounds += 1
      state.unchecked = true
      const values = openings.map((v) => field.slice(v, 0, v.length))
      for (const v of values) opened.push(field.toBigints(v).join())
      return { products: products.map(({ op, a, b }) => product(op, a, b)), opened: values }
    },
    bits: async (count) =>
      made(field.fromBigints(Array.from({ length: count }, () => BigInt(Math.random() < 0.5)))),
    random: async (count) => made(field.random(count)),
    ...(piece !== undefined && { pieces: { length: piece, join: async (parts) => join(parts) } }),
    check: async () => {
      state.checks += 1
      state.unchecked = false
    },
  }
  const join = (parts: readonly FieldVector[]) => {
    const joined = engine.concat(parts)
    for (const part of parts) engine.free(part)
    return joined
  }
  return { engine, state, made }
}
