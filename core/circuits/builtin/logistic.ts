import type * as z from 'zod'
import { BN254_ORDER } from '../../field/fields.ts'
import { CircuitBuilder } from '../builder.ts'
import { FIXED_LIMIT, FIXED_SCALE } from '../constants.ts'
import { parseFixed, resultValue } from '../fixed.ts'
import { constants, isNegative, MAX_BITS, requireRange, select, truncateRoughly } from '../gadgets/compare.ts'
import { FRACTION, LOGISTIC_FRACTION, LOGISTIC_LIMIT, logisticFixed } from '../gadgets/fixed.ts'
import type { BuiltinFunction, Shapes } from '../types.ts'
import { everyone, inputError, integers, parseWith } from './kit.ts'
import { linearScore, linearScoreParams, magnitude, scoreWeights } from './weighted.ts'

const logisticParams = linearScoreParams.omit({ output: true })
type LogisticParams = z.infer<typeof logisticParams>

/** Decimal places of a probability: the logistic function is evaluated in floating point. */
const PROBABILITY_PLACES = 9

/**
 * 1/(1 + e^−(w·x + b)) for the feature vector x of each reference: a probability each. The score and its probability tell
 * the same, so the committee opens the scores to the requester, who applies the function: exact scores, probabilities
 * rounded to 9 places.
 */
export const logisticScore: BuiltinFunction<LogisticParams> = {
  ...linearScore,
  id: 'logisticScore',
  titleKey: 'function.logisticScore.title',
  descriptionKey: 'function.logisticScore.description',
  revealsKey: 'function.logisticScore.reveals',
  fields: linearScore.fields.filter(({ name }) => name !== 'output'),
  parseParams: (value) => parseWith(logisticParams, value),
  disclosure: () => 'per-reference',
  checkShapes: (params, shapes) => linearScore.checkShapes({ ...params, output: 'each' }, shapes),
  build: (params, shapes) => linearScore.build({ ...params, output: 'each' }, shapes),
  decode: (output, modulus, params, shapes) =>
    linearScore.decode(output, modulus, { ...params, output: 'each' }, shapes).map(({ decimal: score }) => {
      const unit = 10 ** PROBABILITY_PLACES
      const probability = 1 / (1 + Math.exp(-Number(score)))
      return resultValue(BigInt(Math.round(probability * unit)), BigInt(unit))
    }),
  contributors: (_, shapes) => shapes.map((_, i) => [i]),
}

/** References of one mean: some thousands of bits and multiplications each. */
const MAX_REFERENCES = 500
/** Decimal places of the released mean. */
const MEAN_PLACES = 10n ** 6n
/** Scores are integers of this unit: a weight times a value. */
const SCORE_UNIT = FIXED_SCALE * FIXED_SCALE
/** What brings a score to 24 fractional bits is a product with this power of two over the unit, and a shift. */
const RESCALE_BITS = 60

/** Bits of the integers that scores of valid values are, sign included. */
function scoreBits({ bias }: LogisticParams, weights: readonly bigint[]): number {
  const sum = weights.reduce((total, w) => total + magnitude(w), 0n)
  const largest = sum * FIXED_LIMIT + magnitude(parseFixed(bias)) * FIXED_SCALE
  const limit = BigInt(LOGISTIC_LIMIT) * SCORE_UNIT
  return (largest > limit ? largest : limit).toString(2).length + 1
}

function meanWeights(params: LogisticParams, shapes: Shapes): bigint[] {
  const weights = scoreWeights(params, shapes)
  if (shapes.length > MAX_REFERENCES)
    throw inputError(
      `a mean of logistic scores takes at most ${MAX_REFERENCES} references, not ${shapes.length}`,
    )
  if (scoreBits(params, weights) > MAX_BITS) throw inputError('weights: they are too large')
  return weights
}

/**
 * The mean of 1/(1 + e^−(w·x + b)) over the feature vectors x of all references, computed under the sharing: nobody learns a
 * score. Opens the sum of the probabilities with 24 fractional bits, each within 2^-22, so that the mean is within 2^-21 of
 * the exact one; it is released rounded to 6 places, within 10^-6. A reference counts for 0 to 1, whatever its owner shared:
 * scores out of range end the run (FIELD_NOT_INVERTIBLE). The last bits of what is opened are rounding that depends on the
 * scores, beyond what their mean tells.
 */
export const logisticMean: BuiltinFunction<LogisticParams> = {
  ...logisticScore,
  id: 'logisticMean',
  titleKey: 'function.logisticMean.title',
  descriptionKey: 'function.logisticMean.description',
  revealsKey: 'function.logisticMean.reveals',
  disclosure: () => 'weighted-aggregate',
  checkShapes: (params, shapes) => void meanWeights(params, shapes),
  build(params, shapes) {
    const weights = meanWeights(params, shapes)
    const n = shapes.length
    const k = scoreBits(params, weights)
    const b = new CircuitBuilder()
    const rows = shapes.map((length) => b.input(length))
    const w = b.param(weights.length)
    const bias = constants(b, parseFixed(params.bias) * FIXED_SCALE, n)
    const linear = b.add(b.concat(rows.map((row) => b.inner(row, w))), bias)
    const score = requireRange(b, linear, k, BN254_ORDER)
    // 1 − σ(x) = σ(−x), and what is beyond the limit is as good as at it.
    const negative = isNegative(b, score, k, BN254_ORDER)
    const size = select(b, negative, b.neg(score), score)
    const limit = constants(b, BigInt(LOGISTIC_LIMIT) * SCORE_UNIT, n)
    const beyond = isNegative(b, b.sub(limit, size), k, BN254_ORDER)
    const bounded = select(b, beyond, limit, size)
    const factor = ((1n << BigInt(FRACTION + RESCALE_BITS)) + SCORE_UNIT / 2n) / SCORE_UNIT
    const width = (BigInt(LOGISTIC_LIMIT) * SCORE_UNIT * factor).toString(2).length + 1
    const x = truncateRoughly(b, b.scale(bounded, factor), width, RESCALE_BITS, BN254_ORDER)
    const probability = logisticFixed(b, x, BN254_ORDER)
    const one = constants(b, 1n << BigInt(LOGISTIC_FRACTION), n)
    const sum = b.sum(select(b, negative, b.sub(one, probability), probability))
    const sumBits = LOGISTIC_FRACTION + n.toString(2).length + 2
    b.output(truncateRoughly(b, sum, sumBits, LOGISTIC_FRACTION - FRACTION, BN254_ORDER))
    return { circuit: b.build(), params: [weights] }
  },
  decode(output, modulus, _, shapes) {
    const unit = BigInt(shapes.length) << BigInt(FRACTION)
    // A probability may come out a little above 1.
    const [sum] = integers(output, 1, modulus, unit + unit / MEAN_PLACES)
    const rounded = (2n * sum! * MEAN_PLACES + unit) / (2n * unit)
    return [resultValue(rounded, MEAN_PLACES)]
  },
  contributors: (_, shapes) => [everyone(shapes)],
}
