import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, toHex, utf8 } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { logisticMean, logisticScore } from './builtin/logistic.ts'
import { countWhere, histogram, max, median, min, percentile, relativePosition } from './builtin/order.ts'
import { covariance, mean, sum, variance } from './builtin/statistics.ts'
import { linearScore, weightedMean } from './builtin/weighted.ts'
import { encodeCircuit } from './codec.ts'
import type { BuiltinFunction, BuiltProgram, FunctionId } from './types.ts'

/** The built-in functions (paper §5: what a request may name), in the order in which they are offered. */
export const FUNCTIONS = {
  sum,
  mean,
  weightedMean,
  variance,
  covariance,
  median,
  percentile,
  min,
  max,
  histogram,
  countWhere,
  relativePosition,
  linearScore,
  logisticScore,
  logisticMean,
} as const

/** A function by its id, whatever its parameters. Throws CIRCUIT_INPUT when there is none. */
export function builtin(id: string): BuiltinFunction {
  if (!Object.hasOwn(FUNCTIONS, id))
    throw new EnigmaError('CIRCUIT_INPUT', 'there is no function of that name')
  return FUNCTIONS[id as FunctionId] as BuiltinFunction
}

/**
 * The function's name in allow-lists of predicates and in requests on the ledger: keccak256 of its id and
 * version, the same for all parameters and shapes.
 */
export function functionHash(id: FunctionId): `0x${string}` {
  return toHex(keccak_256(utf8(`enigma/function/${id}/${FUNCTIONS[id].version}`)))
}

/** The function with this hash, if it is a built-in one. */
export function functionByHash(hash: string): BuiltinFunction | undefined {
  const id = (Object.keys(FUNCTIONS) as FunctionId[]).find((f) => functionHash(f) === hash.toLowerCase())
  return id && builtin(id)
}

/** Canonical JSON (sorted keys) of normalised parameters: the same bytes for the same call on every node. */
export function encodeParams(id: FunctionId, params: unknown): Uint8Array {
  const parsed = builtin(id).parseParams(params) as Record<string, unknown>
  return utf8(JSON.stringify(Object.fromEntries(Object.entries(parsed).sort(([a], [b]) => (a < b ? -1 : 1)))))
}

/** A function with exactly these parameters: for allow-lists that pin weights. */
export function callHash(id: FunctionId, params: unknown): `0x${string}` {
  return toHex(keccak_256(concatBytes(utf8(`${functionHash(id)}/`), encodeParams(id, params))))
}

/** 32 bytes over the program and its public parameters: the context that a committee agrees on before it starts. */
export function programDigest({ circuit, params }: BuiltProgram): Uint8Array {
  const code = keccak_256(encodeCircuit(circuit))
  const values = keccak_256(utf8(JSON.stringify(params.map((p) => p.map(String)))))
  return keccak_256(concatBytes(utf8('enigma/program/'), code, values))
}
