import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Prg } from '../../../core/base/random.ts'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { centered, formatFixed } from '../../../core/circuits/fixed.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import {
  divideFixed,
  exp2Fixed,
  expFixed,
  FRACTION,
  LOGISTIC_FRACTION,
  LOGISTIC_LIMIT,
  log2Fixed,
  logFixed,
  logisticFixed,
  multiplyFixed,
  squareRootFixed,
} from '../../../core/circuits/gadgets/fixed.ts'
import type { NodeRef } from '../../../core/circuits/types.ts'
import { BN254_ORDER as R } from '../../../core/field/fields.ts'

const UNIT = 2 ** FRACTION
const encode = (x: number) => BigInt(Math.round(x * UNIT))
/** What the encoding makes of a number. */
const seen = (x: number) => Number(encode(x)) / UNIT

function run(
  inputs: readonly (readonly number[])[],
  gadget: (b: CircuitBuilder, ...x: NodeRef[]) => NodeRef,
) {
  const b = new CircuitBuilder()
  b.output(gadget(b, ...inputs.map((x) => b.input(x.length))))
  return evaluate(
    b.build(),
    R,
    inputs.map((x) => x.map(encode)),
    [],
    new Prg(),
  ).map((x) => Number(centered(x, R)) / UNIT)
}

const positive = fc.oneof(
  fc.double({ min: 2 ** -23, max: 2 ** 36, noNaN: true }),
  fc.double({ min: 2 ** -20, max: 4, noNaN: true }),
  fc.constantFrom(2 ** -24, 1, 0.5, 2, 2 ** 30, 2 ** 37),
)
const close = (got: number, expected: number, relative: number, absolute: number) =>
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(Math.abs(expected) * relative + absolute)

describe('fixed point, within the stated errors', () => {
  it('products', () => {
    const factor = fc.double({ min: -(2 ** 18), max: 2 ** 18, noNaN: true })
    fc.assert(
      fc.property(factor, factor, (x, y) => {
        const [got] = run([[x], [y]], (b, p, q) => multiplyFixed(b, p, q, R))
        close(got!, seen(x) * seen(y), 2 ** -50, 2 ** -24)
      }),
      { numRuns: 40 },
    )
  })

  it('quotients', () => {
    fc.assert(
      fc.property(fc.double({ min: -(2 ** 36), max: 2 ** 36, noNaN: true }), positive, (x, y) => {
        fc.pre(Math.abs(x / y) < 2 ** 36)
        const [got] = run([[x], [y]], (b, p, q) => divideFixed(b, p, q, R))
        close(got!, seen(x) / seen(y), 2 ** -34, 2 ** -23)
      }),
      { numRuns: 25 },
    )
  })

  it('square roots and logarithms', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 3 }), (x) => {
        const roots = run([x], (b, p) => squareRootFixed(b, p, R))
        const twos = run([x], (b, p) => log2Fixed(b, p, R))
        const naturals = run([x], (b, p) => logFixed(b, p, R))
        for (const [i, value] of x.map(seen).entries()) {
          close(roots[i]!, Math.sqrt(value), 2 ** -30, 2 ** -22)
          close(twos[i]!, Math.log2(value), 0, 2 ** -22)
          close(naturals[i]!, Math.log(value), 0, 2 ** -22)
        }
      }),
      { numRuns: 15 },
    )
  })

  it('exponentials', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ min: -24, max: 36.9, noNaN: true }), fc.constantFrom(-24, -1, 0, 1, 36)),
        fc.double({ min: -16, max: 25, noNaN: true }),
        (x, y) => {
          const [two] = run([[x]], (b, p) => exp2Fixed(b, p, R))
          close(two!, 2 ** seen(x), 2 ** -30, 2 ** -23)
          const [e] = run([[y]], (b, p) => expFixed(b, p, R))
          close(e!, Math.exp(seen(y)), 2 ** -17, 2 ** -23)
        },
      ),
      { numRuns: 20 },
    )
  })

  it('the logistic function', () => {
    const argument = fc.oneof(
      fc.double({ min: 0, max: LOGISTIC_LIMIT, noNaN: true }),
      fc.constantFrom(0, 2 ** -24, 1, LOGISTIC_LIMIT),
    )
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 4 }), (x) => {
        const got = run([x], (b, p) => logisticFixed(b, p, R))
        const scale = 2 ** (LOGISTIC_FRACTION - FRACTION)
        for (const [i, value] of x.map(seen).entries())
          close(got[i]! / scale, 1 / (1 + Math.exp(-value)), 0, 2 ** -22)
      }),
      { numRuns: 20 },
    )
  })
})

describe('the mean of logistic scores, against plain arithmetic', () => {
  const fn = builtin('logisticMean')
  /** Encoded numbers: small ones, for which the function is steep, and any that can be shared. */
  const scaled = fc.oneof(
    fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }),
    fc.bigInt({ min: -(10n ** 7n), max: 10n ** 7n }),
    fc.bigInt({ min: 1n - 2n ** 63n, max: 2n ** 63n - 1n }),
  )

  it('is within 2^-21 as it is opened, and within 10^-6 as it is released', () => {
    const cases = fc.integer({ min: 1, max: 3 }).chain((features) => {
      const vector = fc.array(scaled, { minLength: features, maxLength: features })
      const people = fc.array(vector, { minLength: 1, maxLength: 5 })
      return fc.tuple(vector, scaled, people)
    })
    fc.assert(
      fc.property(cases, ([weights, bias, people]) => {
        fc.pre(weights.some((w) => w !== 0n))
        const params = fn.parseParams({ weights: weights.map(formatFixed), bias: formatFixed(bias) })
        const shapes = people.map((x) => x.length)
        const program = fn.build(params, shapes)
        const output = evaluate(program.circuit, R, people, program.params, new Prg())
        const expected = people.map((x) => {
          const score = x.reduce((sum, v, i) => sum + v * weights[i]!, bias * 10n ** 6n)
          return 1 / (1 + Math.exp(-Number(score) / 1e12))
        })
        const mean = expected.reduce((a, b) => a + b) / people.length
        close(Number(centered(output[0]!, R)) / UNIT / people.length, mean, 0, 2 ** -21)
        const [released] = fn.decode(output, R, params, shapes)
        close(Number(released!.decimal), mean, 0, 1e-6)
      }),
      { numRuns: 60 },
    )
  })
})
