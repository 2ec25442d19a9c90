import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layoutOf } from '../../../core/audit/layout.ts'
import { type Sym, Tape } from '../../../core/audit/tape.ts'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'

const LENGTH = 6
const circuit = (() => {
  const b = new CircuitBuilder()
  return b.output(b.add(b.input(LENGTH), b.random(LENGTH))).build()
})()
const layout = layoutOf(circuit)
const q = field.modulus
const mod = (v: bigint) => ((v % q) + q) % q

type Step =
  | { op: 'add' | 'sub'; a: number; b: number }
  | { op: 'neg' | 'sum'; a: number }
  | { op: 'scale'; a: number; factor: bigint }
  | { op: 'addPublic' | 'mulPublic' | 'innerPublic'; a: number; one: boolean; v: bigint[] }
  | { op: 'slice'; a: number; from: number; to: number }
  | { op: 'concat'; a: number; b: number }
  | { op: 'gather'; a: number; indices: number[] }

const ref = fc.nat(30)
const small = fc.bigInt({ min: -9n, max: 9n })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ op: fc.constantFrom('add' as const, 'sub' as const), a: ref, b: ref }),
  fc.record({ op: fc.constantFrom('neg' as const, 'sum' as const), a: ref }),
  fc.record({ op: fc.constant('scale' as const), a: ref, factor: small }),
  fc.record({
    op: fc.constantFrom('addPublic' as const, 'mulPublic' as const, 'innerPublic' as const),
    a: ref,
    one: fc.boolean(),
    v: fc.array(small, { minLength: 12, maxLength: 12 }),
  }),
  fc.record({ op: fc.constant('slice' as const), a: ref, from: fc.nat(5), to: fc.nat(6) }),
  fc.record({ op: fc.constant('concat' as const), a: ref, b: ref }),
  fc.record({ op: fc.constant('gather' as const), a: ref, indices: fc.array(fc.nat(20), { maxLength: 12 }) }),
)

describe('the tape', () => {
  it('runs linear programs backwards: ⟨weights, f(x)⟩ = ⟨coefficients, x⟩ + constant', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.infiniteStream(small),
        async (steps, numbers) => {
          const tape = new Tape(field, layout, () => {
            throw new Error('opens nothing')
          })
          const x = numbers.take(layout.length)
          const leaves = [...x].map(mod)
          // Plain values beside the tape's.
          const plain: { sym: Sym; v: bigint[] }[] = [
            { sym: tape.leaf(0, LENGTH), v: leaves.slice(0, LENGTH) },
            { sym: tape.leaf(2, LENGTH), v: leaves.slice(2, 2 + LENGTH) },
          ]
          for (const s of steps) {
            const at = (i: number) => plain[i % plain.length]!
            const a = at(s.a)
            const n = a.v.length
            if (n === 0) continue
            if (s.op === 'add' || s.op === 'sub') {
              const b = at(s.b)
              if (b.v.length !== n && b.v.length !== 1 && n !== 1) continue
              if (b.v.length === 0) continue
              const length = Math.max(n, b.v.length)
              const get = (v: bigint[], i: number) => (v.length === 1 ? v[0]! : v[i]!)
              plain.push({
                sym: tape[s.op](a.sym, b.sym),
                v: Array.from({ length }, (_, i) =>
                  s.op === 'add' ? get(a.v, i) + get(b.v, i) : get(a.v, i) - get(b.v, i),
                ),
              })
            } else if (s.op === 'neg') plain.push({ sym: tape.neg(a.sym), v: a.v.map((v) => -v) })
            else if (s.op === 'sum')
              plain.push({ sym: tape.sum(a.sym), v: [a.v.reduce((p, c) => p + c, 0n)] })
            else if (s.op === 'scale')
              plain.push({ sym: tape.scale(a.sym, s.factor), v: a.v.map((v) => v * s.factor) })
            else if (s.op === 'addPublic' || s.op === 'mulPublic' || s.op === 'innerPublic') {
              if (n > s.v.length) continue
              const list = s.one ? s.v.slice(0, 1) : s.v.slice(0, n === 1 ? 3 : n)
              const length = Math.max(n, list.length)
              const get = (v: bigint[], i: number) => (v.length === 1 ? v[0]! : v[i]!)
              const terms = Array.from({ length }, (_, i) =>
                s.op === 'addPublic' ? get(a.v, i) + get(list, i) : get(a.v, i) * get(list, i),
              )
              plain.push({
                sym: tape[s.op](a.sym, field.fromBigints(list)),
                v: s.op === 'innerPublic' ? [terms.reduce((p, c) => p + c, 0n)] : terms,
              })
            } else if (s.op === 'slice') {
              if (s.from >= s.to || s.to > n) continue
              plain.push({ sym: tape.slice(a.sym, s.from, s.to), v: a.v.slice(s.from, s.to) })
            } else if (s.op === 'concat') {
              const b = at(s.b)
              if (n + b.v.length > 24) continue
              plain.push({ sym: tape.concat([a.sym, b.sym]), v: [...a.v, ...b.v] })
            } else if (s.op === 'gather') {
              const indices = s.indices.map((i) => i % n)
              if (indices.length === 0) continue
              plain.push({
                sym: tape.gather(a.sym, Uint32Array.from(indices)),
                v: indices.map((i) => a.v[i]!),
              })
            }
          }
          const secrets = plain.map((p) => p.sym)
          const weights = plain.map((p) => [...numbers.take(p.v.length)])
          const { coefficients, constant } = await tape.backward(
            secrets,
            weights.map((w) => field.fromBigints(w)),
          )
          const expected = plain.reduce(
            (sum, p, k) => sum + p.v.reduce((t, v, i) => t + v * weights[k]![i]!, 0n),
            0n,
          )
          const [inner] = field.toBigints(field.inner(coefficients, field.fromBigints(leaves)))
          expect(mod(inner! + field.toBigints(constant)[0]!)).toBe(mod(expected))
          // Forward: the same function without its constants.
          const last = plain.at(-1)!
          const zero = field.zeros(layout.length)
          const origin = await tape.forward(zero, last.sym)
          expect(field.toBigints(origin).every((v) => v === 0n)).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })
})
