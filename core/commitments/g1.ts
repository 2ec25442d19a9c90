import { wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { bn254Scalar } from '../field/fields.ts'
import type { FieldVector } from '../field/types.ts'
import { createCurveKernel } from '../kernel/curve.ts'
import { bigintsToWords } from '../kernel/instance.ts'
import type { CurveKernel } from '../kernel/types.ts'
import type { PointGroup, PointVector } from './types.ts'

/** p, the prime of BN254's coordinates (EIP-196). */
export const BN254_PRIME = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
export const BN254_B = 3n

const POINT = 64
const COMPRESSED = 32

/** The kernel behind `g1`, for the tables of fixed bases. */
export const g1Kernel: CurveKernel = createCurveKernel({ modulus: BN254_PRIME, b: BN254_B })

function createG1(kernel: CurveKernel): PointGroup {
  const common = (a: PointVector, b: PointVector): number => {
    if (a.length === b.length || b.length === 1) return a.length
    if (a.length === 1) return b.length
    throw new EnigmaError('LENGTH_MISMATCH', `points of lengths ${a.length} and ${b.length}`)
  }
  const same = (a: number, b: number) => {
    if (a !== b) throw new EnigmaError('LENGTH_MISMATCH', `lengths ${a} and ${b}`)
  }
  const whole = (bytes: Uint8Array, size: number) => {
    if (bytes.length % size !== 0)
      throw new EnigmaError(
        'LENGTH_MISMATCH',
        `${bytes.length} bytes are not a whole number of points of ${size}`,
      )
    return bytes
  }
  const withScalars = <T>(factors: FieldVector, fn: (bytes: Uint8Array) => T): T => {
    const bytes = bn254Scalar.toBytes(factors)
    try {
      return fn(bytes)
    } finally {
      wipe(bytes)
    }
  }

  return {
    byteLength: POINT,
    compressedLength: COMPRESSED,
    zeros: (n) => kernel.zeros(n),
    fromBytes: (bytes) => kernel.fromUncompressed(whole(bytes, POINT)),
    toBytes: (v) => kernel.toUncompressed(v),
    fromCompressed: (bytes) => kernel.fromCompressed(whole(bytes, COMPRESSED)),
    toCompressed: (v) => kernel.toCompressed(v),
    add: (a, b) => kernel.add(a, b, common(a, b)),
    sub: (a, b) => kernel.add(a, b, common(a, b), true),
    scale(a, factor) {
      const reduced = bn254Scalar.scalar.reduce(factor)
      return kernel.scale(a, bigintsToWords([reduced]), reduced.toString(2).length)
    },
    scaleEach(a, factors) {
      same(a.length, factors.length)
      return withScalars(factors, (bytes) => kernel.scale(a, bytes, 254))
    },
    sum: (a) => kernel.sum(a),
    msm(points, scalars, bits = 254) {
      same(points.length, scalars.length)
      return withScalars(scalars, (bytes) => kernel.msm(points, bytes, bits))
    },
    equal(a, b) {
      same(a.length, b.length)
      return kernel.equal(a, b)
    },
    differences(a, b) {
      same(a.length, b.length)
      return kernel.differences(a, b)
    },
    isZero(v) {
      const zero = kernel.zeros(v.length)
      try {
        return kernel.equal(v, zero)
      } finally {
        zero.free()
      }
    },
    slice(a, from, to) {
      if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= a.length))
        throw new EnigmaError('INVALID_ARGUMENT', `no slice ${from}…${to} of ${a.length} points`)
      return kernel.slice(a, from, to)
    },
    set(a, at, part) {
      if (!(Number.isInteger(at) && 0 <= at && at + part.length <= a.length))
        throw new EnigmaError('INVALID_ARGUMENT', `no ${part.length} points from ${at} on in ${a.length}`)
      kernel.set(a, at, part)
    },
    concat: (parts) => kernel.concat(parts),
  }
}

/** BN254 G1: order r (the modulus of `bn254Scalar`), cofactor 1, so every point on the curve is in the group. */
export const g1: PointGroup = createG1(g1Kernel)
