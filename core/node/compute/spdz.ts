import { runCircuit } from '../../circuits/run.ts'
import type { BuiltProgram } from '../../circuits/types.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import type { FieldVector } from '../../field/types.ts'
import { materialFor, spdzEngine } from '../../spdz/engine.ts'
import { authenticate } from '../../spdz/input.ts'
import { outputShares } from '../../spdz/output.ts'
import { joinSpdz } from '../../spdz/party.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import type { Preprocessing } from '../preprocessing.ts'
import type { AdditiveInputs } from './resharing.ts'

export interface SpdzRun {
  /** Names the sessions of this attempt. */
  readonly id: string
  readonly jobId: string
  /** In the order of the plan: member i's inputs come with commitments[i]. */
  readonly committee: readonly NodeId[]
  readonly built: BuiltProgram
  readonly inputs: AdditiveInputs
  /** Lengths of the references, in order. */
  readonly lengths: readonly number[]
  /** What all members must agree on before they start. */
  readonly context: Uint8Array
  readonly roundTimeoutMs: number
  readonly signal: AbortSignal
  readonly onPhase: (phase: 'preparing' | 'inputs' | 'computing', done: number, total: number) => void
}

/**
 * One member's side of a job under SPDZ: material, inputs bound to the owners' commitments, program, checks. Returns this
 * member's part of the result for the requester. Codes: those of `SpdzParty` and of `Preprocessing.prepare`.
 */
export async function runSpdz(
  context: NodeContext,
  preprocessing: Preprocessing,
  run: SpdzRun,
): Promise<FieldVector> {
  const { transport } = context
  const { id, committee, built, inputs, signal } = run
  // The same order whoever leads: material of one committee serves all its jobs.
  const parties = [...committee].sort()
  run.onPhase('preparing', 0, 1)
  const material = await preprocessing.prepare({
    id,
    jobId: run.jobId,
    parties,
    amounts: materialFor(built.circuit),
    signal,
    onProgress: (share) => run.onPhase('preparing', share, 1),
  })
  run.onPhase('inputs', 1, 1)
  const session = await transport.openSession(
    `${id}/spdz`,
    parties.filter((party) => party !== transport.self),
    { signal },
  )
  const party = await joinSpdz({
    field,
    session,
    parties,
    material,
    roundTimeoutMs: run.roundTimeoutMs,
    signal,
    context: run.context,
  })
  try {
    const all = await authenticate(party, {
      values: inputs.values,
      masks: inputs.masks,
      commitments: parties.map((member) => inputs.commitments[committee.indexOf(member)]!),
    })
    const engine = spdzEngine(party, material)
    let at = 0
    const slots = run.lengths.map((length) => {
      const slot = engine.slice(all, at, at + length)
      at += length
      return slot
    })
    const result = await runCircuit(engine, built.circuit, slots, {
      params: built.params,
      signal,
      onProgress: ({ layer, layers }) => run.onPhase('computing', layer, layers),
    })
    const out = await outputShares(party, material, result)
    for (const share of [all, ...slots, result]) engine.free(share)
    await party.close()
    return out
  } catch (error) {
    await party.close(error)
    throw error
  } finally {
    material.macKey.free()
  }
}
