import { keccak_256 } from '@noble/hashes/sha3.js'
import { auditedMaterial } from '../../audit/layout.ts'
import { runAudited } from '../../audit/prover.ts'
import { encodeTranscript } from '../../audit/transcript.ts'
import type { CheatEvidence } from '../../audit/types.ts'
import { fromHex, toHex, utf8 } from '../../base/bytes.ts'
import { minute } from '../../base/units.ts'
import type { BuiltProgram } from '../../circuits/types.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import type { FieldVector } from '../../field/types.ts'
import type { Hex } from '../../ledger/types.ts'
import type { Amounts } from '../../preprocessing/types.ts'
import { runResumable } from '../../spdz/resumable.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NodeContext } from '../context.ts'
import type { Preprocessing } from '../preprocessing.ts'
import { anchoring, nameCulprit, requireProof, statements } from './audit.ts'
import { commitInThreads } from './audit-threads.ts'
import type { AdditiveInputs } from './resharing.ts'
import type { Witness } from './witness.ts'

const LEDGER_TIMEOUT_MS = 1 * minute

export interface SpdzResult {
  /** This member's part for the requester: see `outputShares`; in audited jobs the masks of its commitments follow. */
  readonly output: FieldVector
  /** Encoded; only of audited jobs. */
  readonly transcript?: Uint8Array
}

export interface SpdzRun {
  readonly audited: boolean

  /** Names the sessions of this attempt. */
  readonly id: string
  readonly jobId: string
  /** In the order of the plan: member i's inputs come with commitments[i]. */
  readonly committee: readonly NodeId[]
  readonly built: BuiltProgram
  readonly inputs: AdditiveInputs
  /** The owners' commitments of every reference, encoded. */
  readonly originals: readonly Uint8Array[]
  /** What all members must agree on before they start. */
  readonly context: Uint8Array
  readonly roundTimeoutMs: number
  readonly signal: AbortSignal
  /** Of an audited job, before it runs: what names the run beside the job. */
  readonly onRun: (nonce: Hex) => void
  readonly onPhase: (phase: 'preparing' | 'inputs' | 'computing', done: number, total: number) => void
}

/**
 * One member's side of a job under SPDZ: material, inputs bound to the owners' commitments, program, checks. Returns this
 * member's part of the result for the requester. Codes: those of `SpdzParty` and of `Preprocessing.prepare`.
 */
export function runSpdz(
  context: NodeContext,
  parts: { preprocessing: Preprocessing; witness: Witness },
  run: SpdzRun,
): Promise<SpdzResult> {
  return parts.preprocessing.exclusively(run.id, () => runMember(context, parts, run))
}

async function runMember(
  context: NodeContext,
  { preprocessing, witness }: { preprocessing: Preprocessing; witness: Witness },
  run: SpdzRun,
): Promise<SpdzResult> {
  const { transport } = context
  const { id, committee, built, inputs, signal } = run
  // The same order whoever leads: material of one committee serves all its jobs.
  const parties = [...committee].sort()
  const others = parties.filter((party) => party !== transport.self)
  const ordered = {
    values: inputs.values,
    masks: inputs.masks,
    commitments: parties.map((member) => inputs.commitments[committee.indexOf(member)]!),
  }
  const prepare = (name: string, amounts: Amounts) => {
    run.onPhase('preparing', 0, 1)
    return preprocessing.prepare({
      id: name === '' ? id : `${id}/${name}`,
      ...{ jobId: run.jobId, run: id, parties, amounts, signal },
      onProgress: (share) => run.onPhase('preparing', share, 1),
    })
  }
  if (!run.audited) {
    const output = await runResumable({
      ...{ field, parties, program: built, inputs: ordered, context: run.context, signal },
      index: parties.indexOf(transport.self),
      openSession: (name) => transport.openSession(`${id}/${name}`, others, { signal }),
      prepare: async (name, amounts) => (await prepare(name, amounts)).source,
      roundTimeoutMs: run.roundTimeoutMs,
      onInputs: () => run.onPhase('inputs', 1, 1),
      onProgress: ({ layer, layers }) => run.onPhase('computing', layer, layers),
      onResume: (layer) =>
        context.log.info('run taken up again', { job: run.jobId, from: layer ?? 'inputs' }),
    })
    return { output }
  }
  const { source: material, ranges } = await prepare('', auditedMaterial(built.circuit))
  run.onPhase('inputs', 1, 1)
  // Material is claimed once: no two runs of this node have the same.
  const nonce = toHex(keccak_256(utf8(JSON.stringify([material.epoch.id, ranges]))))
  run.onRun(nonce)
  const named = { jobId: run.jobId as Hex, nonce }
  const report = (evidence: CheatEvidence) => witness.report(evidence, committee)
  const session = await transport.openSession(`${id}/spdz`, others, { signal })
  const auditSession = await transport.openSession(`${id}/audit`, others, { signal })
  try {
    const { output, outputMasks, transcript } = await runAudited({
      ...{ field, auditSession, session, parties, material, program: built, inputs: ordered, signal },
      ...statements(context.ledger.deployment, context.nodeKey),
      originals: run.originals,
      jobId: fromHex(run.jobId, 32),
      nonce: fromHex(nonce, 32),
      context: run.context,
      commit: commitInThreads,
      ledger: anchoring(context.ledger, context.nodeKey),
      roundTimeoutMs: run.roundTimeoutMs,
      ledgerTimeoutMs: LEDGER_TIMEOUT_MS,
      onRound: witness.views.recorder(named, parties),
      onPhase: (phase, progress) => {
        if (phase === 'computing') run.onPhase('computing', progress?.layer ?? 0, progress?.layers ?? 1)
        else run.onPhase(phase === 'closing' ? 'computing' : 'preparing', 1, 1)
      },
    })
    await requireProof(context.ledger, report, run.jobId as Hex, transcript)
    const joined = field.concat([output, outputMasks])
    output.free()
    outputMasks.free()
    return { output: joined, transcript: encodeTranscript(transcript) }
  } catch (error) {
    const culprit = await nameCulprit(context.ledger, report, named.jobId, error)
    throw await witness.examine(named, committee, culprit)
  } finally {
    material.macKey.free()
  }
}
