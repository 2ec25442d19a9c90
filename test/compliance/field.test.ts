import { describe, expect, it } from 'vitest'
import { Prg } from '../../core/base/random.ts'
import { createField, type FieldParameters } from '../../core/field/field.ts'
import { BN254_ORDER, SECP256K1_ORDER } from '../../core/field/fields.ts'
import type { FieldVector, PrimeField } from '../../core/field/types.ts'
import { createJsKernel } from '../../core/kernel/js.ts'
import { createWasmKernel } from '../../core/kernel/wasm.ts'

const FIELDS: FieldParameters[] = [
  { name: 'bn254', modulus: BN254_ORDER },
  { name: 'secp256k1', modulus: SECP256K1_ORDER },
  // The shortest modulus the kernel accepts, and a sparse one: 2^224 + 735 and 2^255 - 19.
  { name: 'short', modulus: (1n << 224n) + 735n },
  { name: 'curve25519', modulus: (1n << 255n) - 19n },
  // The largest prime for which products are fused, and one that is just too large.
  { name: 'largest fused', modulus: (1n << 254n) - (1n << 220n) - 101n },
  { name: '254 bits', modulus: (1n << 254n) - 245n },
]
const KERNELS = {
  wasm: createWasmKernel,
  'wasm without fused multiply-adds': (modulus: bigint) => createWasmKernel(modulus, { fused: false }),
  js: createJsKernel,
}

const code = (expected: string) => expect.objectContaining({ code: expected })

/** Values at which limbs, carries and the final subtraction are on the edge. */
function edges(p: bigint): bigint[] {
  const out = [0n, 1n, 2n, p - 1n, p - 2n, p >> 1n, (p >> 1n) + 1n]
  for (const bits of [29n, 51n, 58n, 64n, 87n, 102n, 128n, 153n, 192n, 203n, 204n, 223n]) {
    out.push((1n << bits) - 1n, 1n << bits, p - (1n << bits))
  }
  return out
}

/**
 * Pairs of stored forms a·b near m² whose Montgomery quotient has extreme digits of 51 bits, of either sign: the sums of the
 * fused reduction are then as large and as small as they get.
 */
function extremePairs(m: bigint): [bigint, bigint][] {
  const quotients = [1n, -1n].flatMap((sign) =>
    [1n << 50n, (1n << 50n) - 1n, (1n << 50n) - 63n].map((digit) =>
      [0n, 51n, 102n, 153n, 204n].reduce((q, at) => q + ((sign * digit) << at), 0n),
    ),
  )
  const out: [bigint, bigint][] = [[m - 1n, m - 1n]]
  for (let a = m - 2n; a > m - 600n; a -= 2n) {
    let inverse = 1n
    for (let i = 0; i < 8; i++) inverse = BigInt.asUintN(255, inverse * (2n - a * inverse))
    for (const q of quotients) {
      const b = BigInt.asUintN(255, -q * m * inverse)
      if (b < m) out.push([a, b])
    }
  }
  return out
}

/** Every pair of edges, as two vectors. */
function pairs(p: bigint): [bigint[], bigint[]] {
  const e = edges(p)
  return [e.flatMap((x) => e.map(() => x)), e.flatMap(() => e)]
}

for (const parameters of FIELDS) {
  for (const [kind, kernel] of Object.entries(KERNELS)) {
    describe(`${parameters.name} on the ${kind} kernel`, () => {
      const f: PrimeField = createField(parameters, kernel(parameters.modulus))
      const p = f.modulus
      const mod = (x: bigint) => ((x % p) + p) % p
      const [xs, ys] = pairs(p)
      const a = f.fromBigints(xs)
      const b = f.fromBigints(ys)
      const each = (fn: (x: bigint, y: bigint) => bigint) => xs.map((x, i) => mod(fn(x, ys[i]!)))
      const read = (v: FieldVector) => f.toBigints(v)

      it('adds, subtracts, negates and multiplies at the edges', () => {
        expect(read(f.add(a, b))).toEqual(each((x, y) => x + y))
        expect(read(f.sub(a, b))).toEqual(each((x, y) => x - y))
        expect(read(f.mul(a, b))).toEqual(each((x, y) => x * y))
        expect(read(f.mulAdd(a, b, a))).toEqual(each((x, y) => x * y + x))
        expect(read(f.neg(a))).toEqual(each((x) => -x))
      })

      it('broadcasts a vector of length 1 on either side', () => {
        const c = f.fromBigints([p - 3n])
        expect(read(f.sub(a, c))).toEqual(each((x) => x + 3n))
        expect(read(f.sub(c, a))).toEqual(each((x) => -3n - x))
        expect(read(f.mulAdd(c, a, c))).toEqual(each((x) => -3n * x - 3n))
        expect(read(f.inner(c, a))).toEqual([mod(xs.reduce((t, x) => t - 3n * x, 0n))])
        expect(f.equal(c, f.fromBigints([-3n, -3n, -3n]))).toBe(true)
        expect(read(f.linear([2n, 1n], [c, a]))).toEqual(each((x) => x - 6n))
      })

      it('scales, sums and takes inner products', () => {
        for (const factor of [0n, 1n, -1n, p, 1n << 300n])
          expect(read(f.scale(a, factor))).toEqual(each((x) => x * factor))
        expect(read(f.sum(a))).toEqual([mod(xs.reduce((t, x) => t + x, 0n))])
        expect(read(f.inner(a, b))).toEqual([mod(xs.reduce((t, x, i) => t + x * ys[i]!, 0n))])
        const largest = f.fromBigints(new Array(1000).fill(-1n))
        expect(read(f.inner(largest, largest))).toEqual([1000n])
      })

      it('combines more vectors than one reduction takes', () => {
        const k = 70
        const vectors = Array.from({ length: k }, () => f.fromBigints([-1n, 5n]))
        const factors = Array.from({ length: k }, () => -1n)
        expect(read(f.linear(factors, vectors))).toEqual([mod(70n), mod(-350n)])
      })

      it('sums products, with an addend and without, of more terms than one reduction takes', () => {
        const c = f.fromBigints([p - 3n])
        for (const k of [1, 2, 3, 64, 65, 130]) {
          const terms = Array.from({ length: k }, (_, j): [FieldVector, FieldVector] =>
            j % 3 === 2 ? [b, c] : [a, b],
          )
          const total = (x: bigint, y: bigint) =>
            terms.reduce((t, [first]) => t + (first === b ? y * -3n : x * y), 0n)
          expect(read(f.sumOfProducts(terms))).toEqual(each(total))
          expect(read(f.sumOfProducts(terms, b))).toEqual(each((x, y) => total(x, y) + y))
          expect(read(f.sumOfProducts(terms, c))).toEqual(each((x, y) => total(x, y) - 3n))
        }
        const largest = f.fromBigints(new Array(37).fill(-1n))
        expect(new Set(read(f.sumOfProducts(new Array(64).fill([largest, largest]), largest)))).toEqual(
          new Set([63n]),
        )
        expect(() => f.sumOfProducts([])).toThrow(code('LENGTH_MISMATCH'))
        expect(() => f.sumOfProducts([[a, b]], largest)).toThrow(code('LENGTH_MISMATCH'))
      })

      it('multiplies the forms whose sums are the largest and the smallest', () => {
        const extreme = extremePairs(p)
        // Those of a short modulus are rarely below it.
        expect(extreme.length).toBeGreaterThan(p >> 253n === 0n ? 0 : 100)
        const words = (values: bigint[]) =>
          f.fromMontgomery(
            Buffer.concat(values.map((v) => Buffer.from(v.toString(16).padStart(64, '0'), 'hex').reverse())),
          )
        const stored = (v: FieldVector) => Buffer.from(f.toMontgomery(v))
        let unit = 1n
        for (let i = 0; i < 261; i++) unit = unit % 2n === 0n ? unit / 2n : (unit + p) / 2n
        const [v, w] = [words(extreme.map(([x]) => x)), words(extreme.map(([, y]) => y))]
        const products = extreme.map(([x, y]) => (x * y * unit) % p)
        expect(stored(f.mul(v, w))).toEqual(stored(words(products)))
        const inner = products.reduce((t, x) => (t + x) % p, 0n)
        expect(stored(f.inner(v, w))).toEqual(stored(words([inner])))
        const largest = words(extreme.map(() => p - 1n))
        for (const k of [1, 2, 63, 64, 65, 128, 129]) {
          const sums = products.map((x) => (BigInt(k) * x) % p)
          const terms = new Array<[FieldVector, FieldVector]>(k).fill([v, w])
          expect(stored(f.sumOfProducts(terms))).toEqual(stored(words(sums)))
          const more = sums.map((x) => (x + p - 1n) % p)
          expect(stored(f.sumOfProducts(terms, largest))).toEqual(stored(words(more)))
          expect(stored(f.sumOfProducts(terms, words([p - 1n])))).toEqual(stored(words(more)))
        }
      })

      it('gives the same at every length, tails included', () => {
        for (const n of [0, 1, 2, 4, 5, 15, 16, 17, 31, 33, 1023, 1025, 2063]) {
          const [x, y] = [0, 7].map((shift) =>
            Array.from({ length: n }, (_, i) => xs[(i * 5 + shift) % xs.length]!),
          )
          const [v, w] = [f.fromBigints(x!), f.fromBigints(y!)]
          expect(read(f.mul(v, w))).toEqual(x!.map((s, i) => mod(s * y![i]!)))
          expect(read(f.inner(v, w))).toEqual([mod(x!.reduce((t, s, i) => t + s * y![i]!, 0n))])
        }
      })

      it('evaluates polynomials at small, large and zero points', () => {
        for (const degree of [0, 1, 5, 40]) {
          const largest = Array.from({ length: degree + 1 }, () => f.fromBigints([-1n, 1n, 0n]))
          for (const x of [0n, 1n, 2n, 31n, 255n, 65535n, 65536n, p - 1n]) {
            let geometric = 0n
            for (let k = 0; k <= degree; k++) geometric = mod(geometric * x + 1n)
            expect(read(f.evaluate(largest, x))).toEqual([mod(-geometric), geometric, 0n])
          }
        }
      })

      it('inverts in batches and refuses zero', () => {
        const nonzero = [...new Set(xs)].filter((x) => x !== 0n)
        const v = f.fromBigints(nonzero)
        expect(read(f.mul(f.inverse(v), v))).toEqual(nonzero.map(() => 1n))
        expect(() => f.inverse(f.fromBigints([1n, 0n, 2n]))).toThrow(code('FIELD_NOT_INVERTIBLE'))
        expect(f.inverse(f.zeros(0)).length).toBe(0)
      })

      it('round-trips canonical bytes and refuses others', () => {
        expect(read(f.fromBytes(f.toBytes(a)))).toEqual(xs)
        expect(f.toBytes(f.fromBigints([258n]))).toEqual(Uint8Array.from([2, 1, ...new Array(30).fill(0)]))
        for (const value of [p, p + 1n, (1n << 256n) - 1n]) {
          const bytes = new Uint8Array(64)
          for (let i = 0; i < 32; i++) bytes[32 + i] = Number((value >> BigInt(8 * i)) & 255n)
          expect(() => f.fromBytes(bytes)).toThrow(code('FIELD_RANGE'))
        }
        expect(() => f.fromBytes(new Uint8Array(33))).toThrow(code('LENGTH_MISMATCH'))
        expect(f.fromBytes(new Uint8Array(0)).length).toBe(0)
      })

      it('round-trips the form of its memory, the same for every kernel, and refuses what is out of range', () => {
        expect(read(f.fromMontgomery(f.toMontgomery(a)))).toEqual(xs)
        expect(f.toMontgomery(a)).toEqual(f.toBytes(f.fromBigints(xs.map((x) => x << 261n))))
        const bytes = f.toBytes(f.zeros(2))
        for (let i = 0; i < 32; i++) bytes[32 + i] = Number((p >> BigInt(8 * i)) & 255n)
        expect(() => f.fromMontgomery(bytes)).toThrow(code('FIELD_RANGE'))
        expect(() => f.fromMontgomery(new Uint8Array(31))).toThrow(code('LENGTH_MISMATCH'))
      })

      it('draws the element that the stream of the seed defines', () => {
        const seed = new Uint8Array(32).fill(9)
        const bytes = new Prg(seed).bytes(48 * 5)
        const expected = Array.from({ length: 5 }, (_, i) =>
          mod(
            BigInt(
              `0x${Buffer.from(bytes.subarray(48 * i, 48 * i + 48))
                .reverse()
                .toString('hex')}`,
            ),
          ),
        )
        expect(read(f.random(5, new Prg(seed)))).toEqual(expected)
        expect(new Set(read(f.random(50))).size).toBe(50)
        expect(f.random(0).length).toBe(0)
        // Longer than one draw: the stream goes on.
        const long = f.random(20_000, new Prg(seed))
        expect(read(f.slice(long, 0, 5))).toEqual(expected)
      })

      it('slices, concatenates and gathers', () => {
        const v = f.fromBigints([10n, 11n, 12n, 13n])
        expect(read(f.slice(v, 1, 3))).toEqual([11n, 12n])
        expect(f.slice(v, 2, 2).length).toBe(0)
        expect(read(f.concat([f.slice(v, 3, 4), v, f.zeros(1)]))).toEqual([13n, 10n, 11n, 12n, 13n, 0n])
        expect(f.concat([]).length).toBe(0)
        const builder = f.builder(5)
        builder.append(v)
        expect(() => builder.done()).toThrow(code('LENGTH_MISMATCH'))
        expect(() => builder.append(v)).toThrow(code('LENGTH_MISMATCH'))
        builder.append(f.slice(v, 1, 2))
        expect(read(builder.done())).toEqual([10n, 11n, 12n, 13n, 11n])
        const parts = f.builder(3)
        parts.append(v, 2)
        expect(() => parts.append(v, 3, 5)).toThrow(code('INVALID_ARGUMENT'))
        parts.append(v, 1, 2)
        expect(read(parts.done())).toEqual([12n, 13n, 11n])
        expect(read(f.gather(v, Uint32Array.from([3, 0, 3])))).toEqual([13n, 10n, 13n])
        expect(() => f.gather(v, Uint32Array.from([4]))).toThrow(code('INVALID_ARGUMENT'))
        expect(() => f.slice(v, 3, 5)).toThrow(code('INVALID_ARGUMENT'))
        expect(() => f.slice(v, 3, 2)).toThrow(code('INVALID_ARGUMENT'))
      })

      it('compares every element', () => {
        expect(f.equal(a, f.fromBigints(xs))).toBe(true)
        for (const i of [0, xs.length - 1]) {
          const other = [...xs]
          other[i] = mod(other[i]! + 1n)
          expect(f.equal(a, f.fromBigints(other))).toBe(false)
        }
      })

      it('refuses unequal lengths, freed vectors and those of another field', () => {
        const two = f.fromBigints([1n, 2n])
        const three = f.fromBigints([1n, 2n, 3n])
        for (const op of [f.add, f.sub, f.mul, f.inner, f.equal])
          expect(() => op(two, three)).toThrow(code('LENGTH_MISMATCH'))
        expect(() => f.mulAdd(two, two, three)).toThrow(code('LENGTH_MISMATCH'))
        expect(() => f.add(two, f.zeros(0))).toThrow(code('LENGTH_MISMATCH'))
        expect(() => f.linear([1n], [two, three])).toThrow(code('LENGTH_MISMATCH'))
        expect(() => f.evaluate([], 1n)).toThrow(code('LENGTH_MISMATCH'))
        three.free()
        three.free()
        expect(() => f.toBytes(three)).toThrow(code('INVALID_ARGUMENT'))
        expect(() => f.neg(three)).toThrow(code('INVALID_ARGUMENT'))
        const other = createField(parameters, kernel(p))
        expect(() => f.add(two, other.zeros(2))).toThrow(code('INVALID_ARGUMENT'))
        expect(() => f.zeros(-1)).toThrow(code('INVALID_ARGUMENT'))
      })
    })
  }

  describe(`${parameters.name}: scalars`, () => {
    const f = createField(parameters, createJsKernel(parameters.modulus))
    const { reduce, mul, inverse, lagrange } = f.scalar

    it('reduces, multiplies and inverts', () => {
      expect(reduce(-1n)).toBe(f.modulus - 1n)
      expect(mul(-1n, -1n)).toBe(1n)
      expect(mul(inverse(-7n), -7n)).toBe(1n)
      expect(() => inverse(f.modulus)).toThrow(code('FIELD_NOT_INVERTIBLE'))
    })

    it('interpolates and refuses bad indices', () => {
      const q = (x: bigint) => reduce(5n + 3n * x - 2n * x * x)
      const xs = [4n, 9n, 1n]
      for (const at of [0n, 7n, 4n, -1n]) {
        const lambda = lagrange(xs, at)
        expect(reduce(xs.reduce((t, x, j) => t + lambda[j]! * q(x), 0n))).toBe(q(at))
      }
      for (const bad of [[0n, 1n], [f.modulus, 1n], [1n, 2n, 1n], [1n, 1n + f.modulus], [3n * f.modulus]])
        expect(() => lagrange(bad)).toThrow(code('SHARE_INDEX'))
    })
  })
}
