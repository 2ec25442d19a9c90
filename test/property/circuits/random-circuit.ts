import * as fc from 'fast-check'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import type { Circuit, NodeRef } from '../../../core/circuits/types.ts'

export interface Instance {
  readonly circuit: Circuit
  readonly inputs: bigint[][]
  readonly params: bigint[][]
}

const OPS = [
  'add',
  'sub',
  'mul',
  'mul',
  'inner',
  'neg',
  'scale',
  'sum',
  'slice',
  'concat',
  'broadcast',
  'const',
] as const

/** Random valid programs of a few layers, with inputs. Small lengths, so that operands often fit. */
export const instance: fc.Arbitrary<Instance> = fc
  .record({
    inputs: fc.array(
      fc.array(fc.bigInt({ min: -(1n << 70n), max: 1n << 70n }), { minLength: 1, maxLength: 4 }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    params: fc.array(fc.array(fc.bigInt({ min: -1000n, max: 1000n }), { minLength: 1, maxLength: 4 }), {
      maxLength: 2,
    }),
    steps: fc.array(fc.record({ op: fc.constantFrom(...OPS), a: fc.nat(), b: fc.nat(), k: fc.integer() }), {
      maxLength: 25,
    }),
    outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  })
  .map(({ inputs, params, steps, outputs }) => {
    const builder = new CircuitBuilder()
    const lengths: number[] = []
    const secret: boolean[] = []
    const put = (ref: NodeRef, length: number, isSecret: boolean) => {
      if (ref !== lengths.length) return
      lengths.push(length)
      secret.push(isSecret)
    }
    for (const v of inputs) put(builder.input(v.length), v.length, true)
    for (const v of params) put(builder.param(v.length), v.length, false)
    for (const { op, a: i, b: j, k } of steps) {
      const a = i % lengths.length
      const fits = lengths.flatMap((l, ref) => (l === lengths[a] ? [ref] : []))
      const b = fits[j % fits.length]!
      const both = secret[a]! || secret[b]!
      const n = lengths[a]!
      if (op === 'add' || op === 'sub' || op === 'mul') put(builder[op](a, b), n, both)
      else if (op === 'inner') put(builder.inner(a, b), 1, both)
      else if (op === 'neg') put(builder.neg(a), n, secret[a]!)
      else if (op === 'scale') put(builder.scale(a, BigInt(k)), n, secret[a]!)
      else if (op === 'sum') put(builder.sum(a), 1, secret[a]!)
      else if (op === 'slice') put(builder.slice(a, j % n, n), n - (j % n), secret[a]!)
      else if (op === 'concat' && n <= 8) put(builder.concat([a, b]), 2 * n, both)
      else if (op === 'broadcast' && n === 1) put(builder.broadcast(a, 1 + (j % 4)), 1 + (j % 4), secret[a]!)
      else if (op === 'const') put(builder.constant([BigInt(k), BigInt(j)]), 2, false)
    }
    const candidates = secret.flatMap((s, ref) => (s ? [ref] : []))
    // The last secret node is always among the outputs: it has the most behind it.
    builder.output(candidates.at(-1)!)
    for (const o of outputs) builder.output(candidates[o % candidates.length]!)
    return { circuit: builder.build(), inputs, params }
  })
