import * as z from 'zod'
import { EnigmaError } from '../../base/errors.ts'
import type { CircuitBuilder } from '../builder.ts'
import { FIXED_LIMIT, MAX_SLOTS, MAX_VALUES } from '../constants.ts'
import { centered, formatFixed, parseFixed } from '../fixed.ts'
import type { NodeRef, Shapes } from '../types.ts'

/** A decimal parameter, normalised so that equal numbers hash alike. */
export const decimal = z
  .string()
  .max(130)
  .transform((text, context) => {
    try {
      return formatFixed(parseFixed(text))
    } catch (error) {
      context.addIssue({ code: 'custom', message: EnigmaError.from(error).message })
      return z.NEVER
    }
  })

export const decimals = z.array(decimal).min(1).max(MAX_VALUES)

export const noParams = z.strictObject({})

/** Validates parameters; CIRCUIT_INPUT names the first field that is wrong. */
export function parseWith<P>(schema: z.ZodType<P>, value: unknown): P {
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || 'parameters'
  throw new EnigmaError('CIRCUIT_INPUT', `${field}: ${issue?.message ?? 'invalid'}`, { details: { field } })
}

export const inputError = (message: string) => new EnigmaError('CIRCUIT_INPUT', message)

/** Values of all references together; throws CIRCUIT_INPUT on empty or too many. */
export function total(shapes: Shapes, atLeast = 1): number {
  if (shapes.length === 0) throw inputError('no reference is named')
  if (shapes.length > MAX_SLOTS)
    throw inputError(`a request names at most ${MAX_SLOTS} references, not ${shapes.length}`)
  let sum = 0
  shapes.forEach((length, i) => {
    if (!Number.isSafeInteger(length) || length < 1) throw inputError(`reference ${i} holds no values`)
    sum += length
  })
  if (sum > MAX_VALUES) throw inputError(`a request uses at most ${MAX_VALUES} values, not ${sum}`)
  if (sum < atLeast) throw inputError(`the function needs at least ${atLeast} values`)
  return sum
}

/** One input slot per reference, in order, then their concatenation. */
export function allInputs(builder: CircuitBuilder, shapes: Shapes): NodeRef {
  return builder.concat(shapes.map((length) => builder.input(length)))
}

/**
 * The opened integers, centered, each at most `bound` in magnitude. A larger one can only come from a share of
 * something that was never an encoded value (VALUE_RANGE).
 */
export function integers(output: readonly bigint[], count: number, modulus: bigint, bound: bigint): bigint[] {
  if (output.length !== count)
    throw new EnigmaError('LENGTH_MISMATCH', `the function has ${count} outputs, not ${output.length}`)
  return output.map((element) => {
    const value = centered(element, modulus)
    if (value > bound || value < -bound)
      throw new EnigmaError('VALUE_RANGE', 'the result is out of range: an input was not a valid number')
    return value
  })
}

/** Largest magnitude of a sum of `count` encoded values, each times a factor up to `factor`. */
export const boundOf = (count: number, factor = 1n) => BigInt(count) * factor * FIXED_LIMIT

export const everyone = (shapes: Shapes): number[] => shapes.map((_, i) => i)
