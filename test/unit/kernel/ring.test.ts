import { describe, expect, it } from 'vitest'
import { Prg } from '../../../core/base/random.ts'
import { FUSED_WASM, PLAIN_WASM } from '../../../core/kernel/generated/module.ts'
import { isExact, type KernelExports } from '../../../core/kernel/instance.ts'
import { ringPrimes } from '../../../core/kernel/primes.ts'
import { type Polynomial, RnsRing } from '../../../core/kernel/ring.ts'

const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const mod = (x: bigint, q: bigint) => ((x % q) + q) % q

/** Schoolbook product modulo X^N + 1. */
function product(a: readonly bigint[], b: readonly bigint[], q: bigint): bigint[] {
  const n = a.length
  const out = new Array<bigint>(n).fill(0n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const k = (i + j) % n
      out[k] = mod(out[k]! + (i + j >= n ? -1n : 1n) * a[i]! * b[j]!, q)
    }
  return out
}

/** Canonical elements below 2^253. */
function elements(prg: Prg, n: number): Uint8Array {
  const bytes = prg.bytes(32 * n)
  for (let i = 0; i < n; i++) bytes[32 * i + 31]! &= 0x1f
  return bytes
}

describe.each([
  [16, true, 9],
  [16, true, 19],
  [16, false, 19],
  [128, true, 9],
  [128, false, 9],
])('polynomials modulo X^%i + 1, with fused multiply-adds: %s, and %i primes', (n, fused, count) => {
  const prg = new Prg(new Uint8Array(32).fill(n))
  const primes = ringPrimes(n, 49, count)
  const ring = new RnsRing(n, primes, R, { fused })

  it('multiplies as schoolbook does, modulo every prime', () => {
    const [a, b] = [ring.uniform(prg), ring.uniform(prg)]
    const [x, y] = [ring.residues(a), ring.residues(b)]
    const c = ring.backward(ring.mul(ring.forward(a), ring.forward(b)))
    expect(ring.residues(c)).toEqual(primes.map((q, l) => product(x[l]!, y[l]!, q)))
  })

  it('takes the extremes of every residue', () => {
    const top = ring.zeros()
    const bytes = ring.encode(top)
    primes.forEach((q, l) => {
      const plane = bytes.subarray(
        (l * bytes.length) / primes.length,
        ((l + 1) * bytes.length) / primes.length,
      )
      let packed = 0n
      for (let i = 0; i < 8; i++) packed |= (i % 2 ? q - 1n : q / 2n) << BigInt(49 * i)
      for (let i = 0; i < n / 8; i++)
        for (let b = 0; b < 49; b++) plane[49 * i + b] = Number((packed >> BigInt(8 * b)) & 255n)
    })
    const a = ring.decode(bytes, primes.length) as Polynomial
    const x = ring.residues(a)
    const c = ring.backward(ring.mul(ring.forward(ring.copy(a)), ring.forward(ring.copy(a))))
    expect(ring.residues(c)).toEqual(primes.map((q, l) => product(x[l]!, x[l]!, q)))
    expect(ring.encode(a)).toEqual(bytes)
  })

  it('refuses residues that are not below their prime, and other lengths', () => {
    const bytes = ring.encode(ring.zeros())
    const q = primes[0]!
    for (let b = 0; b < 7; b++) bytes[b] = Number((q >> BigInt(8 * b)) & 255n)
    expect(ring.decode(bytes, primes.length)).toBeUndefined()
    expect(ring.decode(bytes.subarray(1), primes.length)).toBeUndefined()
    expect(ring.decode(ring.encode(ring.zeros()), primes.length - 1)).toBeUndefined()
  })

  it('carries field elements there and back, also through a modulus switch', () => {
    const values = elements(prg, n)
    const a = ring.fromField(values)
    expect(ring.toField(a)).toEqual(values)
    const dropped = primes.slice(6).reduce((x, q) => x * q, 1n)
    expect(ring.toField(ring.switchModulus(ring.scale(a, dropped), 6))).toEqual(values)
  })

  it('makes products of polynomials over the field slot-wise', () => {
    const [a, b] = [elements(prg, n), elements(prg, n)]
    const big = (bytes: Uint8Array) =>
      Array.from({ length: n }, (_, i) =>
        bytes.subarray(32 * i, 32 * i + 32).reduceRight((x, byte) => (x << 8n) | BigInt(byte), 0n),
      )
    const coefficients = product(big(a), big(b), R)
    const slots = big(ring.coefficientsToSlots(a)).map(
      (x, i) => (x * big(ring.coefficientsToSlots(b))[i]!) % R,
    )
    const bytes = Uint8Array.from(
      coefficients.flatMap((x) => Array.from({ length: 32 }, (_, i) => Number((x >> BigInt(8 * i)) & 255n))),
    )
    expect(big(ring.coefficientsToSlots(bytes))).toEqual(slots)
    expect(ring.slotsToCoefficients(ring.coefficientsToSlots(a))).toEqual(a)
  })

  it('rotates by monomials, transformed or as integers', () => {
    const values = elements(prg, n)
    const integers = ring.elements(values, 48)
    for (const power of [0, 1, n - 1, n, n + 3, 2 * n - 1]) {
      const shifted = ring.integers(new Uint8Array(48 * n), 48)
      ring.accumulateShifted(shifted, integers, power)
      const rotated = ring.zeros()
      ring.accumulateRotated(rotated, ring.forward(ring.fromIntegers(integers)), power)
      expect(ring.residues(ring.backward(rotated))).toEqual(ring.residues(ring.fromIntegers(shifted)))
    }
  })

  it('keeps wide integers byte for byte and says when one does not fit', () => {
    const bytes = prg.bytes(45 * n)
    const wide = ring.integers(bytes, 45)
    expect(ring.toBytes(wide)).toEqual(bytes)
    const largest = new Uint8Array(48 * n).fill(0xff)
    for (let i = 0; i < n; i++) largest[48 * i + 47] = 0x7f
    const sum = ring.integers(largest, 48)
    ring.accumulateShifted(sum, ring.integers(largest, 48), 0)
    expect(ring.toBytes(sum)).toBeUndefined()
  })

  it('samples small coefficients', () => {
    const small = (bytes: Uint8Array) => Array.from({ length: n }, (_, i) => (bytes[6 * i]! << 24) >> 24)
    const ternary = small(ring.toBytes(ring.ternary(prg)) as Uint8Array)
    expect(new Set(ternary)).toEqual(new Set([-1, 0, 1]))
    const binomial = Array.from({ length: 40 }, () =>
      small(ring.toBytes(ring.binomial(prg)) as Uint8Array),
    ).flat()
    expect(Math.max(...binomial.map(Math.abs))).toBeLessThanOrEqual(21)
    const variance = binomial.reduce((s, x) => s + x * x, 0) / binomial.length
    expect(variance).toBeGreaterThan(7)
    expect(variance).toBeLessThan(15)
  })
})

describe('the two modules', () => {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: unknown }).WebAssembly as {
    Module: new (bytes: Uint8Array) => object
    Instance: new (module: object) => { exports: KernelExports }
  }

  it('both split products exactly on this machine', () => {
    for (const text of [FUSED_WASM, PLAIN_WASM])
      expect(isExact(new Instance(new Module(Buffer.from(text, 'base64'))).exports)).toBe(true)
  })

  it('a multiply-add that rounds twice is found out', () => {
    expect(
      isExact({ roundingRest: (a, b) => (a as number) * (b as number) - (a as number) * (b as number) }),
    ).toBe(false)
  })
})
