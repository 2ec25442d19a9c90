import { EnigmaError } from '../base/errors.ts'
import { FUSED_WASM, PLAIN_WASM } from './generated/module.ts'
import { KernelMemory, type LinearMemory } from './memory.ts'

type Fn = (...operands: number[]) => number

/** What assembly/index.ts exports; pointers are byte addresses. */
export interface KernelExports {
  memory: LinearMemory
  addVector: Fn
  subVector: Fn
  mulVector: Fn
  mulAddVector: Fn
  innerVector: Fn
  sumVector: Fn
  linearVector: Fn
  /** The integer x is an i64. */
  evaluateSmall: (dst: number, pointers: number, strides: number, k: number, x: bigint, n: number) => void
  inverseVector: Fn
  fromBytesVector: Fn
  toBytesVector: Fn
  fromWideVector: Fn
  gatherVector: Fn
  broadcastVector: Fn
  equalVector: Fn
  addPoints: Fn
  scalePoints: Fn
  buildTable: Fn
  recode: Fn
  fixedBase: Fn
  msm: Fn
  fromUncompressed: Fn
  toUncompressed: Fn
  fromCompressed: Fn
  toCompressed: Fn
  roundingRest: Fn
  setPrime: Fn
  nttForward: Fn
  nttBackward: Fn
  mulPlane: Fn
  mulAddPlane: Fn
  addPlane: Fn
  subPlane: Fn
  scalePlane: Fn
  combinePlanes: Fn
  roundedSum: Fn
  addRotated: Fn
  addShifted: Fn
  sampleBinomial: Fn
  sampleTernary: Fn
  splitIntegers: Fn
  joinIntegers: Fn
  splitElements: Fn
  planesToField: Fn
  fieldForward: Fn
  fieldBackward: Fn
  packResidues: Fn
  unpackResidues: Fn
}

/** Addresses of the parameters, as assembly/field.ts reads them. */
const MODULUS = 1024
const INVERSE = 1096
const MODULUS_WORDS = 1104
const R2 = 1136
const R2_HIGH = 1168
const ONE = 1200
const EXPONENT = 1232
const RECIPROCAL = 1264
const SQRT_EXPONENT = 1272
const CURVE_B = 1304
const UNIT = 1336
const HEAP = 65536

const WORD = (1n << 64n) - 1n
const { Module, Instance } = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => object
      Instance: new (module: object) => { exports: unknown }
    }
  }
).WebAssembly
let compiled: object | undefined

/**
 * The module with fused multiply-adds where they are really fused, else the one without. `relaxed_madd` may round
 * twice on machines without the instruction, and then silently gives wrong products: the exact rest of a few
 * products tells.
 */
function kernelModule(): object {
  if (compiled !== undefined) return compiled
  try {
    const fused = new Module(Buffer.from(FUSED_WASM, 'base64'))
    if (isExact(new Instance(fused).exports as KernelExports)) compiled = fused
  } catch {
    // The engine does not know relaxed SIMD.
  }
  compiled ??= new Module(Buffer.from(PLAIN_WASM, 'base64'))
  return compiled
}

/** Whether products of two numbers of up to 51 bits are split exactly. */
export function isExact(exports: Pick<KernelExports, 'roundingRest'>): boolean {
  let [a, b] = [0x1fffffffffff5n, 0x10000000003n]
  for (let i = 0; i < 64; i++) {
    a = BigInt.asUintN(51, a * 6364136223846793005n + 1442695040888963407n) | 1n
    b = BigInt.asUintN(50, b * 6364136223846793005n + a) | 1n
    const rest = a * b - BigInt(Number(a) * Number(b))
    if (BigInt(exports.roundingRest(Number(a), Number(b))) !== rest) return false
  }
  return true
}

export interface KernelInstance {
  exports: KernelExports
  memory: KernelMemory
}

function invert32(m: bigint): bigint {
  let x = 1n
  for (let i = 0; i < 5; i++) x = BigInt.asUintN(29, x * (2n - m * x))
  return x
}

/**
 * An instance of the module with memory of its own, whose arithmetic is modulo `modulus`, an odd prime of 225 to
 * 256 bits. `curveB` is the coefficient of y² = x³ + b where the curve functions are used (modulus ≡ 3 mod 4).
 */
export function createInstance(modulus: bigint, curveB = 0n): KernelInstance {
  if (modulus % 2n === 0n || modulus >> 256n !== 0n || modulus >> 224n === 0n)
    throw new EnigmaError('INVALID_ARGUMENT', 'the modulus must be an odd prime of 225 to 256 bits')
  const exports = new Instance(kernelModule()).exports as KernelExports
  const view = new DataView(exports.memory.buffer)
  const writeWords = (at: number, value: bigint) => {
    for (let i = 0; i < 4; i++) view.setBigUint64(at + 8 * i, (value >> BigInt(64 * i)) & WORD, true)
  }
  const r = 1n << 261n
  for (let i = 0; i < 9; i++)
    view.setBigUint64(MODULUS + 8 * i, (modulus >> BigInt(29 * i)) & 0x1fffffffn, true)
  view.setBigUint64(INVERSE, BigInt.asUintN(29, -invert32(modulus)), true)
  writeWords(MODULUS_WORDS, modulus)
  writeWords(R2, (r * r) % modulus)
  writeWords(R2_HIGH, (r * r * (1n << 256n)) % modulus)
  writeWords(ONE, r % modulus)
  writeWords(EXPONENT, modulus - 2n)
  writeWords(SQRT_EXPONENT, (modulus + 1n) / 4n)
  writeWords(CURVE_B, (curveB * r) % modulus)
  writeWords(UNIT, 1n)
  // 2^232/m, lowered by 2^-50 so that rounding in evaluateSmall can never make a quotient too large.
  const scaled = Number((1n << 332n) / modulus) / 2 ** 100
  view.setFloat64(RECIPROCAL, scaled * (1 - 2 ** -50), true)
  return { exports, memory: new KernelMemory(exports.memory, HEAP) }
}

/** The elements at 32·i of `words` as integers. */
export function wordsToBigints(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const out: bigint[] = new Array(bytes.length / 32)
  for (let i = 0; i < out.length; i++) {
    const at = 32 * i
    out[i] =
      view.getBigUint64(at, true) |
      (view.getBigUint64(at + 8, true) << 64n) |
      (view.getBigUint64(at + 16, true) << 128n) |
      (view.getBigUint64(at + 24, true) << 192n)
  }
  return out
}

/** Integers in [0, 2^256) as 32 little-endian bytes each. */
export function bigintsToWords(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(32 * values.length)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!
    const at = 32 * i
    view.setBigUint64(at, x & WORD, true)
    view.setBigUint64(at + 8, (x >> 64n) & WORD, true)
    view.setBigUint64(at + 16, (x >> 128n) & WORD, true)
    view.setBigUint64(at + 24, x >> 192n, true)
  }
  return bytes
}
