import * as z from 'zod'
import { CircuitBuilder } from '../builder.ts'
import { FIXED_LIMIT, FIXED_SCALE } from '../constants.ts'
import { resultValue } from '../fixed.ts'
import type { BuiltinFunction, BuiltProgram, NodeRef, Shapes } from '../types.ts'
import { allInputs, boundOf, everyone, inputError, integers, noParams, parseWith, total } from './kit.ts'

const kind = z.enum(['sample', 'population']).default('sample')
const kindField = {
  name: 'kind',
  kind: 'choice',
  required: false,
  choices: ['sample', 'population'],
} as const
type Kind = z.infer<typeof kind>

const named = <I extends string>(id: I) => ({
  id,
  version: 1,
  titleKey: `function.${id}.title`,
  descriptionKey: `function.${id}.description`,
  revealsKey: `function.${id}.reveals`,
})

function sumProgram(shapes: Shapes): BuiltProgram {
  total(shapes)
  const builder = new CircuitBuilder()
  builder.output(builder.sum(allInputs(builder, shapes)))
  return { circuit: builder.build(), params: [] }
}

type NoParams = z.infer<typeof noParams>

/** Σ x over all values of all references. Opens Σ x. */
export const sum: BuiltinFunction<NoParams> = {
  ...named('sum'),
  fields: [],
  input: 'any',
  parseParams: (value) => parseWith(noParams, value),
  disclosure: () => 'aggregate',
  checkShapes: (_, shapes) => void total(shapes),
  build: (_, shapes) => sumProgram(shapes),
  decode(output, modulus, _, shapes) {
    const [s] = integers(output, 1, modulus, boundOf(total(shapes)))
    return [resultValue(s!, FIXED_SCALE)]
  },
  contributors: (_, shapes) => [everyone(shapes)],
}

/** Σ x / N over all values of all references. Opens Σ x; N is public and the division is the requester's. */
export const mean: BuiltinFunction<NoParams> = {
  ...sum,
  ...named('mean'),
  decode(output, modulus, _, shapes) {
    const n = total(shapes)
    const [s] = integers(output, 1, modulus, boundOf(n))
    return [resultValue(s!, FIXED_SCALE * BigInt(n))]
  },
}

const varianceParams = z.strictObject({ kind })
type VarianceParams = z.infer<typeof varianceParams>

/**
 * N·Σxy − Σx·Σy as one inner product, [N·x, −Σx]·[y, Σy]: one round, one opening, and nothing but the numerator
 * is ever known.
 */
function secondMoment(builder: CircuitBuilder, x: NodeRef, y: NodeRef, n: number): BuiltProgram {
  const left = builder.concat([builder.scale(x, BigInt(n)), builder.neg(builder.sum(x))])
  const right = builder.concat([y, builder.sum(y)])
  builder.output(builder.inner(left, right))
  return { circuit: builder.build(), params: [] }
}

function decodeMoment(output: readonly bigint[], modulus: bigint, n: number, kindOf: Kind) {
  const [numerator] = integers(output, 1, modulus, 2n * boundOf(n * n, FIXED_LIMIT))
  const by = BigInt(n) * BigInt(kindOf === 'sample' ? n - 1 : n)
  return [resultValue(numerator!, FIXED_SCALE * FIXED_SCALE * by)]
}

const fewest = (kindOf: Kind) => (kindOf === 'sample' ? 2 : 1)

/** Variance over all values of all references, of the sample (N − 1) or the population (N). Opens N·Σx² − (Σx)². */
export const variance: BuiltinFunction<VarianceParams> = {
  ...named('variance'),
  fields: [kindField],
  input: 'any',
  parseParams: (value) => parseWith(varianceParams, value),
  disclosure: () => 'aggregate',
  checkShapes: (params, shapes) => void total(shapes, fewest(params.kind)),
  build(params, shapes) {
    const n = total(shapes, fewest(params.kind))
    const builder = new CircuitBuilder()
    const x = allInputs(builder, shapes)
    return secondMoment(builder, x, x, n)
  },
  decode: (output, modulus, params, shapes) =>
    decodeMoment(output, modulus, total(shapes, fewest(params.kind)), params.kind),
  contributors: (_, shapes) => [everyone(shapes)],
}

const layout = z.enum(['columns', 'alternate']).default('columns')
const covarianceParams = z.strictObject({ kind, layout })
type CovarianceParams = z.infer<typeof covarianceParams>

/** Number of pairs; throws CIRCUIT_INPUT when the references do not pair up. */
function pairs({ kind: kindOf, layout: layoutOf }: CovarianceParams, shapes: Shapes): number {
  const n = total(shapes, 2 * fewest(kindOf)) / 2
  if (layoutOf === 'columns') {
    shapes.forEach((length, i) => {
      if (length % 2 !== 0)
        throw inputError(`reference ${i} holds ${length} values: pairs take an even number`)
    })
    return n
  }
  if (shapes.length % 2 !== 0) throw inputError('references alternate between x and y: their number is even')
  for (let i = 0; i < shapes.length; i += 2)
    if (shapes[i] !== shapes[i + 1])
      throw inputError(`references ${i} and ${i + 1} hold ${shapes[i]} and ${shapes[i + 1]} values`)
  return n
}

/**
 * Covariance of pairs (x, y), of the sample (N − 1) or the population (N). Layout `columns`: every reference
 * holds its own pairs, all x first and then all y (x_1 … x_k, y_1 … y_k; one pair is x, y). Layout `alternate`:
 * references 0, 2, … hold x and references 1, 3, … the y of equal length. Opens N·Σxy − Σx·Σy.
 */
export const covariance: BuiltinFunction<CovarianceParams> = {
  ...named('covariance'),
  fields: [kindField, { name: 'layout', kind: 'choice', required: false, choices: ['columns', 'alternate'] }],
  input: 'pairs',
  parseParams: (value) => parseWith(covarianceParams, value),
  disclosure: () => 'aggregate',
  checkShapes: (params, shapes) => void pairs(params, shapes),
  build(params, shapes) {
    const n = pairs(params, shapes)
    const builder = new CircuitBuilder()
    const inputs = shapes.map((length) => builder.input(length))
    const half = (ref: NodeRef, i: number, second: boolean) =>
      builder.slice(ref, second ? shapes[i]! / 2 : 0, second ? shapes[i]! : shapes[i]! / 2)
    const columns = params.layout === 'columns'
    const side = (second: boolean) =>
      builder.concat(
        columns
          ? inputs.map((ref, i) => half(ref, i, second))
          : inputs.filter((_, i) => (i % 2 === 1) === second),
      )
    return secondMoment(builder, side(false), side(true), n)
  },
  decode: (output, modulus, params, shapes) =>
    decodeMoment(output, modulus, pairs(params, shapes), params.kind),
  contributors: (_, shapes) => [everyone(shapes)],
}
