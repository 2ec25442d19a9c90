import { bn254 } from '@noble/curves/bn254.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { g1 } from '../../../core/commitments/g1.ts'
import type { PointVector } from '../../../core/commitments/types.ts'
import { BN254_ORDER, bn254Scalar as f } from '../../../core/field/fields.ts'

const { Point } = bn254.G1
type Noble = typeof Point.BASE

function encode(p: Noble): string {
  if (p.is0()) return '0'.repeat(128)
  const { x, y } = p.toAffine()
  return [x, y].map((v) => v.toString(16).padStart(64, '0')).join('')
}
const times = (p: Noble, s: bigint) => (s === 0n || p.is0() ? Point.ZERO : p.multiply(s))
const load = (points: readonly Noble[]): PointVector =>
  g1.fromBytes(Buffer.from(points.map(encode).join(''), 'hex'))
const hex = (v: PointVector) => Buffer.from(g1.toBytes(v)).toString('hex')
const hexAll = (points: readonly Noble[]) => points.map(encode).join('')

/** Few distinct points, so that equal ones, negatives and infinity meet in one batch. */
const pool: Noble[] = [Point.ZERO, Point.BASE, Point.BASE.negate(), Point.BASE.double()]
for (let i = 3n; i < 9n; i++)
  pool.push(Point.BASE.multiply(i * 123456789n), Point.BASE.multiply(i * 123456789n).negate())
const point = fc.constantFrom(...pool)
const scalar = fc.oneof(
  fc.bigInt(0n, BN254_ORDER - 1n),
  fc.constantFrom(0n, 1n, 2n, BN254_ORDER - 1n, BN254_ORDER - 2n, 1n << 253n, (1n << 64n) - 1n),
)

describe('G1 against noble', () => {
  it('adds and subtracts with every exceptional case', () => {
    const all = pool.flatMap((a) => pool.map((b) => [a, b] as const))
    const a = load(all.map((p) => p[0]))
    const b = load(all.map((p) => p[1]))
    expect(hex(g1.add(a, b))).toBe(hexAll(all.map((p) => p[0].add(p[1]))))
    expect(hex(g1.sub(a, b))).toBe(hexAll(all.map((p) => p[0].subtract(p[1]))))
    const one = load([pool[1]!])
    expect(hex(g1.add(one, a))).toBe(hexAll(all.map((p) => p[0].add(pool[1]!))))
    expect(hex(g1.sub(one, a))).toBe(hexAll(all.map((p) => pool[1]!.subtract(p[0]))))
  })

  it('multi-scalar multiplication and sum agree', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(point, scalar), { maxLength: 40 }), (rows) => {
        const points = load(rows.map((r) => r[0]))
        const expected = rows.reduce((t, [p, s]) => t.add(times(p, s)), Point.ZERO)
        expect(hex(g1.msm(points, f.fromBigints(rows.map((r) => r[1]))))).toBe(encode(expected))
        expect(hex(g1.sum(points))).toBe(encode(rows.reduce((t, [p]) => t.add(p), Point.ZERO)))
      }),
      { numRuns: 40 },
    )
  })

  it('multi-scalar multiplication of many points, in one long bucket or many', () => {
    const n = 5000
    const points = g1.concat(new Array<PointVector>(n / 10).fill(load(pool.slice(0, 10))))
    for (const make of [
      (i: number) => BigInt(i % 7),
      (i: number) => (BigInt(i) * 0x9e3779b97f4a7c15n) ** 4n,
    ]) {
      const scalars = Array.from({ length: n }, (_, i) => make(i) % (1n << 128n))
      const totals = new Array<bigint>(10).fill(0n)
      scalars.forEach((s, i) => {
        totals[i % 10]! += s
      })
      const expected = totals.reduce((t, s, i) => t.add(times(pool[i]!, s % BN254_ORDER)), Point.ZERO)
      expect(hex(g1.msm(points, f.fromBigints(scalars), 128))).toBe(encode(expected))
      expect(hex(g1.msm(points, f.fromBigints(scalars)))).toBe(encode(expected))
    }
  })

  it('multi-scalar multiplication longer than one part', () => {
    const n = 70_000
    const points = g1.concat(new Array<PointVector>(n / 10).fill(load(pool.slice(0, 10))))
    const scalars = Array.from({ length: n }, (_, i) => BigInt((i * 2654435761) % (1 << 20)))
    const totals = new Array<bigint>(10).fill(0n)
    scalars.forEach((s, i) => {
      totals[i % 10]! += s
    })
    const expected = totals.reduce((t, s, i) => t.add(times(pool[i]!, s)), Point.ZERO)
    expect(hex(g1.msm(points, f.fromBigints(scalars), 20))).toBe(encode(expected))
  })

  it('scales by one factor and by one each', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(point, scalar), { minLength: 1, maxLength: 8 }),
        scalar,
        (rows, factor) => {
          const points = load(rows.map((r) => r[0]))
          expect(hex(g1.scale(points, factor))).toBe(hexAll(rows.map(([p]) => times(p, factor))))
          const each = g1.scaleEach(points, f.fromBigints(rows.map((r) => r[1])))
          expect(hex(each)).toBe(hexAll(rows.map(([p, s]) => times(p, s))))
        },
      ),
      { numRuns: 25 },
    )
    expect(hex(g1.scale(load([pool[5]!]), -1n))).toBe(encode(pool[5]!.negate()))
  })

  it('round-trips both encodings', () => {
    const v = load(pool)
    expect(hex(g1.fromCompressed(g1.toCompressed(v)))).toBe(hexAll(pool))
  })
})
