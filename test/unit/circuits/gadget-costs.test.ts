import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import { cost } from '../../../core/circuits/cost.ts'
import {
  decompose,
  isNegative,
  isZero,
  lessThan,
  mod2m,
  requireRange,
  select,
  truncate,
  truncateRoughly,
} from '../../../core/circuits/gadgets/compare.ts'
import { argMax, countsBelow, extreme, lookUp, sort } from '../../../core/circuits/gadgets/order.ts'
import type { NodeRef } from '../../../core/circuits/types.ts'
import { BN254_ORDER as R } from '../../../core/field/fields.ts'

type Gadget = (b: CircuitBuilder, x: NodeRef, y: NodeRef) => NodeRef

/** Elements of the input, and what is done with them. Integers of 65 bits: differences of 64-bit integers. */
const GADGETS: readonly [string, number, Gadget][] = [
  ['`select`', 1, (b, x, y) => select(b, x, x, y)],
  ['`isNegative`, `lessThan`', 1, (b, x, y) => lessThan(b, x, y, 65, R)],
  ['`isZero`', 1, (b, x) => isZero(b, x, 65)],
  ['`requireRange` to 64 bits', 1, (b, x) => requireRange(b, x, 64, R)],
  ['`mod2m`, `truncate` by 2^20', 1, (b, x) => truncate(b, x, 65, 20, R)],
  ['`truncateRoughly` by 2^20', 1, (b, x) => truncateRoughly(b, x, 65, 20, R)],
  ['`decompose`', 1, (b, x) => decompose(b, x, 65)],
  ['`extreme` of 100', 100, (b, x) => extreme(b, x, 'max', 65, R)],
  ['`argMax` of 100', 100, (b, x) => argMax(b, x, 65, R)],
  ['`sort` of 100', 100, (b, x) => sort(b, x, 65, R)],
  ['`countsBelow` of 100 with 4 thresholds', 100, (b, x) => countsBelow(b, x, [1n, 2n, 3n, 4n], 65, R)],
  [
    '`lookUp` in a table of 16',
    1,
    (b, x) =>
      lookUp(
        b,
        x,
        Array.from({ length: 16 }, (_, i) => BigInt(i * i)),
        (d) => isZero(b, d, 6),
      ),
  ],
]

function costOf(length: number, gadget: Gadget) {
  const b = new CircuitBuilder()
  const x = b.input(length)
  b.output(gadget(b, x, b.input(length)))
  return cost(b.build())
}

/** Openings under SPDZ: two of each product, and what the gadget opens. 32 bytes each, to a collector and back. */
const KIB = (triples: number, reveals: number) =>
  (((2 * triples + reveals) * 32 * 2 * 2) / 3 / 1024).toFixed(1)

function table(): string {
  const rows = GADGETS.map(([name, length, gadget]) => {
    const { rounds, multiplications, reveals, bits } = costOf(length, gadget)
    return `| ${name} | ${rounds} | ${multiplications.toLocaleString('en')} | ${bits.toLocaleString('en')} | ${reveals.toLocaleString('en')} | ${KIB(multiplications, reveals)} |`
  })
  return [
    '| gadget | rounds | triples | bits | openings | KiB |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n')
}

it('the costs in the README are the counted ones', () => {
  const text = readFileSync(new URL('../../../core/circuits/gadgets/README.md', import.meta.url), 'utf8')
  expect(text).toContain(table())
})

it('the cost of a vector is its length times that of an element, in the same rounds', () => {
  for (const gadget of [
    (b: CircuitBuilder, x: NodeRef) => isNegative(b, x, 65, R),
    (b: CircuitBuilder, x: NodeRef) => mod2m(b, x, 65, 7),
  ]) {
    const [one, many] = [costOf(1, gadget), costOf(50, gadget)]
    expect(many.rounds).toBe(one.rounds)
    expect(many.multiplications).toBe(50 * one.multiplications)
    expect(many.bits).toBe(50 * one.bits)
  }
})
