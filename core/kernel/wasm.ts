import { EnigmaError } from '../base/errors.ts'
import { bigintsToWords, createInstance, type KernelOptions } from './instance.ts'
import type { KernelMemory } from './memory.ts'
import type { FieldKernel, KernelVector } from './types.ts'

interface Region {
  memory: KernelMemory
  at: number
  bytes: number
}

const dropped = new FinalizationRegistry<Region>(({ memory, at, bytes }) => memory.free(at, bytes))

/** A block of kernel memory that its owner frees, or the garbage collector does. */
export class WasmBlock {
  readonly length: number
  readonly memory: KernelMemory
  readonly #bytes: number
  #at: number

  constructor(memory: KernelMemory, length: number, elementBytes: number) {
    this.memory = memory
    this.length = length
    this.#bytes = length * elementBytes
    this.#at = memory.alloc(this.#bytes)
    dropped.register(this, { memory, at: this.#at, bytes: this.#bytes }, this)
  }

  /** Address of the first element; throws INVALID_ARGUMENT after `free`. */
  get at(): number {
    if (this.#at === 0) throw new EnigmaError('INVALID_ARGUMENT', 'the vector has been freed')
    return this.#at
  }

  get freed(): boolean {
    return this.#at === 0
  }

  free(): void {
    if (this.#at === 0) return
    dropped.unregister(this)
    this.memory.free(this.#at, this.#bytes)
    this.#at = 0
  }
}

/** The WebAssembly kernel: Montgomery form, 32 bytes an element (assembly/field.ts). */
export function createWasmKernel(modulus: bigint, options: KernelOptions = {}): FieldKernel {
  const { exports: wasm, memory } = createInstance(modulus, options)

  const create = (n: number) => new WasmBlock(memory, n, 32)
  const get = (v: KernelVector): WasmBlock => {
    if (!(v instanceof WasmBlock) || v.memory !== memory)
      throw new EnigmaError('INVALID_ARGUMENT', 'the vector belongs to another field')
    return v
  }
  /** Runs `fn` with a temporary block that holds `bytes`. */
  const withBytes = <T>(bytes: Uint8Array, fn: (at: number) => T): T => {
    const at = memory.alloc(bytes.length)
    try {
      memory.bytes(at, bytes.length).set(bytes)
      return fn(at)
    } finally {
      memory.free(at, bytes.length)
    }
  }
  const stride = (v: KernelVector, n: number) => (v.length === 1 && n !== 1 ? 0 : 32)
  type Binary = (dst: number, a: number, sa: number, b: number, sb: number, n: number) => number
  const binary = (fn: Binary) => (a: KernelVector, b: KernelVector, n: number) => {
    const x = get(a).at
    const y = get(b).at
    const out = create(n)
    fn(out.at, x, stride(a, n), y, stride(b, n), n)
    return out
  }
  /** The addresses and strides of several vectors as an array of u32. */
  const withPointers = <T>(
    vectors: readonly KernelVector[],
    n: number,
    fn: (pointers: number, strides: number) => T,
  ): T => {
    const k = vectors.length
    const table = new Uint32Array(2 * k)
    vectors.forEach((v, j) => {
      table[j] = get(v).at
      table[k + j] = stride(v, n)
    })
    return withBytes(new Uint8Array(table.buffer), (at) => fn(at, at + 4 * k))
  }
  /** Σ a_j·b_j for terms [address, stride, address, stride], plus `addend`. */
  const sumOfProducts = (
    terms: readonly number[],
    addend: KernelVector | undefined,
    n: number,
  ): KernelVector => {
    const at = addend === undefined ? 0 : get(addend).at
    return withBytes(new Uint8Array(Uint32Array.from(terms).buffer), (table) => {
      const out = create(n)
      wasm.sumOfProducts(out.at, table, terms.length / 4, at, addend === undefined ? 0 : stride(addend, n), n)
      return out
    })
  }

  /** `check` converts in place, and tells the first element that is out of range, or -1. */
  const decode = (bytes: Uint8Array, check: (at: number, n: number) => number): KernelVector => {
    const out = create(bytes.length / 32)
    memory.bytes(out.at, bytes.length).set(bytes)
    const bad = check(out.at, out.length)
    if (bad === -1) return out
    out.free()
    throw new EnigmaError('FIELD_RANGE', `element ${bad} is not a canonical encoding: not below the modulus`)
  }

  return {
    kind: 'wasm',
    modulus,
    owns: (v) => v instanceof WasmBlock && v.memory === memory && !v.freed,
    zeros: create,
    fromBytes: (bytes) => decode(bytes, (at, n) => wasm.fromBytesVector(at, at, n)),
    fromMontgomery: (bytes) => decode(bytes, wasm.firstNotCanonical),
    fromWide: (bytes) =>
      withBytes(bytes, (at) => {
        const out = create(bytes.length / 48)
        wasm.fromWideVector(out.at, at, out.length)
        return out
      }),
    toBytes(v) {
      const x = get(v).at
      const bytes = v.length * 32
      const at = memory.alloc(bytes)
      try {
        wasm.toBytesVector(at, x, v.length)
        return memory.bytes(at, bytes).slice()
      } finally {
        memory.free(at, bytes)
      }
    },
    toMontgomery: (v) => memory.bytes(get(v).at, v.length * 32).slice(),
    add: binary(wasm.addVector),
    sub: binary(wasm.subVector),
    mul: binary(wasm.mulVector),
    sumOfProducts: (terms, addend, n) =>
      sumOfProducts(
        terms.flatMap(([a, b]) => [get(a).at, stride(a, n), get(b).at, stride(b, n)]),
        addend,
        n,
      ),
    inner(a, b, n) {
      const [x, y] = [get(a).at, get(b).at]
      const out = create(1)
      wasm.innerVector(out.at, x, stride(a, n), y, stride(b, n), n)
      return out
    },
    sum(a) {
      const x = get(a).at
      const out = create(1)
      wasm.sumVector(out.at, x, a.length)
      return out
    },
    linear: (factors, vectors, n) =>
      withBytes(bigintsToWords(factors), (at) => {
        wasm.fromBytesVector(at, at, factors.length)
        const terms = vectors.flatMap((v, j) => [get(v).at, stride(v, n), at + 32 * j, 0])
        return sumOfProducts(terms, undefined, n)
      }),
    evaluate(coefficients, x, n) {
      if (x < 65536n)
        return withPointers(coefficients, n, (pointers, strides) => {
          const out = create(n)
          wasm.evaluateSmall(out.at, pointers, strides, coefficients.length, x, n)
          return out
        })
      const powers = [1n]
      for (let k = 1; k < coefficients.length; k++) powers.push((powers[k - 1]! * x) % modulus)
      return this.linear(powers, coefficients, n)
    },
    inverse(a) {
      const x = get(a).at
      const out = create(a.length)
      if (wasm.inverseVector(out.at, x, a.length) === 1) return out
      out.free()
      return undefined
    },
    equal: (a, b, n) => wasm.equalVector(get(a).at, stride(a, n), get(b).at, stride(b, n), n) === 1,
    slice(a, from, to) {
      const x = get(a).at
      const out = create(to - from)
      memory.bytes(out.at, 32 * out.length).set(memory.bytes(x + 32 * from, 32 * out.length))
      return out
    },
    concat(parts) {
      const sources = parts.map((p) => get(p).at)
      const out = create(parts.reduce((n, p) => n + p.length, 0))
      let at = out.at
      parts.forEach((p, j) => {
        memory.bytes(at, 32 * p.length).set(memory.bytes(sources[j]!, 32 * p.length))
        at += 32 * p.length
      })
      return out
    },
    copyInto(target, at, source, from, to) {
      const [out, x] = [get(target).at, get(source).at]
      const bytes = 32 * (to - from)
      memory.bytes(out + 32 * at, bytes).set(memory.bytes(x + 32 * from, bytes))
    },
    gather(a, indices) {
      const x = get(a).at
      return withBytes(new Uint8Array(indices.buffer, indices.byteOffset, indices.byteLength), (at) => {
        const out = create(indices.length)
        wasm.gatherVector(out.at, x, at, indices.length)
        return out
      })
    },
  }
}
