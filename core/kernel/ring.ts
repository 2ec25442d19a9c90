import { EnigmaError } from '../base/errors.ts'
import type { Prg } from '../base/random.ts'
import { bigintsToWords, createInstance, type KernelOptions, MONTGOMERY_R } from './instance.ts'
import type { KernelMemory } from './memory.ts'
import { balanced, inverse, modulo, powersOf, primitiveRoot } from './primes.ts'
import { WasmBlock } from './wasm.ts'

const PLANE_BYTES = 8
/** Bits of a residue in its encoding; primes are below 2^49. */
export const RESIDUE_BITS = 49
/** As many planes as assembly/fused.ts has room for, but the one for the quotient. */
const MAX_PRIMES = 19
/** Added to residues on the way to the field, to make them positive. */
const OFFSET = 2 ** 50

/**
 * A polynomial of degree below N as residues modulo the first `levels` primes, one plane of N numbers each, in
 * coefficients or transformed (`RnsRing.forward`): whoever uses it keeps track.
 */
export class Polynomial {
  readonly levels: number
  readonly block: WasmBlock

  constructor(memory: KernelMemory, levels: number, n: number) {
    this.levels = levels
    this.block = new WasmBlock(memory, levels * n, PLANE_BYTES)
  }

  free(): void {
    this.block.free()
  }
}

/** Integers with many bytes a coefficient, as planes of 48 bits. */
export class WideIntegers {
  readonly width: number
  readonly planes: number
  readonly block: WasmBlock

  constructor(memory: KernelMemory, width: number, n: number) {
    this.width = width
    this.planes = Math.ceil(width / 6)
    this.block = new WasmBlock(memory, this.planes * n, PLANE_BYTES)
  }

  free(): void {
    this.block.free()
  }
}

interface Prime {
  readonly q: bigint
  readonly forward: number
  readonly backward: number
  /** ψ^e, e < N. */
  readonly powers: number
  readonly scale: number
}

/**
 * Arithmetic in Z_Q[X]/(X^N + 1) for Q = q_0⋯q_(L−1), and between it and F_r[X]/(X^N + 1), r the plaintext modulus:
 * what RNS-BGV computes with. Polynomials have a number of levels: the first so many primes. Each ring has memory of its
 * own; operations overwrite their first operand where they say so and return new polynomials otherwise.
 */
export class RnsRing {
  readonly n: number
  readonly primes: readonly bigint[]
  readonly plaintext: bigint
  readonly #wasm
  readonly #fused: boolean
  readonly #memory: KernelMemory
  readonly #primes: Prime[]
  readonly #field: { forward: number; backward: number; scale: number }
  readonly #bits: number
  readonly #constants = new Map<string, number>()

  /**
   * N a power of two, 16 ≤ N ≤ 2^15; up to 19 primes of at most 49 bits, ≡ 1 mod 2N, all different; the plaintext modulus a prime of
   * 225 to 255 bits, ≡ 1 mod 2N. Throws INVALID_ARGUMENT.
   */
  constructor(n: number, primes: readonly bigint[], plaintext: bigint, options: KernelOptions = {}) {
    const order = BigInt(2 * n)
    if (!Number.isInteger(Math.log2(n)) || n < 16 || n > 1 << 15)
      throw new EnigmaError('INVALID_ARGUMENT', `a ring has a power of two from 16 to 32768, not ${n}`)
    for (const q of [...primes, plaintext])
      if (q % order !== 1n) throw new EnigmaError('INVALID_ARGUMENT', `${q} is not 1 modulo 2N`)
    if (primes.length > MAX_PRIMES)
      throw new EnigmaError('INVALID_ARGUMENT', `a ring has at most ${MAX_PRIMES} primes`)
    if (primes.some((q) => q >> BigInt(RESIDUE_BITS) !== 0n) || new Set(primes).size !== primes.length)
      throw new EnigmaError('INVALID_ARGUMENT', 'the primes of a ring differ and have at most 49 bits')
    const { exports, memory, fused } = createInstance(plaintext, options)
    this.n = n
    this.primes = primes
    this.plaintext = plaintext
    this.#wasm = exports
    this.#fused = fused
    this.#memory = memory
    this.#bits = Math.log2(n)
    this.#primes = primes.map((q) => this.#tables(q))
    this.#field = this.#fieldTables(plaintext)
  }

  /** Bytes of an encoded polynomial. */
  encodedLength(levels: number): number {
    return (levels * this.n * RESIDUE_BITS) / 8
  }

  zeros(levels = this.primes.length): Polynomial {
    return new Polynomial(this.#memory, levels, this.n)
  }

  copy(a: Polynomial, levels = a.levels): Polynomial {
    const out = this.zeros(levels)
    const bytes = levels * this.n * PLANE_BYTES
    this.#memory.bytes(out.block.at, bytes).set(this.#memory.bytes(a.block.at, bytes))
    return out
  }

  /** In place: coefficients to values at the primitive roots, and back. */
  forward(a: Polynomial): Polynomial {
    this.#each(a.levels, (prime, at) => this.#wasm.nttForward(a.block.at + at, this.n, prime.forward))
    return a
  }

  backward(a: Polynomial): Polynomial {
    this.#each(a.levels, (prime, at) =>
      this.#wasm.nttBackward(a.block.at + at, this.n, prime.backward, prime.scale),
    )
    return a
  }

  add(a: Polynomial, b: Polynomial): Polynomial {
    return this.#binary(a, b, (dst, x, y) => this.#wasm.addPlane(dst, x, y, this.n))
  }

  sub(a: Polynomial, b: Polynomial): Polynomial {
    return this.#binary(a, b, (dst, x, y) => this.#wasm.subPlane(dst, x, y, this.n))
  }

  /** Of transformed polynomials. */
  mul(a: Polynomial, b: Polynomial): Polynomial {
    return this.#binary(a, b, (dst, x, y) => this.#wasm.mulPlane(dst, x, y, this.n))
  }

  /** dst += b in place. */
  accumulate(dst: Polynomial, b: Polynomial): void {
    this.#each(dst.levels, (_, at) =>
      this.#wasm.addPlane(dst.block.at + at, dst.block.at + at, b.block.at + at, this.n),
    )
  }

  /** dst += a·b in place, of transformed polynomials. */
  accumulateProduct(dst: Polynomial, a: Polynomial, b: Polynomial): void {
    this.#each(dst.levels, (_, at) =>
      this.#wasm.mulAddPlane(dst.block.at + at, a.block.at + at, b.block.at + at, dst.block.at + at, this.n),
    )
  }

  /** dst += X^power·a in place, of transformed polynomials; 0 ≤ power < 2N. */
  accumulateRotated(dst: Polynomial, a: Polynomial, power: number): void {
    this.#each(dst.levels, (prime, at) =>
      this.#wasm.addRotated(dst.block.at + at, a.block.at + at, prime.powers, power, this.n, this.#bits),
    )
  }

  /**
   * dst += X^power·a in place, of coefficients; 0 ≤ power < 2N. Without reduction: after at most 12 such additions
   * `normalise` must follow.
   */
  accumulateShift(dst: Polynomial, a: Polynomial, power: number): void {
    this.#each(dst.levels, (_, at) =>
      this.#wasm.addShifted(dst.block.at + at, a.block.at + at, power, this.n),
    )
  }

  normalise(a: Polynomial): Polynomial {
    return this.scale(a, 1n)
  }

  /** a·factor in place, for an integer factor. */
  scale(a: Polynomial, factor: bigint): Polynomial {
    this.#each(a.levels, (prime, at) =>
      this.#wasm.scalePlane(a.block.at + at, a.block.at + at, balanced(factor, prime.q), this.n),
    )
    return a
  }

  equal(a: Polynomial, b: Polynomial): boolean {
    const bytes = Math.min(a.levels, b.levels) * this.n * PLANE_BYTES
    return (
      a.levels === b.levels &&
      Buffer.compare(this.#memory.bytes(a.block.at, bytes), this.#memory.bytes(b.block.at, bytes)) === 0
    )
  }

  // ---- from integers ------------------------------------------------------------------------------------------

  /** Uniform residues from a generator, the same for the same seed: the public part of a key. */
  uniform(prg: Prg, levels = this.primes.length): Polynomial {
    const out = this.zeros(levels)
    for (const [l, { q }] of this.#primes.slice(0, levels).entries()) {
      const plane = new Float64Array(this.n)
      const limit = Number(q)
      // 49 bits and rejection.
      for (let filled = 0; filled < this.n; ) {
        const words = new Uint32Array(prg.bytes((this.n - filled) * 8 + 64).buffer)
        for (let i = 0; i + 1 < words.length && filled < this.n; i += 2) {
          const value = words[i]! + (words[i + 1]! & 0x1ffff) * 2 ** 32
          if (value < limit) plane[filled++] = value > limit / 2 ? value - limit : value
        }
      }
      this.#plane(out, l).set(plane)
    }
    return out
  }

  /** Coefficients −1, 0, 1, uniform up to 2^-32. */
  ternary(prg: Prg): WideIntegers {
    return this.#sample(prg, 4, (dst, bytes) => this.#wasm.sampleTernary(dst, bytes, this.n))
  }

  /** Coefficients of the centred binomial distribution with parameter 21: variance 10.5, magnitude ≤ 21. */
  binomial(prg: Prg): WideIntegers {
    return this.#sample(prg, 6, (dst, bytes) => this.#wasm.sampleBinomial(dst, bytes, this.n))
  }

  /** Signed little-endian integers of `width` bytes each. Throws LENGTH_MISMATCH. */
  integers(bytes: Uint8Array, width: number): WideIntegers {
    if (bytes.length !== width * this.n)
      throw new EnigmaError('LENGTH_MISMATCH', `${bytes.length} bytes for ${this.n} integers of ${width}`)
    const out = new WideIntegers(this.#memory, width, this.n)
    this.#withBytes(bytes, (at) => this.#wasm.splitIntegers(out.block.at, at, width, 1, this.n))
    return out
  }

  /** Centred representatives of canonical field elements, as integers of `width` ≥ 36 bytes. */
  elements(bytes: Uint8Array, width = 36): WideIntegers {
    const out = new WideIntegers(this.#memory, width, this.n)
    const temp = new WideIntegers(this.#memory, 42, this.n)
    this.#withBytes(bytes, (at) => this.#wasm.splitElements(temp.block.at, at, this.n))
    const stride = this.n * PLANE_BYTES
    // x − r·[x > r/2], limb by limb; `toBytes` propagates carries.
    const flags = new Float64Array(this.#memory.bytes(temp.block.at + 6 * stride, stride).slice().buffer)
    for (let k = 0; k < 6; k++) {
      const limb = Number((this.plaintext >> BigInt(48 * k)) & 0xffffffffffffn)
      const from = new Float64Array(this.#memory.bytes(temp.block.at + k * stride, stride).slice().buffer)
      for (let i = 0; i < this.n; i++) from[i] = from[i]! - flags[i]! * limb
      this.#memory.bytes(out.block.at + k * stride, stride).set(new Uint8Array(from.buffer))
    }
    temp.free()
    return out
  }

  /** dst += X^power·a on integers, in place; the widths of both must be equal. Limbs stay below 2^52 for 8 additions. */
  accumulateShifted(dst: WideIntegers, a: WideIntegers, power: number): void {
    const stride = this.n * PLANE_BYTES
    for (let k = 0; k < a.planes; k++)
      this.#wasm.addShifted(dst.block.at + k * stride, a.block.at + k * stride, power, this.n)
  }

  /** Two's complement of `width` bytes a coefficient; undefined when one does not fit. */
  toBytes(a: WideIntegers, width = a.width): Uint8Array | undefined {
    const bytes = width * this.n
    const at = this.#memory.alloc(bytes)
    try {
      if (Math.ceil(width / 6) !== a.planes)
        throw new EnigmaError('LENGTH_MISMATCH', `integers of ${a.planes} limbs do not have ${width} bytes`)
      if (this.#wasm.joinIntegers(at, a.block.at, width, this.n) !== 1) return undefined
      return this.#memory.bytes(at, bytes).slice()
    } finally {
      this.#memory.free(at, bytes)
    }
  }

  /** Coefficients from integers, times `factor`. */
  fromIntegers(a: WideIntegers, levels = this.primes.length, factor = 1n): Polynomial {
    const out = this.zeros(levels)
    this.#each(levels, (prime, at, l) => {
      const factors = this.#factors(`integers/${a.planes}/${l}/${factor}`, () =>
        Array.from({ length: a.planes }, (_, k) => balanced(factor << BigInt(48 * k), prime.q)),
      )
      this.#wasm.combinePlanes(out.block.at + at, a.block.at, a.planes, factors, this.n)
    })
    return out
  }

  // ---- between the plaintext field and the ring -----------------------------------------------------------------

  /** Coefficients of centred representatives of N canonical field elements (32 bytes each). Throws LENGTH_MISMATCH. */
  fromField(bytes: Uint8Array, levels = this.primes.length): Polynomial {
    if (bytes.length !== 32 * this.n)
      throw new EnigmaError('LENGTH_MISMATCH', `${bytes.length} bytes for ${this.n} field elements`)
    const temp = new WideIntegers(this.#memory, 42, this.n)
    this.#withBytes(bytes, (at) => this.#wasm.splitElements(temp.block.at, at, this.n))
    const out = this.zeros(levels)
    this.#each(levels, (prime, at, l) => {
      const factors = this.#factors(`field/${l}`, () => [
        ...Array.from({ length: 6 }, (_, k) => balanced(1n << BigInt(48 * k), prime.q)),
        balanced(-this.plaintext, prime.q),
      ])
      this.#wasm.combinePlanes(out.block.at + at, temp.block.at, 7, factors, this.n)
    })
    temp.free()
    return out
  }

  /**
   * The centred integers behind the coefficients, modulo the plaintext modulus, as canonical elements. Right for
   * magnitudes below Q/4.
   */
  toField(a: Polynomial): Uint8Array {
    const { levels } = a
    const planes = this.zeros(levels + 1)
    const q = this.primes.slice(0, levels)
    const product = q.reduce((x, y) => x * y, 1n)
    const stride = this.n * PLANE_BYTES
    this.#each(levels, (prime, at) => {
      const hat = product / prime.q
      this.#wasm.scalePlane(
        planes.block.at + at,
        a.block.at + at,
        balanced(inverse(hat % prime.q, prime.q), prime.q),
        this.n,
      )
    })
    const reciprocals = this.#factors(`reciprocals/${levels}`, () => q.map((x) => 1 / Number(x)))
    this.#wasm.roundedSum(planes.block.at + levels * stride, planes.block.at, levels, reciprocals, this.n)
    const r = this.plaintext
    const hats = [...q.map((x) => product / x), -product].map((x) => modulo(x, r))
    const { factors, correction } = this.#fieldFactors(`crt/${levels}`, hats)
    const out = this.#memory.alloc(32 * this.n)
    try {
      this.#wasm.planesToField(out, planes.block.at, levels + 1, factors, OFFSET, correction, this.n)
      return this.#memory.bytes(out, 32 * this.n).slice()
    } finally {
      this.#memory.free(out, 32 * this.n)
      planes.free()
    }
  }

  /** Slots to coefficients in F_r[X]/(X^N + 1): products of polynomials become slot-wise. Canonical elements. */
  slotsToCoefficients(slots: Uint8Array): Uint8Array {
    return this.#transform(slots, (at) =>
      this.#wasm.fieldBackward(at, this.n, this.#field.backward, this.#field.scale),
    )
  }

  coefficientsToSlots(coefficients: Uint8Array): Uint8Array {
    return this.#transform(coefficients, (at) => this.#wasm.fieldForward(at, this.n, this.#field.forward))
  }

  /**
   * Modulus switching (Brakerski–Gentry–Vaikuntanathan 2012) of coefficients to the first `levels` primes: divides by the
   * product P of the others and rounds to what is ≡ a·P^-1 modulo the plaintext modulus. The rounding error is at most
   * r·(1/2 + 2^-40) a coefficient.
   */
  switchModulus(a: Polynomial, levels: number): Polynomial {
    const dropped = this.primes.slice(levels, a.levels)
    const count = dropped.length
    const p = dropped.reduce((x, y) => x * y, 1n)
    const stride = this.n * PLANE_BYTES
    // δ = r·[−a·r^-1]_P is ≡ −a mod P and ≡ 0 mod r; (a + δ)/P is exact.
    const planes = this.zeros(count + 1)
    dropped.forEach((q, k) => {
      const factor = modulo(-inverse(modulo(this.plaintext * (p / q), q), q), q)
      this.#wasm.setPrime(Number(q))
      this.#wasm.scalePlane(
        planes.block.at + k * stride,
        a.block.at + (levels + k) * stride,
        balanced(factor, q),
        this.n,
      )
    })
    const key = `switch/${levels}/${a.levels}`
    const reciprocals = this.#factors(`${key}/reciprocals`, () => dropped.map((q) => 1 / Number(q)))
    this.#wasm.roundedSum(planes.block.at + count * stride, planes.block.at, count, reciprocals, this.n)
    const out = this.zeros(levels)
    this.#each(levels, (prime, at, l) => {
      const inverseP = inverse(modulo(p, prime.q), prime.q)
      const scaled = modulo(this.plaintext * inverseP, prime.q)
      const factors = this.#factors(`${key}/${l}`, () => [
        ...dropped.map((q) => balanced(scaled * (p / q), prime.q)),
        balanced(-scaled * p, prime.q),
      ])
      this.#wasm.combinePlanes(out.block.at + at, planes.block.at, count + 1, factors, this.n)
      const rest = this.#memory.alloc(stride)
      this.#wasm.scalePlane(rest, a.block.at + at, balanced(inverseP, prime.q), this.n)
      this.#wasm.addPlane(out.block.at + at, out.block.at + at, rest, this.n)
      this.#memory.free(rest, stride)
    })
    planes.free()
    return out
  }

  // ---- encoding ---------------------------------------------------------------------------------------------------

  /** Residues in [0, q), 49 bits each, plane by plane. One polynomial has one encoding. */
  encode(a: Polynomial): Uint8Array {
    const each = this.encodedLength(1)
    const out = new Uint8Array(each * a.levels)
    const at = this.#memory.alloc(each)
    this.#each(a.levels, (_, plane, l) => {
      this.#wasm.packResidues(at, a.block.at + plane, this.n)
      out.set(this.#memory.bytes(at, each), l * each)
    })
    this.#memory.free(at, each)
    return out
  }

  /** Strict inverse of `encode`; undefined on a wrong length or a residue that is not below its prime. */
  decode(bytes: Uint8Array, levels: number): Polynomial | undefined {
    const each = this.encodedLength(1)
    if (bytes.length !== each * levels) return undefined
    const out = this.zeros(levels)
    let valid = true
    this.#withBytes(bytes, (at) =>
      this.#each(levels, (_, plane, l) => {
        if (this.#wasm.unpackResidues(out.block.at + plane, at + l * each, this.n) !== 1) valid = false
      }),
    )
    if (valid) return out
    out.free()
    return undefined
  }

  /** Residues of every coefficient, for tests: by prime. */
  residues(a: Polynomial): bigint[][] {
    return this.primes
      .slice(0, a.levels)
      .map((q, l) => Array.from(this.#plane(a, l), (x) => modulo(BigInt(x), q)))
  }

  // ---- helpers ------------------------------------------------------------------------------------------------------

  #plane(a: Polynomial, level: number): Float64Array {
    const bytes = this.n * PLANE_BYTES
    const view = this.#memory.bytes(a.block.at + level * bytes, bytes)
    return new Float64Array(view.buffer, view.byteOffset, this.n)
  }

  #each(levels: number, run: (prime: Prime, at: number, level: number) => void): void {
    for (let l = 0; l < levels; l++) {
      const prime = this.#primes[l]!
      this.#wasm.setPrime(Number(prime.q))
      run(prime, l * this.n * PLANE_BYTES, l)
    }
  }

  #binary(a: Polynomial, b: Polynomial, run: (dst: number, a: number, b: number) => void): Polynomial {
    const levels = Math.min(a.levels, b.levels)
    const out = this.zeros(levels)
    this.#each(levels, (_, at) => run(out.block.at + at, a.block.at + at, b.block.at + at))
    return out
  }

  #sample(prg: Prg, width: number, fill: (dst: number, bytes: number) => void): WideIntegers {
    // One plane of small integers, of the narrowest width.
    const out = new WideIntegers(this.#memory, 6, this.n)
    const bytes = prg.bytes(width * this.n)
    this.#withBytes(bytes, (at) => fill(out.block.at, at))
    bytes.fill(0)
    return out
  }

  #transform(elements: Uint8Array, run: (at: number) => void): Uint8Array {
    const bytes = 32 * this.n
    if (elements.length !== bytes)
      throw new EnigmaError('LENGTH_MISMATCH', `${elements.length} bytes for ${this.n} field elements`)
    const at = this.#memory.alloc(bytes)
    try {
      this.#memory.bytes(at, bytes).set(elements)
      const bad = this.#wasm.firstNotCanonical(at, this.n)
      if (bad !== -1)
        throw new EnigmaError(
          'FIELD_RANGE',
          `element ${bad} is not a canonical encoding: not below the modulus`,
        )
      // Linear, with roots in Montgomery form: the elements need no conversion.
      run(at)
      return this.#memory.bytes(at, bytes).slice()
    } finally {
      this.#memory.free(at, bytes)
    }
  }

  #withBytes<T>(bytes: Uint8Array, fn: (at: number) => T): T {
    // A few bytes more: loads of whole words at the end.
    const size = bytes.length + 16
    const at = this.#memory.alloc(size)
    try {
      this.#memory.bytes(at, bytes.length).set(bytes)
      return fn(at)
    } finally {
      this.#memory.free(at, size)
    }
  }

  /** Numbers that stay in memory for good. */
  #factors(key: string, make: () => number[]): number {
    let at = this.#constants.get(key)
    if (at === undefined) {
      at = this.#store(make())
      this.#constants.set(key, at)
    }
    return at
  }

  /** Constants of `planesToField` in the form that it asks for, and the sum that takes the offset away again. */
  #fieldFactors(key: string, values: readonly bigint[]): { factors: number; correction: number } {
    const r = this.plaintext
    let at = this.#constants.get(key)
    if (at === undefined) {
      const form = this.#fused ? 1n << 57n : MONTGOMERY_R
      const words = values.map((v) => (v * form) % r)
      words.push((values.reduce((a, b) => a + b, 0n) * BigInt(OFFSET)) % r)
      at = this.#memory.alloc(32 * words.length)
      this.#memory.bytes(at, 32 * words.length).set(bigintsToWords(words))
      this.#constants.set(key, at)
    }
    return { factors: at, correction: at + 32 * values.length }
  }

  #store(values: readonly number[]): number {
    const bytes = new Uint8Array(Float64Array.from(values).buffer)
    const at = this.#memory.alloc(bytes.length)
    this.#memory.bytes(at, bytes.length).set(bytes)
    return at
  }

  #tables(q: bigint): Prime {
    const psi = primitiveRoot(q, this.n)
    const powers = powersOf(psi, q, this.n)
    const inverses = powersOf(inverse(psi, q), q, this.n)
    const order = Array.from({ length: this.n }, (_, k) => reversed(k, this.#bits))
    return {
      q,
      forward: this.#store(order.map((k) => balanced(powers[k]!, q))),
      backward: this.#store(order.map((k) => balanced(inverses[k]!, q))),
      powers: this.#store(powers.map((x) => balanced(x, q))),
      scale: balanced(inverse(BigInt(this.n), q), q),
    }
  }

  #fieldTables(r: bigint) {
    const psi = primitiveRoot(r, this.n)
    const montgomery = MONTGOMERY_R % r
    const order = Array.from({ length: this.n }, (_, k) => reversed(k, this.#bits))
    const table = (root: bigint) => {
      const powers = powersOf(root, r, this.n)
      const words = bigintsToWords(order.map((k) => (powers[k]! * montgomery) % r))
      const at = this.#memory.alloc(words.length)
      this.#memory.bytes(at, words.length).set(words)
      return at
    }
    const scale = this.#memory.alloc(32)
    this.#memory.bytes(scale, 32).set(bigintsToWords([(inverse(BigInt(this.n), r) * montgomery) % r]))
    return { forward: table(psi), backward: table(inverse(psi, r)), scale }
  }
}

function reversed(x: number, bits: number): number {
  let r = 0
  for (let i = 0; i < bits; i++) r |= ((x >> i) & 1) << (bits - 1 - i)
  return r
}
