import { EnigmaError } from '../base/errors.ts'
import { bigintsToWords, MONTGOMERY_R, wordsToBigints } from './instance.ts'
import type { FieldKernel, KernelVector } from './types.ts'

class BigintVector implements KernelVector {
  readonly length: number
  readonly kernel: object
  #values: bigint[] | undefined

  constructor(kernel: object, values: bigint[]) {
    this.kernel = kernel
    this.length = values.length
    this.#values = values
  }

  get values(): bigint[] {
    if (this.#values === undefined) throw new EnigmaError('INVALID_ARGUMENT', 'the vector has been freed')
    return this.#values
  }

  get freed(): boolean {
    return this.#values === undefined
  }

  free(): void {
    this.#values = undefined
  }
}

/**
 * The BigInt reference: the same results as the WebAssembly kernel, bit for bit, some twenty times slower.
 * BigInt arithmetic takes time that depends on its operands.
 */
export function createJsKernel(modulus: bigint): FieldKernel {
  const tag = {}
  const mod = (x: bigint) => {
    const r = x % modulus
    return r < 0n ? r + modulus : r
  }
  const create = (values: bigint[]) => new BigintVector(tag, values)
  const get = (v: KernelVector): bigint[] => {
    if (!(v instanceof BigintVector) || v.kernel !== tag)
      throw new EnigmaError('INVALID_ARGUMENT', 'the vector belongs to another field')
    return v.values
  }
  const reader = (v: KernelVector) => {
    const values = get(v)
    return values.length === 1 ? () => values[0]! : (i: number) => values[i]!
  }
  const build = (n: number, fn: (i: number) => bigint) =>
    create(Array.from({ length: n }, (_, i) => mod(fn(i))))
  const invert = (x: bigint): bigint => {
    let [a, b, u, v] = [x, modulus, 1n, 0n]
    while (b !== 0n) [a, b, u, v] = [b, a % b, v, u - (a / b) * v]
    return mod(u)
  }

  const inverseOfR = invert(mod(MONTGOMERY_R))
  const decode = (bytes: Uint8Array): bigint[] => {
    const values = wordsToBigints(bytes)
    const bad = values.findIndex((x) => x >= modulus)
    if (bad === -1) return values
    throw new EnigmaError('FIELD_RANGE', `element ${bad} is not a canonical encoding: not below the modulus`)
  }

  return {
    kind: 'js',
    modulus,
    owns: (v) => v instanceof BigintVector && v.kernel === tag && !v.freed,
    zeros: (n) => create(new Array<bigint>(n).fill(0n)),
    fromBytes: (bytes) => create(decode(bytes)),
    fromMontgomery: (bytes) => create(decode(bytes).map((x) => mod(x * inverseOfR))),
    fromWide: (bytes) =>
      build(bytes.length / 48, (i) => {
        const padded = new Uint8Array(64)
        padded.set(bytes.subarray(48 * i, 48 * i + 48))
        const [low, high] = wordsToBigints(padded)
        return low! + (high! << 256n)
      }),
    toBytes: (v) => bigintsToWords(get(v)),
    toMontgomery: (v) => bigintsToWords(get(v).map((x) => mod(x * MONTGOMERY_R))),
    add: (a, b, n) => {
      const [x, y] = [reader(a), reader(b)]
      return build(n, (i) => x(i) + y(i))
    },
    sub: (a, b, n) => {
      const [x, y] = [reader(a), reader(b)]
      return build(n, (i) => x(i) - y(i))
    },
    mul: (a, b, n) => {
      const [x, y] = [reader(a), reader(b)]
      return build(n, (i) => x(i) * y(i))
    },
    sumOfProducts: (terms, addend, n) => {
      const readers = terms.map(([a, b]) => [reader(a), reader(b)] as const)
      const start = addend === undefined ? () => 0n : reader(addend)
      return build(n, (i) => readers.reduce((total, [x, y]) => total + x(i) * y(i), start(i)))
    },
    inner: (a, b, n) => {
      const [x, y] = [reader(a), reader(b)]
      let total = 0n
      for (let i = 0; i < n; i++) total += x(i) * y(i)
      return create([mod(total)])
    },
    sum: (a) => create([mod(get(a).reduce((x, y) => x + y, 0n))]),
    linear: (factors, vectors, n) => {
      const readers = vectors.map(reader)
      return build(n, (i) => factors.reduce((total, f, j) => total + f * readers[j]!(i), 0n))
    },
    evaluate: (coefficients, x, n) => {
      const readers = coefficients.map(reader)
      return build(n, (i) => readers.reduceRight((total, read) => (total * x + read(i)) % modulus, 0n))
    },
    inverse: (a) => {
      const values = get(a)
      return values.includes(0n) ? undefined : create(values.map(invert))
    },
    equal: (a, b, n) => {
      const [x, y] = [reader(a), reader(b)]
      let same = true
      for (let i = 0; i < n; i++) same = x(i) === y(i) && same
      return same
    },
    slice: (a, from, to) => create(get(a).slice(from, to)),
    concat: (parts) => create(parts.flatMap(get)),
    copyInto: (target, at, source, from, to) => {
      get(target).splice(at, to - from, ...get(source).slice(from, to))
    },
    gather: (a, indices) => {
      const values = get(a)
      return create(Array.from(indices, (i) => values[i]!))
    },
  }
}
