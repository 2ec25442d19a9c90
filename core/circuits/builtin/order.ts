import * as z from 'zod'
import { BN254_ORDER } from '../../field/fields.ts'
import { CircuitBuilder } from '../builder.ts'
import { FIXED_LIMIT, FIXED_SCALE } from '../constants.ts'
import { parseFixed, resultValue } from '../fixed.ts'
import { requireRange } from '../gadgets/compare.ts'
import { countsBelow, extreme, MAX_SORT, sort } from '../gadgets/order.ts'
import type { BuiltinFunction, FunctionId, NodeRef, Shapes } from '../types.ts'
import {
  allInputs,
  decimal,
  decimals,
  everyone,
  inputError,
  integers,
  noParams,
  parseWith,
  total,
} from './kit.ts'

/** Encoded values are below 2^63, and their differences below 2^64. */
const VALUE_WIDTH = 64
const WIDTH = 65
/** Comparisons of one request. */
const MAX_COMPARISONS = 20_000
const MAX_EDGES = 64

const named = <I extends FunctionId>(id: I) => ({
  id,
  version: 1,
  titleKey: `function.${id}.title`,
  descriptionKey: `function.${id}.description`,
  revealsKey: `function.${id}.reveals`,
})

function sortable(shapes: Shapes): number {
  const n = total(shapes)
  if (n > MAX_SORT)
    throw inputError(
      `at most ${MAX_SORT} values can be put in order, not ${n}: ask for a count or a histogram`,
    )
  return n
}

function comparable(shapes: Shapes, each: number): number {
  const n = total(shapes)
  if (n * each > MAX_COMPARISONS)
    throw inputError(`${n} values with ${each} thresholds need more than ${MAX_COMPARISONS} comparisons`)
  return n
}

/** Positions in ascending order, from 0, whose mean a statistic is. */
type Ranks = (n: number) => readonly number[]

/** One or the mean of two values of the ascending order. Opens their sum. */
function orderStatistic<P>(
  id: FunctionId,
  fields: BuiltinFunction<P>['fields'],
  parseParams: (value: unknown) => P,
  ranks: (params: P) => Ranks,
): BuiltinFunction<P> {
  return {
    ...named(id),
    version: 2,
    fields,
    input: 'any',
    parseParams,
    disclosure: () => 'order',
    checkShapes: (_, shapes) => void sortable(shapes),
    build(params, shapes) {
      const n = sortable(shapes)
      const b = new CircuitBuilder()
      const picked = ranks(params)(n)
      const x = requireRange(b, allInputs(b, shapes), VALUE_WIDTH, BN254_ORDER)
      const only = picked.length === 1 ? picked[0] : undefined
      if (only === 0 || only === n - 1)
        b.output(extreme(b, x, only === 0 ? 'min' : 'max', WIDTH, BN254_ORDER))
      else b.output(b.sum(b.blocks(sort(b, x, WIDTH, BN254_ORDER), 1, picked)))
      return { circuit: b.build(), params: [] }
    },
    decode(output, modulus, params, shapes) {
      const picked = ranks(params)(sortable(shapes)).length
      const [sum] = integers(output, 1, modulus, BigInt(picked) * FIXED_LIMIT)
      return [resultValue(sum!, FIXED_SCALE * BigInt(picked))]
    },
    contributors: (_, shapes) => [everyone(shapes)],
  }
}

type NoParams = z.infer<typeof noParams>
const plain = (value: unknown): NoParams => parseWith(noParams, value)

/** The middle value, or the mean of the two middle ones. */
export const median = orderStatistic<NoParams>(
  'median',
  [],
  plain,
  () => (n) => (n % 2 === 1 ? [(n - 1) / 2] : [n / 2 - 1, n / 2]),
)

export const min = orderStatistic<NoParams>('min', [], plain, () => () => [0])
export const max = orderStatistic<NoParams>('max', [], plain, () => (n) => [n - 1])

const percent = decimal.refine((text) => {
  const p = parseFixed(text)
  return p > 0n && p <= 100n * FIXED_SCALE
}, 'a percentile is above 0 and at most 100')
const percentileParams = z.strictObject({ percentile: percent })

/** The value at rank ⌈p/100·n⌉ of the ascending order (nearest rank). */
export const percentile = orderStatistic<z.infer<typeof percentileParams>>(
  'percentile',
  [{ name: 'percentile', kind: 'decimal', required: true }],
  (value) => parseWith(percentileParams, value),
  (params) => (n) => {
    const scaled = parseFixed(params.percentile) * BigInt(n)
    const hundred = 100n * FIXED_SCALE
    return [Number((scaled + hundred - 1n) / hundred) - 1]
  },
)

const histogramParams = z.strictObject({
  edges: decimals.refine(
    (edges) =>
      edges.length <= MAX_EDGES &&
      edges.every((e, i) => i === 0 || parseFixed(edges[i - 1]!) < parseFixed(e)),
    `1 to ${MAX_EDGES} edges in ascending order`,
  ),
})
type HistogramParams = z.infer<typeof histogramParams>

/** How many values lie below the first edge, between each two, and from the last one on. Opens these counts. */
export const histogram: BuiltinFunction<HistogramParams> = {
  ...named('histogram'),
  fields: [{ name: 'edges', kind: 'decimals', required: true }],
  input: 'any',
  parseParams: (value) => parseWith(histogramParams, value),
  disclosure: () => 'counts',
  checkShapes: ({ edges }, shapes) => void comparable(shapes, edges.length),
  build({ edges }, shapes) {
    comparable(shapes, edges.length)
    const b = new CircuitBuilder()
    b.output(countsBelow(b, allInputs(b, shapes), edges.map(parseFixed), WIDTH, BN254_ORDER))
    return { circuit: b.build(), params: [] }
  },
  decode(output, modulus, { edges }, shapes) {
    const n = BigInt(total(shapes))
    const below = integers(output, edges.length, modulus, n)
    return [...below, n].map((count, i) => resultValue(count - (below[i - 1] ?? 0n), 1n))
  },
  contributors: ({ edges }, shapes) => Array.from({ length: edges.length + 1 }, () => everyone(shapes)),
}

const CONDITIONS = ['below', 'atMost', 'atLeast', 'above', 'equal'] as const
const countParams = z.strictObject({ condition: z.enum(CONDITIONS), threshold: decimal })
type CountParams = z.infer<typeof countParams>

/** The smallest step between encoded values. */
const STEP = 1n

/** How many values fulfil a condition. Opens the count. */
export const countWhere: BuiltinFunction<CountParams> = {
  ...named('countWhere'),
  fields: [
    { name: 'condition', kind: 'choice', required: true, choices: CONDITIONS },
    { name: 'threshold', kind: 'decimal', required: true },
  ],
  input: 'any',
  parseParams: (value) => parseWith(countParams, value),
  disclosure: () => 'counts',
  checkShapes: ({ condition }, shapes) => void comparable(shapes, condition === 'equal' ? 2 : 1),
  build({ condition, threshold }, shapes) {
    const n = comparable(shapes, condition === 'equal' ? 2 : 1)
    const b = new CircuitBuilder()
    const x = allInputs(b, shapes)
    const t = parseFixed(threshold)
    const below = (limit: bigint) => countsBelow(b, x, [limit], WIDTH, BN254_ORDER)
    const others = (count: NodeRef) => b.sub(b.constant([BigInt(n)]), count)
    if (condition === 'below') b.output(below(t))
    else if (condition === 'atMost') b.output(below(t + STEP))
    else if (condition === 'atLeast') b.output(others(below(t)))
    else if (condition === 'above') b.output(others(below(t + STEP)))
    else b.output(b.sub(below(t + STEP), below(t)))
    return { circuit: b.build(), params: [] }
  },
  decode(output, modulus, _, shapes) {
    const [count] = integers(output, 1, modulus, BigInt(total(shapes)))
    return [resultValue(count!, 1n)]
  },
  contributors: (_, shapes) => [everyone(shapes)],
}

const positionParams = z.strictObject({ subject: z.int().min(0).max(9999) })
type PositionParams = z.infer<typeof positionParams>

/** Values other than the subject's own one. */
function group({ subject }: PositionParams, shapes: Shapes): number {
  const n = comparable(shapes, 2)
  if (subject >= shapes.length) throw inputError('subject: is not among the references')
  if (shapes[subject] !== 1) throw inputError('subject: the reference must hold one value')
  if (n < 2) throw inputError('the function needs at least 2 values')
  return n - 1
}

/**
 * Where one value stands among the others, as the mid-rank percentage (paper §2): others below it count in full, equal ones
 * half. The subject is a position among the references. Opens 2·below + equal.
 */
export const relativePosition: BuiltinFunction<PositionParams> = {
  ...named('relativePosition'),
  fields: [{ name: 'subject', kind: 'reference', required: true }],
  input: 'any',
  parseParams: (value) => parseWith(positionParams, value),
  disclosure: () => 'position',
  checkShapes: (params, shapes) => void group(params, shapes),
  build(params, shapes) {
    group(params, shapes)
    const b = new CircuitBuilder()
    const inputs = shapes.map((length) => b.input(length))
    const own = inputs[params.subject]!
    const rest = b.concat(inputs.filter((_, i) => i !== params.subject))
    const n = b.length(rest)
    // x < s, and x < s + step, which is x ≤ s.
    const difference = b.sub(rest, b.broadcast(own, n))
    const both = b.concat([difference, b.sub(difference, b.broadcast(b.constant([STEP]), n))])
    const zero = countsBelow(b, both, [0n], WIDTH + 1, BN254_ORDER)
    b.output(zero)
    return { circuit: b.build(), params: [] }
  },
  decode(output, modulus, params, shapes) {
    const others = BigInt(group(params, shapes))
    const [twice] = integers(output, 1, modulus, 2n * others)
    return [resultValue(100n * twice!, 2n * others)]
  },
  contributors: (_, shapes) => [everyone(shapes)],
}
