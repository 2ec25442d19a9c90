import * as z from 'zod'
import { CircuitBuilder } from '../builder.ts'
import { FIXED_SCALE } from '../constants.ts'
import { parseFixed, resultValue } from '../fixed.ts'
import type { BuiltinFunction, Shapes } from '../types.ts'
import {
  allInputs,
  boundOf,
  decimal,
  decimals,
  everyone,
  inputError,
  integers,
  parseWith,
  total,
} from './kit.ts'

export const magnitude = (x: bigint) => (x < 0n ? -x : x)
function largest(xs: readonly bigint[]): bigint {
  let most = 0n
  for (const x of xs.map(magnitude)) if (x > most) most = x
  return most
}

const weightedMeanParams = z.strictObject({ weights: decimals })
type WeightedMeanParams = z.infer<typeof weightedMeanParams>

function meanWeights({ weights }: WeightedMeanParams, shapes: Shapes): bigint[] {
  const n = total(shapes)
  if (weights.length !== n) throw inputError(`weights: ${weights.length} for ${n} values`)
  const scaled = weights.map(parseFixed)
  if (scaled.some((w) => w < 0n)) throw inputError('weights: a weight is negative')
  if (scaled.every((w) => w === 0n)) throw inputError('weights: all are zero')
  return scaled
}

/**
 * Σ wx / Σ w with public weights ≥ 0, one per value in the order of the references. Opens Σ wx. Very unequal
 * weights let the requester read single values out of the sum; whoever allows this function should pin its
 * parameters (`callHash`) or require approval.
 */
export const weightedMean: BuiltinFunction<WeightedMeanParams> = {
  id: 'weightedMean',
  version: 1,
  titleKey: 'function.weightedMean.title',
  descriptionKey: 'function.weightedMean.description',
  revealsKey: 'function.weightedMean.reveals',
  fields: [{ name: 'weights', kind: 'decimals', required: true }],
  input: 'any',
  parseParams: (value) => parseWith(weightedMeanParams, value),
  disclosure: () => 'weighted-aggregate',
  checkShapes: (params, shapes) => void meanWeights(params, shapes),
  build(params, shapes) {
    const weights = meanWeights(params, shapes)
    const builder = new CircuitBuilder()
    builder.output(builder.inner(allInputs(builder, shapes), builder.param(weights.length)))
    return { circuit: builder.build(), params: [weights] }
  },
  decode(output, modulus, params, shapes) {
    const weights = meanWeights(params, shapes)
    const [s] = integers(output, 1, modulus, boundOf(weights.length, largest(weights)))
    return [resultValue(s!, FIXED_SCALE * weights.reduce((a, b) => a + b, 0n))]
  },
  contributors(params, shapes) {
    const weights = meanWeights(params, shapes)
    let at = 0
    return [
      everyone(shapes).filter((i) => {
        const from = at
        at += shapes[i]!
        return weights.slice(from, at).some((w) => w !== 0n)
      }),
    ]
  },
}

export const linearScoreParams = z.strictObject({
  weights: decimals,
  bias: decimal.default('0'),
  output: z.enum(['mean', 'each']).default('mean'),
})
type LinearScoreParams = z.infer<typeof linearScoreParams>

/** The weights, scaled, once they fit the references. */
export function scoreWeights({ weights }: Pick<LinearScoreParams, 'weights'>, shapes: Shapes): bigint[] {
  total(shapes)
  shapes.forEach((length, i) => {
    if (length !== weights.length)
      throw inputError(`reference ${i} holds ${length} values where the score has ${weights.length} weights`)
  })
  const scaled = weights.map(parseFixed)
  if (scaled.every((w) => w === 0n)) throw inputError('weights: all are zero')
  return scaled
}

/**
 * w·x + b for the feature vector x of each reference, w and b public. Output `mean` opens the sum of all
 * scores and releases their mean; output `each` opens and releases one score per reference, which can be as
 * telling as a feature itself (a single weight other than zero is that feature).
 */
export const linearScore: BuiltinFunction<LinearScoreParams> = {
  id: 'linearScore',
  version: 1,
  titleKey: 'function.linearScore.title',
  descriptionKey: 'function.linearScore.description',
  revealsKey: 'function.linearScore.reveals',
  fields: [
    { name: 'weights', kind: 'decimals', required: true },
    { name: 'bias', kind: 'decimal', required: false },
    { name: 'output', kind: 'choice', required: false, choices: ['mean', 'each'] },
  ],
  input: 'weights',
  parseParams: (value) => parseWith(linearScoreParams, value),
  disclosure: (params) => (params.output === 'each' ? 'per-reference' : 'weighted-aggregate'),
  checkShapes: (params, shapes) => void scoreWeights(params, shapes),
  build(params, shapes) {
    const weights = scoreWeights(params, shapes)
    const builder = new CircuitBuilder()
    const rows = shapes.map((length) => builder.input(length))
    const w = builder.param(weights.length)
    if (params.output === 'each') for (const row of rows) builder.output(builder.inner(row, w))
    else
      builder.output(
        builder.inner(
          rows.reduce((a, b) => builder.add(a, b)),
          w,
        ),
      )
    return { circuit: builder.build(), params: [weights] }
  },
  decode(output, modulus, params, shapes) {
    const weights = scoreWeights(params, shapes)
    const each = params.output === 'each'
    const references = BigInt(shapes.length)
    const bound = boundOf(weights.length, largest(weights)) * (each ? 1n : references)
    const sums = integers(output, each ? shapes.length : 1, modulus, bound)
    const bias = parseFixed(params.bias) * FIXED_SCALE
    const unit = FIXED_SCALE * FIXED_SCALE
    if (each) return sums.map((s) => resultValue(s + bias, unit))
    return [resultValue(sums[0]! + references * bias, unit * references)]
  },
  contributors: (params, shapes) =>
    params.output === 'each' ? shapes.map((_, i) => [i]) : [everyone(shapes)],
}
