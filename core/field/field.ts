import { wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { Prg } from '../base/random.ts'
import { bigintsToWords, wordsToBigints } from '../kernel/instance.ts'
import type { FieldKernel } from '../kernel/types.ts'
import { createWasmKernel } from '../kernel/wasm.ts'
import { createScalarField } from './scalar.ts'
import type { FieldVector, PrimeField } from './types.ts'

export interface FieldParameters {
  name: string
  /** An odd prime of 225 to 256 bits. */
  modulus: bigint
}

/** Bytes drawn for one random element: 128 bits more than the modulus has. */
const WIDE = 48
/** Elements drawn at a time, so that the temporary bytes stay few and are used again. */
const DRAW = 4096

/**
 * A prime field over a kernel (the WebAssembly one by default). Vectors belong to the field object that made them.
 * Throws INVALID_ARGUMENT for a vector of another field or one that was freed, and as types.ts says.
 *
 * Side channels: vector operations do not branch on values, beyond what core/kernel states; conversions from and
 * to bigint, and `scalar`, take time that depends on the values.
 */
export function createField(parameters: FieldParameters, kernel?: FieldKernel): PrimeField {
  const { name, modulus } = parameters
  const k = kernel ?? createWasmKernel(modulus)
  if (k.modulus !== modulus) throw new EnigmaError('INVALID_ARGUMENT', `the kernel is not for ${name}`)
  const scalar = createScalarField(modulus)

  const common = (...vectors: readonly FieldVector[]): number => {
    let n = 1
    let seenEmpty = false
    for (const v of vectors) {
      if (v.length === 1) continue
      if (v.length === 0) seenEmpty = true
      else if (n === 1) n = v.length
      else if (v.length !== n) throw mismatch(vectors)
    }
    if (!seenEmpty) return n
    if (n !== 1) throw mismatch(vectors)
    return 0
  }
  const checkWhole = (bytes: Uint8Array) => {
    if (bytes.length % 32 === 0) return bytes
    throw new EnigmaError('LENGTH_MISMATCH', `${bytes.length} bytes are not a whole number of elements of 32`)
  }
  const checkLength = (n: number) => {
    if (!Number.isSafeInteger(n) || n < 0) throw new EnigmaError('INVALID_ARGUMENT', `${n} is not a length`)
    return n
  }
  const checkRange = (v: FieldVector, from: number, to: number) => {
    if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= v.length))
      throw new EnigmaError('INVALID_ARGUMENT', `no slice ${from}…${to} of a vector of ${v.length}`)
  }

  return {
    name,
    modulus,
    byteLength: 32,
    scalar,

    zeros: (length) => k.zeros(checkLength(length)),
    fromBigints: (values) => k.fromBytes(bigintsToWords(values.map(scalar.reduce))),
    fromBytes: (bytes) => k.fromBytes(checkWhole(bytes)),
    fromMontgomery: (bytes) => k.fromMontgomery(checkWhole(bytes)),
    random(length, prg = new Prg()) {
      const out = k.zeros(checkLength(length))
      const drawn = new Uint8Array(WIDE * Math.min(length, DRAW))
      for (let at = 0; at < length; at += DRAW) {
        const n = Math.min(DRAW, length - at)
        const part = k.fromWide(prg.fill(drawn.subarray(0, WIDE * n)))
        k.copyInto(out, at, part, 0, n)
        part.free()
      }
      wipe(drawn)
      return out
    },

    toBigints(v) {
      const bytes = k.toBytes(v)
      const values = wordsToBigints(bytes)
      wipe(bytes)
      return values
    },
    toBytes: (v) => k.toBytes(v),
    toMontgomery: (v) => k.toMontgomery(v),

    add: (a, b) => k.add(a, b, common(a, b)),
    sub: (a, b) => k.sub(a, b, common(a, b)),
    neg(a) {
      const zero = k.zeros(1)
      try {
        return k.sub(zero, a, a.length)
      } finally {
        zero.free()
      }
    },
    mul: (a, b) => k.mul(a, b, common(a, b)),
    mulAdd: (a, b, c) => k.sumOfProducts([[a, b]], c, common(a, b, c)),
    sumOfProducts(terms, addend) {
      if (terms.length === 0) throw new EnigmaError('LENGTH_MISMATCH', 'a sum needs at least one product')
      return k.sumOfProducts(
        terms,
        addend,
        common(...terms.flat(), ...(addend === undefined ? [] : [addend])),
      )
    },
    scale: (a, factor) => k.linear([scalar.reduce(factor)], [a], a.length),
    inner: (a, b) => k.inner(a, b, common(a, b)),
    sum: (a) => k.sum(a),
    linear(factors, vectors) {
      if (factors.length !== vectors.length || vectors.length === 0)
        throw new EnigmaError('LENGTH_MISMATCH', `${factors.length} factors for ${vectors.length} vectors`)
      return k.linear(factors.map(scalar.reduce), vectors, common(...vectors))
    },
    inverse(a) {
      const out = k.inverse(a)
      if (out === undefined)
        throw new EnigmaError('FIELD_NOT_INVERTIBLE', 'an element is zero and has no inverse')
      return out
    },
    evaluate(coefficients, x) {
      if (coefficients.length === 0)
        throw new EnigmaError('LENGTH_MISMATCH', 'a polynomial needs at least one coefficient')
      return k.evaluate(coefficients, scalar.reduce(x), common(...coefficients))
    },
    equal: (a, b) => k.equal(a, b, common(a, b)),

    slice(a, from, to) {
      checkRange(a, from, to)
      return k.slice(a, from, to)
    },
    concat: (parts) => k.concat(parts),
    builder(length) {
      const out = k.zeros(checkLength(length))
      let at = 0
      return {
        append(part, from = 0, to = part.length) {
          checkRange(part, from, to)
          const end = at + to - from
          if (end > length)
            throw new EnigmaError('LENGTH_MISMATCH', `${end} elements for a vector of ${length}`)
          k.copyInto(out, at, part, from, to)
          at = end
        },
        done() {
          if (at === length) return out
          throw new EnigmaError('LENGTH_MISMATCH', `${at} of ${length} elements`)
        },
      }
    },
    gather(a, indices) {
      for (const i of indices)
        if (i >= a.length)
          throw new EnigmaError('INVALID_ARGUMENT', `no element ${i} in a vector of ${a.length}`)
      return k.gather(a, indices)
    },
  }
}

function mismatch(vectors: readonly FieldVector[]): EnigmaError {
  return new EnigmaError('LENGTH_MISMATCH', `vectors of lengths ${vectors.map((v) => v.length).join(', ')}`)
}
