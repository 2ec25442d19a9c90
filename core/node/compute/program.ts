import { EnigmaError } from '../../base/errors.ts'
import { functionByHash } from '../../circuits/functions.ts'
import type { BuiltinFunction, BuiltProgram } from '../../circuits/types.ts'
import type { Hex } from '../../ledger/types.ts'
import type { JobFacts } from './attempt.ts'

/** The function a request names by code hash; UNSUPPORTED when this version of the node has no such function. */
export function functionOf(codeHash: Hex): BuiltinFunction {
  const fn = functionByHash(codeHash)
  if (fn === undefined)
    throw new EnigmaError('UNSUPPORTED', `this node knows no function with the code hash ${codeHash}`)
  return fn
}

/** Parameters as they stand on the ledger; an empty object when they are not JSON, for the function to refuse. */
export function readParams(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return {}
  }
}

/** The circuit of an open job: the same on every node. Throws UNSUPPORTED, CIRCUIT_INPUT. */
export function buildJob(
  facts: Pick<JobFacts, 'params'> & {
    readonly job: Pick<JobFacts['job'], 'functionId'>
    readonly references: readonly { readonly length: number }[]
  },
): BuiltProgram {
  const fn = functionOf(facts.job.functionId)
  const params = fn.parseParams(readParams(facts.params))
  const shapes = facts.references.map((r) => r.length)
  fn.checkShapes(params, shapes)
  return fn.build(params, shapes)
}
