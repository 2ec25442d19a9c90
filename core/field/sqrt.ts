import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import type { FieldVector, PrimeField } from './types.ts'

/**
 * A square root of every element, the same on every machine (Tonelli–Shanks, all elements in step). Throws
 * FIELD_NOT_INVERTIBLE when an element is zero or no square. For public values: what is compared shows in the timing of
 * nothing, but the vectors stay in kernel memory until they are collected.
 */
export async function squareRoots(field: PrimeField, squares: FieldVector): Promise<FieldVector> {
  const p = field.modulus
  let order = 0
  while (((p - 1n) >> BigInt(order)) % 2n === 0n) order++
  const odd = (p - 1n) >> BigInt(order)
  const { mul } = field.scalar
  const power = (base: bigint, exponent: bigint) => {
    let [result, square] = [1n, base]
    for (let e = exponent; e > 0n; e >>= 1n) {
      if (e & 1n) result = mul(result, square)
      square = mul(square, square)
    }
    return result
  }
  let nonSquare = 2n
  while (power(nonSquare, (p - 1n) / 2n) === 1n) nonSquare++
  let c = power(nonSquare, odd)

  // w = s^((odd − 1)/2), y = s·w, z = y·w = s^odd.
  const w = await powered(field, squares, (odd - 1n) / 2n)
  let y = field.mul(squares, w)
  let z = field.mul(y, w)
  w.free()
  for (let k = order; k >= 2; k--) {
    let test = field.slice(z, 0, z.length)
    for (let i = 0; i < k - 2; i++) test = replace(test, field.mul(test, test))
    const wrong = differsFromOne(field, test)
    test.free()
    const square = mul(c, c)
    y = replace(y, times(field, y, wrong, c))
    z = replace(z, times(field, z, wrong, square))
    c = square
    await turn()
  }
  const check = field.mul(y, y)
  const right = field.equal(check, squares) && !field.toBigints(squares).includes(0n)
  check.free()
  z.free()
  if (right) return y
  y.free()
  throw new EnigmaError('FIELD_NOT_INVERTIBLE', 'a value is no square other than zero')
}

function replace(old: FieldVector, next: FieldVector): FieldVector {
  old.free()
  return next
}

async function powered(field: PrimeField, base: FieldVector, exponent: bigint): Promise<FieldVector> {
  let result = field.slice(base, 0, base.length)
  for (let bit = BigInt(exponent.toString(2).length) - 2n; bit >= 0n; bit--) {
    result = replace(result, field.mul(result, result))
    if ((exponent >> bit) & 1n) result = replace(result, field.mul(result, base))
    await turn()
  }
  return result
}

/** 1 where an element is not one. */
function differsFromOne(field: PrimeField, v: FieldVector): Uint32Array {
  const bytes = field.toBytes(v)
  const out = new Uint32Array(v.length)
  for (let i = 0; i < v.length; i++) {
    const at = i * field.byteLength
    out[i] = bytes[at] === 1 && bytes.subarray(at + 1, at + field.byteLength).every((b) => b === 0) ? 0 : 1
  }
  return out
}

/** v_i·factor where chosen, else v_i. */
function times(field: PrimeField, v: FieldVector, chosen: Uint32Array, factor: bigint): FieldVector {
  const choices = field.fromBigints([1n, factor])
  const factors = field.gather(choices, chosen)
  const product = field.mul(v, factors)
  choices.free()
  factors.free()
  return product
}
