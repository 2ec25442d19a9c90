import { EnigmaError } from '../base/errors.ts'
import { FUSED_WASM, PLAIN_WASM } from './generated/module.ts'
import { KernelMemory, type LinearMemory } from './memory.ts'

type Fn = (...operands: number[]) => number

/** What assembly/index.ts exports; pointers are byte addresses. */
export interface KernelExports {
  memory: LinearMemory
  addVector: Fn
  subVector: Fn
  mul: Fn
  mulVector: Fn
  sumOfProducts: Fn
  innerVector: Fn
  sumVector: Fn
  /** The integer x is an i64. */
  evaluateSmall: (dst: number, pointers: number, strides: number, k: number, x: bigint, n: number) => void
  inverseVector: Fn
  fromBytesVector: Fn
  toBytesVector: Fn
  firstNotCanonical: Fn
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
const FUSED = 1368
/** Scratch memory for `agrees`. */
const TRIAL = 61440
const HEAP = 65536

/** Of the stored form x·R mod m. */
export const MONTGOMERY_R = 1n << 261n
/** Constants of assembly/fused.ts, each in both lanes. */
const FUSED_CONSTANTS = 16384
const LIMB_BITS = 51n

const WORD = (1n << 64n) - 1n
const { Module, Instance } = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => object
      Instance: new (module: object) => { exports: unknown }
    }
  }
).WebAssembly
interface Compiled {
  module: object
  fused: boolean
}
let best: Compiled | undefined
let plain: Compiled | undefined

/**
 * The module with fused multiply-adds where they are really fused, else the one without. `relaxed_madd` may round
 * twice on machines without the instruction, and then silently gives wrong products: the exact rest of a few
 * products tells.
 */
function bestModule(): Compiled {
  if (best !== undefined) return best
  try {
    const module = new Module(Buffer.from(FUSED_WASM, 'base64'))
    if (isExact(new Instance(module).exports as KernelExports)) best = { module, fused: true }
  } catch {
    // The engine does not know relaxed SIMD.
  }
  best ??= plainModule()
  return best
}

function plainModule(): Compiled {
  plain ??= { module: new Module(Buffer.from(PLAIN_WASM, 'base64')), fused: false }
  return plain
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

export interface KernelOptions {
  /** Coefficient of y² = x³ + b where the curve functions are used (modulus ≡ 3 mod 4). */
  curveB?: bigint
  /** false: never fused multiply-adds, as on a machine without them. */
  fused?: boolean
}

export interface KernelInstance {
  exports: KernelExports
  /** Whether products are made with fused multiply-adds. */
  fused: boolean
  memory: KernelMemory
}

/** 1/m mod 2^bits for odd m. */
function invert(m: bigint, bits: number): bigint {
  let x = 1n
  for (let i = 0; i < 6; i++) x = BigInt.asUintN(bits, x * (2n - m * x))
  return x
}

/**
 * An instance of the module with memory of its own, whose arithmetic is modulo `modulus`, an odd prime of 225 to
 * 256 bits.
 */
export function createInstance(modulus: bigint, options: KernelOptions = {}): KernelInstance {
  if (modulus % 2n === 0n || modulus >> 256n !== 0n || modulus >> 224n === 0n)
    throw new EnigmaError('INVALID_ARGUMENT', 'the modulus must be an odd prime of 225 to 256 bits')
  const { curveB = 0n } = options
  const { module, fused } = options.fused === false ? plainModule() : bestModule()
  const exports = new Instance(module).exports as KernelExports
  const view = new DataView(exports.memory.buffer)
  const writeWords = (at: number, value: bigint) => {
    for (let i = 0; i < 4; i++) view.setBigUint64(at + 8 * i, (value >> BigInt(64 * i)) & WORD, true)
  }
  const r = MONTGOMERY_R
  for (let i = 0; i < 9; i++)
    view.setBigUint64(MODULUS + 8 * i, (modulus >> BigInt(29 * i)) & 0x1fffffffn, true)
  view.setBigUint64(INVERSE, BigInt.asUintN(29, -invert(modulus, 29)), true)
  writeWords(MODULUS_WORDS, modulus)
  writeWords(R2, (r * r) % modulus)
  writeWords(R2_HIGH, (r * r * (1n << 192n)) % modulus)
  writeWords(ONE, r % modulus)
  writeWords(EXPONENT, modulus - 2n)
  writeWords(SQRT_EXPONENT, (modulus + 1n) / 4n)
  writeWords(CURVE_B, (curveB * r) % modulus)
  writeWords(UNIT, 1n)
  // 2^232/m, lowered by 2^-50 so that rounding in evaluateSmall can never make a quotient too large.
  const scaled = Number((1n << 332n) / modulus) / 2 ** 100
  view.setFloat64(RECIPROCAL, scaled * (1 - 2 ** -50), true)
  if (fused && modulus < (1n << 254n) - (1n << 220n)) {
    writeFusedConstants(view, modulus)
    view.setUint32(FUSED, agrees(exports, modulus) ? 1 : 0, true)
  }
  return { exports, fused: view.getUint32(FUSED, true) === 1, memory: new KernelMemory(exports.memory, HEAP) }
}

/** The constants in the order in which assembly/fused.ts names them. */
function writeFusedConstants(view: DataView, modulus: bigint): void {
  let at = FUSED_CONSTANTS
  const both = (pattern: bigint) => {
    for (let lane = 0; lane < 2; lane++, at += 8) view.setBigUint64(at, BigInt.asUintN(64, pattern), true)
  }
  const limb = (x: bigint, j: number) =>
    j === 4 ? x >> (4n * LIMB_BITS) : (x >> (BigInt(j) * LIMB_BITS)) & ((1n << LIMB_BITS) - 1n)
  const high = pattern(3 * 2 ** 102)
  const rest = pattern(3 * 2 ** 51)
  const inverse = -invert(modulus, 51)
  both(high)
  both(pattern(3 * 2 ** 102 + 3 * 2 ** 51))
  both(pattern(2 ** 52))
  both(rest)
  both((1n << LIMB_BITS) - 1n)
  both(pattern(Number(BigInt.asUintN(51, inverse))))
  both(BigInt.asUintN(6, inverse))
  both(63n)
  for (let j = 0; j < 5; j++) both(pattern(Number(limb(modulus, j))))

  const columns = new Array<bigint>(11).fill(0n)
  for (let i = 0; i < 5; i++)
    for (let j = 0; j < 5; j++) {
      columns[i + j]! += rest
      columns[i + j + 1]! += high
    }
  // Columns are kept positive by 2^62 each, which the carry takes along as 2^11; 64·m makes the whole sum positive.
  const [bias, carried] = [1n << 62n, 1n << 11n]
  columns.forEach((own, k) => {
    let start = -own
    if (k >= 5) start -= (k < 10 ? rest : 0n) + (k > 5 ? high : 0n)
    if (k < 9) start += bias
    if (k > 0 && k < 10) start -= carried
    if (k >= 5 && k < 10) start += limb(64n * modulus, k - 5)
    both(start)
  })
  for (const own of columns) both(own)
  for (const multiple of [128n, 64n])
    for (let j = 0; j < 5; j++)
      both((j < 4 ? bias : 0n) - (j > 0 ? carried : 0n) - limb(multiple * modulus, j))

  // The same for columns 4 to 10 alone.
  const short = columns.slice(4).map((_, k) => (k < 5 ? rest : 0n) + (k > 0 && k < 6 ? high : 0n))
  short.forEach((own, k) => {
    let start = -own
    if (k >= 1) start -= (k < 6 ? rest : 0n) + (k > 1 ? high : 0n)
    if (k < 5) start += bias
    if (k > 0 && k < 6) start += limb(64n * modulus, k - 1) - carried
    both(start)
  })
  for (const own of short) both(own)
}

/** The bits of a number. */
function pattern(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  return view.getBigUint64(0)
}

/** Whether fused products are those of the integer code: the second start-up test. */
function agrees(exports: KernelExports, modulus: bigint): boolean {
  const n = 16
  const memory = new Uint8Array(exports.memory.buffer)
  const view = new DataView(exports.memory.buffer)
  view.setUint32(FUSED, 1, true)
  const values = Array.from({ length: 2 * n }, (_, i) =>
    i < 4 ? [0n, 1n, modulus - 1n, modulus >> 1n][i]! : (MONTGOMERY_R ** BigInt(i) + 1n) % modulus,
  )
  memory.set(bigintsToWords(values), TRIAL)
  const [second, fused, plain] = [TRIAL + 32 * n, TRIAL + 64 * n, TRIAL + 96 * n]
  exports.mulVector(fused, TRIAL, 32, second, 32, n)
  for (let i = 0; i < 32 * n; i += 32) exports.mul(plain + i, TRIAL + i, second + i)
  return Buffer.compare(memory.subarray(fused, plain), memory.subarray(plain, plain + 32 * n)) === 0
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
