import { EnigmaError } from '../base/errors.ts'
import { createInstance } from './instance.ts'
import type { CurveKernel, CurveParameters, FixedBases, KernelVector } from './types.ts'
import { WasmBlock } from './wasm.ts'

/** Pairs of points in one batched addition: one inversion (about 12 µs) is shared by this many. */
const CAP = 4096
/** Points in one multi-scalar multiplication; longer ones are split. */
const MSM_LIMIT = 65536
/** Points times windows that are added up together in one multi-scalar multiplication. */
const MSM_GROUP = 8192
/** Commitments made side by side from the tables of fixed bases. */
const FIXED_BLOCK = 1024
/** Least number of sums to advance together, so that the inversion does not dominate. */
const FIXED_WIDTH = 256
const SCALAR_BITS = 256

/** Windows of c bits that hold signed digits of a number of `bits` bits. */
const windowsFor = (bits: number, c: number) => Math.ceil((bits + 1) / c)

/** The window that makes the multi-scalar multiplication of n points cheapest: additions, then running sums. */
function msmWindow(n: number, bits: number): number {
  let best = 2
  let cost = Number.POSITIVE_INFINITY
  for (let c = 2; c <= 14; c++) {
    const trial = windowsFor(bits, c) * (n + 2 * 2 ** (c - 1) + Math.min(n, 2 ** (c - 1)))
    if (trial < cost) [best, cost] = [c, trial]
  }
  return best
}

/** Batched arithmetic on a curve y² = x³ + b of prime order; see assembly/curve.ts for its side-channel limits. */
export function createCurveKernel(parameters: CurveParameters): CurveKernel {
  const { exports: wasm, memory } = createInstance(parameters.modulus, { curveB: parameters.b })
  const work = memory.alloc(76 * CAP)

  const create = (n: number) => new WasmBlock(memory, n, 64)
  const get = (v: KernelVector): number => {
    if (!(v instanceof WasmBlock) || v.memory !== memory)
      throw new EnigmaError('INVALID_ARGUMENT', 'the points belong to another group')
    return v.at
  }
  const stride = (v: KernelVector, n: number) => (v.length === 1 && n !== 1 ? 0 : 64)
  const withMemory = <T>(bytes: number, fn: (at: number) => T): T => {
    const at = memory.alloc(bytes)
    try {
      return fn(at)
    } finally {
      memory.free(at, bytes)
    }
  }
  const withBytes = <T>(bytes: Uint8Array, fn: (at: number) => T): T =>
    withMemory(bytes.length, (at) => {
      memory.bytes(at, bytes.length).set(bytes)
      return fn(at)
    })
  const decode = (fn: (dst: number, src: number, n: number) => number, size: number, bytes: Uint8Array) =>
    withBytes(bytes, (at) => {
      const out = create(bytes.length / size)
      const bad = fn(out.at, at, out.length)
      if (bad === -1) return out
      out.free()
      throw new EnigmaError(
        'POINT_INVALID',
        `point ${bad} is not a canonical encoding of a point on the curve`,
      )
    })
  const encode = (fn: (dst: number, src: number, n: number) => number, size: number, v: KernelVector) => {
    const at = get(v)
    return withMemory(v.length * size, (to) => {
      fn(to, at, v.length)
      return memory.bytes(to, v.length * size).slice()
    })
  }

  /** out += Σ scalar_i·point_i for one part. */
  const msmPart = (out: number, points: number, scalars: number, n: number, bits: number) => {
    const c = msmWindow(n, bits)
    const windows = windowsFor(bits, c)
    const half = 2 ** (c - 1)
    const group = Math.min(windows, Math.ceil(MSM_GROUP / n))
    const buckets = group * (half + 1)
    withMemory(2 * windows * n, (digits) => {
      wasm.recode(digits, scalars, n, c, windows)
      withMemory(8 * buckets + 4 * group * n, (starts) =>
        withMemory(64 * ((group * n) >> 1), (temp) =>
          withMemory(64, (sum) => {
            const counts = starts + 4 * buckets
            const entries = counts + 4 * buckets
            wasm.msm(sum, points, digits, n, c, windows, group, starts, counts, entries, temp, work, CAP)
            wasm.addPoints(out, out, 64, sum, 64, 0, 1, work, CAP)
          }),
        ),
      )
    })
  }

  const kernel: CurveKernel = {
    modulus: parameters.modulus,
    owns: (v) => v instanceof WasmBlock && v.memory === memory && !v.freed,
    zeros: create,
    fromUncompressed: (bytes) => decode(wasm.fromUncompressed, 64, bytes),
    toUncompressed: (v) => encode(wasm.toUncompressed, 64, v),
    fromCompressed: (bytes) => decode(wasm.fromCompressed, 32, bytes),
    toCompressed: (v) => encode(wasm.toCompressed, 32, v),
    add(a, b, n, negateB = false) {
      const [x, y] = [get(a), get(b)]
      const out = create(n)
      wasm.addPoints(out.at, x, stride(a, n), y, stride(b, n), negateB ? 1 : 0, n, work, CAP)
      return out
    },
    scale(a, scalars, bits) {
      const x = get(a)
      return withBytes(scalars, (at) => {
        const out = create(a.length)
        wasm.scalePoints(out.at, x, at, scalars.length === 32 ? 0 : 32, bits, a.length, work, CAP)
        return out
      })
    },
    sum(a) {
      const x = get(a)
      const out = create(1)
      if (a.length === 0) return out
      if (a.length === 1) {
        memory.bytes(out.at, 64).set(memory.bytes(x, 64))
        return out
      }
      // A tree: the second half is added to the first until one point is left.
      return withMemory(64 * ((a.length + 1) >> 1), (temp) => {
        const total = out.at
        let n = a.length
        let from = x
        while (n > 1) {
          const half = n >> 1
          const odd = n & 1
          wasm.addPoints(temp, from, 64, from + 64 * (half + odd), 64, 0, half, work, CAP)
          if (odd && from !== temp) memory.bytes(temp + 64 * half, 64).set(memory.bytes(from + 64 * half, 64))
          from = temp
          n = half + odd
        }
        memory.bytes(total, 64).set(memory.bytes(temp, 64))
        return out
      })
    },
    msm(points, scalars, bits = SCALAR_BITS) {
      const x = get(points)
      const n = points.length
      return withBytes(scalars, (at) => {
        const out = create(1)
        const to = out.at
        for (let i = 0; i < n; i += MSM_LIMIT)
          msmPart(to, x + 64 * i, at + 32 * i, Math.min(MSM_LIMIT, n - i), bits)
        return out
      })
    },
    equal(a, b) {
      const [x, y] = [get(a), get(b)]
      return a.length === b.length && wasm.equalVector(x, 32, y, 32, 2 * a.length) === 1
    },
    differences(a, b) {
      const [x, y] = [get(a), get(b)]
      const out: number[] = []
      for (let i = 0; i < a.length; i++)
        if (wasm.equalVector(x + 64 * i, 32, y + 64 * i, 32, 2) !== 1) out.push(i)
      return out
    },
    slice(a, from, to) {
      const x = get(a)
      const out = create(to - from)
      memory.bytes(out.at, 64 * out.length).set(memory.bytes(x + 64 * from, 64 * out.length))
      return out
    },
    set(a, at, part) {
      const [to, from] = [get(a), get(part)]
      memory.bytes(to + 64 * at, 64 * part.length).set(memory.bytes(from, 64 * part.length))
    },
    concat(parts) {
      const sources = parts.map(get)
      const out = create(parts.reduce((n, p) => n + p.length, 0))
      let at = out.at
      parts.forEach((p, j) => {
        memory.bytes(at, 64 * p.length).set(memory.bytes(sources[j]!, 64 * p.length))
        at += 64 * p.length
      })
      return out
    },
    fixedBases(bases, c): FixedBases {
      const own = kernel.slice(bases, 0, bases.length)
      const windows = windowsFor(SCALAR_BITS - 1, c)
      const half = 2 ** (c - 1)
      const size = 64 * windows * half
      const table = new WasmBlock(memory, bases.length, size)
      const made = new Set<number>()
      const prepare = (j: number) => {
        if (made.has(j)) return
        wasm.buildTable(table.at + j * size, get(own) + 64 * j, c, windows, work, CAP)
        made.add(j)
      }
      const combine = (scalars: readonly Uint8Array[]) => {
        if (scalars.length !== own.length)
          throw new EnigmaError('LENGTH_MISMATCH', `${scalars.length} scalars for ${own.length} bases`)
        for (const j of scalars.keys()) prepare(j)
        const n = scalars[0]!.length / 32
        const out = create(n)
        const block = Math.min(n, FIXED_BLOCK)
        const slots = windows * own.length
        let lanes = 1
        while (block * lanes < FIXED_WIDTH && lanes < 32) lanes *= 2
        if (n > 0)
          withMemory(32 * block, (staging) =>
            withMemory(2 * block * slots, (digits) =>
              withMemory(64 * block * lanes, (acc) => {
                for (let i = 0; i < n; i += block) {
                  const m = Math.min(block, n - i)
                  scalars.forEach((s, j) => {
                    memory.bytes(staging, 32 * m).set(s.subarray(32 * i, 32 * (i + m)))
                    wasm.recode(digits + 2 * m * windows * j, staging, m, c, windows)
                  })
                  wasm.fixedBase(out.at + 64 * i, digits, slots, m, table.at, half, lanes, acc, work, CAP)
                }
              }),
            ),
          )
        return out
      }
      return { prepare, combine }
    },
  }
  return kernel
}
