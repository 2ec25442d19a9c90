import { bn254 } from '@noble/curves/bn254.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Prg } from '../../../core/base/random.ts'
import { createField } from '../../../core/field/field.ts'
import { bn254Scalar, secp256k1Scalar } from '../../../core/field/fields.ts'
import { createJsKernel } from '../../../core/kernel/js.ts'

const CASES = [
  { field: bn254Scalar, noble: bn254.fields.Fr },
  { field: secp256k1Scalar, noble: secp256k1.Point.Fn },
]

/** Elements that are uniform, near powers of two, or near the modulus. */
const element = (p: bigint) =>
  fc.oneof(
    fc.bigInt(0n, p - 1n),
    fc.tuple(fc.bigInt(0n, 255n), fc.bigInt(-2n, 2n)).map(([bit, d]) => ((((1n << bit) + d) % p) + p) % p),
    fc.bigInt(0n, 1n << 32n).map((d) => p - 1n - d),
  )

for (const { field: f, noble } of CASES) {
  describe(`${f.name} against noble`, () => {
    const p = f.modulus
    const vectors = fc
      .array(fc.tuple(element(p), element(p)), { minLength: 1, maxLength: 80 })
      .map((rows) => [rows.map((r) => r[0]), rows.map((r) => r[1])] as const)

    it('agrees on every operation', () => {
      expect(noble.ORDER).toBe(p)
      fc.assert(
        fc.property(vectors, ([xs, ys]) => {
          const a = f.fromBigints(xs)
          const b = f.fromBigints(ys)
          expect(f.toBigints(f.mul(a, b))).toEqual(xs.map((x, i) => noble.mul(x, ys[i]!)))
          expect(f.toBigints(f.add(a, b))).toEqual(xs.map((x, i) => noble.add(x, ys[i]!)))
          expect(f.toBigints(f.sub(a, b))).toEqual(xs.map((x, i) => noble.sub(x, ys[i]!)))
          const inner = xs.reduce((t, x, i) => noble.add(t, noble.mul(x, ys[i]!)), 0n)
          expect(f.toBigints(f.inner(a, b))).toEqual([inner])
          const nonzero = xs.filter((x) => x !== 0n)
          expect(f.toBigints(f.inverse(f.fromBigints(nonzero)))).toEqual(nonzero.map((x) => noble.inv(x)))
        }),
        { numRuns: 100 },
      )
    })

    it('evaluates like the reference at any point', () => {
      const reference = createField({ name: f.name, modulus: p }, createJsKernel(p))
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 40 }),
          fc.oneof(fc.bigInt(0n, 70000n), element(p)),
          fc.uint8Array({ minLength: 32, maxLength: 32 }),
          (k, x, seed) => {
            const run = (g: typeof f) => {
              const prg = new Prg(seed)
              return g.toBytes(
                g.evaluate(
                  Array.from({ length: k }, () => g.random(7, prg)),
                  x,
                ),
              )
            }
            expect(run(f)).toEqual(run(reference))
          },
        ),
        { numRuns: 100 },
      )
    })
  })
}
