import { EnigmaError } from '../base/errors.ts'
import { analyse } from '../circuits/analyse.ts'
import { runCircuit } from '../circuits/run.ts'
import type { Circuit, RunOptions } from '../circuits/types.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { shamirEngine } from './engine.ts'
import type { ShamirParty } from './types.ts'

/**
 * Runs a program over this party's input shares (one vector per slot, degree t) and returns its share of all
 * outputs concatenated, refreshed with a new sharing of zero: the requester learns the outputs and nothing of
 * how they were computed. Layers of products take one round each; intermediate vectors are freed after their
 * last use, the inputs are left to the caller. Throws CIRCUIT_INPUT, CANCELLED and the codes of `ShamirParty`.
 */
export async function runProgram(
  party: ShamirParty,
  circuit: Circuit,
  inputs: readonly FieldVector[],
  options: RunOptions = {},
): Promise<FieldVector> {
  const output = await runCircuit(shamirEngine(party.field, party), circuit, inputs, options)
  try {
    return await party.refresh(output)
  } finally {
    output.free()
  }
}

/**
 * Runs a program without secret products by one party alone: no session, so any t + 1 parties suffice for the
 * output and nobody waits for a lost one. The output is not refreshed: over fresh input sharings its
 * polynomials are the same linear images of uniform coefficients that the outputs are of the inputs, and so
 * reveal only the outputs. Throws CIRCUIT_INVALID when the program multiplies secrets, CIRCUIT_INPUT, CANCELLED.
 */
export async function runLinearProgram(
  field: PrimeField,
  circuit: Circuit,
  inputs: readonly FieldVector[],
  options: RunOptions = {},
): Promise<FieldVector> {
  if (!isLinear(circuit))
    throw new EnigmaError('CIRCUIT_INVALID', 'the program multiplies secrets and needs a committee session')
  return runCircuit(shamirEngine(field, undefined), circuit, inputs, options)
}

/** Whether a program runs without any communication. */
export function isLinear(circuit: Circuit): boolean {
  return (
    analyse(circuit).layers.length === 1 &&
    circuit.nodes.every((node) => node.op !== 'bits' && node.op !== 'random')
  )
}
