import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Prg } from '../../../core/base/random.ts'
import { operands } from '../../../core/circuits/analyse.ts'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { centered } from '../../../core/circuits/fixed.ts'
import {
  decompose,
  isNegative,
  isZero,
  lessThan,
  mod2m,
  requireRange,
  truncate,
  truncateRoughly,
} from '../../../core/circuits/gadgets/compare.ts'
import {
  argMax,
  countsBelow,
  extreme,
  lookUp,
  sort,
  sortingNetwork,
} from '../../../core/circuits/gadgets/order.ts'
import type { NodeRef } from '../../../core/circuits/types.ts'
import { bn254Scalar } from '../../../core/field/fields.ts'

const R = bn254Scalar.modulus
const K = 65

/** What a gadget makes of vectors of one length, in the clear, centred. */
function run(
  inputs: readonly (readonly bigint[])[],
  gadget: (b: CircuitBuilder, ...x: NodeRef[]) => NodeRef,
) {
  const b = new CircuitBuilder()
  b.output(gadget(b, ...inputs.map((x) => b.input(x.length))))
  return evaluate(b.build(), R, inputs, [], new Prg()).map((x) => centered(x, R))
}

/** Signed integers of 64 bits, edges included. */
const integer = fc.oneof(
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  fc.constantFrom(0n, 1n, -1n, (1n << 63n) - 1n, -(1n << 63n), 1n << 62n, -(1n << 62n)),
  fc.bigInt({ min: -3n, max: 3n }),
)
const vector = (max = 6) => fc.array(integer, { minLength: 1, maxLength: max })
const floorMod = (x: bigint, m: bigint) => ((x % m) + m) % m

describe('comparisons of 64-bit integers', () => {
  it('signs and zeros', () => {
    fc.assert(
      fc.property(vector(), (x) => {
        expect(run([x], (b, a) => isNegative(b, a, K, R))).toEqual(x.map((v) => (v < 0n ? 1n : 0n)))
        expect(run([x], (b, a) => isZero(b, a, K))).toEqual(x.map((v) => (v === 0n ? 1n : 0n)))
      }),
      { numRuns: 25 },
    )
  })

  it('order of pairs, however far apart', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(integer, integer), { minLength: 1, maxLength: 5 }), (pairs) => {
        const [x, y] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)]
        expect(run([x, y], (b, a, c) => lessThan(b, a, c, K, R))).toEqual(
          pairs.map(([a, c]) => (a < c ? 1n : 0n)),
        )
      }),
      { numRuns: 25 },
    )
  })

  it('remainders, exact and rough quotients by powers of two, and bits', () => {
    fc.assert(
      fc.property(vector(4), fc.integer({ min: 1, max: 64 }), (x, m) => {
        const power = 1n << BigInt(m)
        expect(run([x], (b, a) => mod2m(b, a, K, m))).toEqual(x.map((v) => floorMod(v, power)))
        const quotients = x.map((v) => (v - floorMod(v, power)) / power)
        expect(run([x], (b, a) => truncate(b, a, K, m, R))).toEqual(quotients)
        run([x], (b, a) => truncateRoughly(b, a, K, m, R)).forEach((q, i) => {
          expect([0n, 1n]).toContain(q - quotients[i]!)
        })
        const bits = run([x], (b, a) => decompose(b, a, K))
        x.forEach((v, i) => {
          const value = Array.from({ length: K }, (_, j) => bits[j * x.length + i]! << BigInt(j))
          expect(value.reduce((s, t) => s + t, 0n)).toBe(BigInt.asUintN(K, v))
        })
      }),
      { numRuns: 15 },
    )
  })
})

it('approximate truncation takes the widest integers whose masked sum is below the field, and no wider', () => {
  const widest = R.toString(2).length - 82
  const limit = 1n << BigInt(widest - 1)
  fc.assert(
    fc.property(fc.bigInt({ min: -limit, max: limit - 1n }), fc.integer({ min: 1, max: 100 }), (x, m) => {
      const power = 1n << BigInt(m)
      const values = [x, limit - 1n, -limit]
      const quotients = values.map((v) => (v - floorMod(v, power)) / power)
      run([values], (b, a) => truncateRoughly(b, a, widest, m, R)).forEach((q, i) => {
        expect([0n, 1n]).toContain(q - quotients[i]!)
      })
    }),
    { numRuns: 15 },
  )
  expect(() => run([[1n]], (b, a) => truncateRoughly(b, a, widest + 1, 20, R))).toThrow(
    expect.objectContaining({ code: 'CIRCUIT_INVALID' }),
  )
})

describe('ranges', () => {
  const limit = 1n << 63n

  it('integers of 64 bits pass unchanged', () => {
    fc.assert(
      fc.property(vector(), (x) => {
        expect(run([x], (b, a) => requireRange(b, a, 64, R))).toEqual(x)
      }),
      { numRuns: 15 },
    )
  })

  it('anything else ends the run, whichever element it is', () => {
    const outside = fc.oneof(
      fc.bigInt({ min: limit, max: R - limit - 1n }),
      fc.constantFrom(limit, -limit - 1n, 1n << 64n, (R - 1n) / 2n, 1n << 253n, (R + 1n) >> 1n),
    )
    fc.assert(
      fc.property(vector(4), outside, fc.nat(4), (x, wrong, place) => {
        const values = x.toSpliced(place % (x.length + 1), 0, wrong)
        expect(() => run([values], (b, a) => requireRange(b, a, 64, R))).toThrow('zero has no inverse')
      }),
      { numRuns: 25 },
    )
  })

  it('nothing that depends on the values is opened before they are known to be in range', () => {
    const b = new CircuitBuilder()
    b.output(extreme(b, requireRange(b, b.input(4), 64, R), 'max', K, R))
    const { nodes } = b.build()
    const check = nodes.findIndex((node) => node.op === 'inverse')
    const opened = nodes.flatMap((node, i) => (node.op === 'open' ? [i] : []))
    // The masked inputs and the check itself; every other opening follows the check.
    expect(opened.filter((i) => i < check)).toHaveLength(2)
    const depends = nodes.map(() => false)
    nodes.forEach((node, i) => {
      depends[i] = i === check || operands(node).some((ref) => depends[ref])
    })
    expect(opened.filter((i) => i > check).every((i) => depends[i])).toBe(true)
  })
})

describe('order', () => {
  it('a sorting network for every length sorts every 0-1 sequence (Knuth’s principle)', () => {
    for (let n = 1; n <= 10; n++)
      for (let word = 0; word < 1 << n; word++) {
        const bits = Array.from({ length: n }, (_, i) => (word >> i) & 1)
        for (const layer of sortingNetwork(n)) {
          expect(new Set(layer.flat()).size).toBe(2 * layer.length)
          for (const [i, j] of layer) if (bits[i]! > bits[j]!) [bits[i], bits[j]] = [bits[j]!, bits[i]!]
        }
        expect(bits).toEqual([...bits].sort())
      }
  })

  it('sorts, and finds extremes and the first largest', () => {
    const ascending = (x: readonly bigint[]) => [...x].sort((a, c) => (a < c ? -1 : a > c ? 1 : 0))
    fc.assert(
      fc.property(vector(9), (x) => {
        expect(run([x], (b, a) => sort(b, a, K, R))).toEqual(ascending(x))
        expect(run([x], (b, a) => extreme(b, a, 'min', K, R))).toEqual([ascending(x)[0]])
        expect(run([x], (b, a) => extreme(b, a, 'max', K, R))).toEqual([ascending(x).at(-1)])
        const largest = x.indexOf(ascending(x).at(-1)!)
        if (x.length > 1)
          expect(run([x], (b, a) => argMax(b, a, K, R))).toEqual(x.map((_, i) => (i === largest ? 1n : 0n)))
      }),
      { numRuns: 12 },
    )
  })

  it('counts below thresholds, and looks up tables', () => {
    fc.assert(
      fc.property(vector(5), fc.array(integer, { minLength: 1, maxLength: 4 }), (x, thresholds) => {
        expect(run([x], (b, a) => countsBelow(b, a, thresholds, K, R))).toEqual(
          thresholds.map((t) => BigInt(x.filter((v) => v < t).length)),
        )
        const table = [5n, -7n, 0n, 1n << 70n]
        const at = x.map((v) => floorMod(v, 4n))
        expect(run([at], (b, a) => lookUp(b, a, table, (d) => isZero(b, d, 4)))).toEqual(
          at.map((i) => table[Number(i)]),
        )
      }),
      { numRuns: 10 },
    )
  })
})
