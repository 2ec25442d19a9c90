import { keccak_256 } from '@noble/hashes/sha3.js'
import { auditedMaterial } from '../../audit/layout.ts'
import { AuditAborted, runAudited } from '../../audit/prover.ts'
import { encodeTranscript } from '../../audit/transcript.ts'
import type { AuditVerdict, Transcript } from '../../audit/types.ts'
import { fromHex, toHex, utf8 } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { minute } from '../../base/units.ts'
import type { BuiltProgram } from '../../circuits/types.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import type { FieldVector } from '../../field/types.ts'
import { evidenceDigest } from '../../ledger/evidence.ts'
import type { Hex } from '../../ledger/types.ts'
import type { Amounts } from '../../preprocessing/types.ts'
import { runResumable } from '../../spdz/resumable.ts'
import type { NodeId, Session } from '../../transport/types.ts'
import type { Preprocessing } from '../preprocessing.ts'
import { signerUnder } from './audit-service.ts'
import { commitInThreads, verifyInThread } from './audit-threads.ts'
import type { Failed, PartyHost, PartyOptions, Phase } from './party-service.ts'
import type { AdditiveInputs } from './resharing.ts'

const LEDGER_TIMEOUT_MS = 1 * minute

export interface SpdzModules extends Pick<PartyOptions, 'self' | 'deployment'> {
  readonly host: PartyHost
  readonly preprocessing: Preprocessing
  openSession(id: string, peers: readonly NodeId[]): Promise<Session>
  progress(phase: Phase, done: number, total: number): void
}

export interface SpdzRun {
  readonly audited: boolean
  /** Names the sessions of this attempt. */
  readonly id: string
  readonly jobId: Hex
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
}

export interface SpdzResult {
  /** This member's part for the requester: see `outputShares`; in audited jobs the masks of its commitments follow. */
  readonly output: FieldVector
  /** Encoded; only of audited jobs. */
  readonly transcript?: Uint8Array
}

/**
 * One member's side of a job under SPDZ: material, inputs bound to the owners' commitments, program, checks. Returns this
 * member's part of the result for the requester, or how an audited run failed. Codes otherwise: those of `SpdzParty` and of
 * `Preprocessing.prepare`.
 */
export function runSpdz(modules: SpdzModules, run: SpdzRun): Promise<SpdzResult | Failed> {
  return modules.preprocessing.exclusively(run.id, () => runMember(modules, run))
}

async function runMember(modules: SpdzModules, run: SpdzRun): Promise<SpdzResult | Failed> {
  const { self, preprocessing, host, progress } = modules
  const { id, committee, built, inputs, signal } = run
  // The same order whoever leads: material of one committee serves all its jobs.
  const parties = [...committee].sort()
  const others = parties.filter((party) => party !== self)
  const openSession = (name: string) => modules.openSession(`${id}/${name}`, others)
  const ordered = {
    values: inputs.values,
    masks: inputs.masks,
    commitments: parties.map((member) => inputs.commitments[committee.indexOf(member)]!),
  }
  const prepare = (name: string, amounts: Amounts) => {
    progress('preparing', 0, 1)
    return preprocessing.prepare({
      id: name === '' ? id : `${id}/${name}`,
      ...{ jobId: run.jobId, run: id, parties, amounts, signal },
      onProgress: (share) => progress('preparing', share, 1),
    })
  }
  if (!run.audited) {
    const output = await runResumable({
      ...{ field, parties, program: built, inputs: ordered, context: run.context, signal, openSession },
      index: parties.indexOf(self),
      prepare: async (name, amounts) => (await prepare(name, amounts)).source,
      roundTimeoutMs: run.roundTimeoutMs,
      onInputs: () => progress('computing', 0, 0),
      onProgress: ({ layer, layers }) => progress('computing', layer, layers),
      onResume: (layer) => void host.resumed(id, layer ?? 'inputs').catch(() => undefined),
    })
    return { output }
  }
  const { source: material, ranges } = await prepare('', auditedMaterial(built.circuit))
  // Material is claimed once: no two runs of this node have the same.
  const nonce = toHex(keccak_256(utf8(JSON.stringify([material.epoch.id, ranges])))) as Hex
  let layers = 0
  const prove = async (transcript: Transcript) =>
    verifyInThread(transcript, await host.facts(run.jobId, named(transcript), transcript.parties))
  try {
    await host.began(id, nonce)
    const session = await openSession('spdz')
    const auditSession = await openSession('audit').catch(async (error) => {
      await session.close()
      throw error
    })
    const { output, outputMasks, transcript } = await runAudited({
      ...{ field, parties, material, program: built, inputs: ordered, signal, session, auditSession },
      originals: run.originals,
      jobId: fromHex(run.jobId, 32),
      nonce: fromHex(nonce, 32),
      context: run.context,
      commit: commitInThreads,
      sign: (structHash) => host.sign(evidenceDigest(modules.deployment, structHash)),
      signer: signerUnder(modules.deployment),
      ledger: host,
      roundTimeoutMs: run.roundTimeoutMs,
      ledgerTimeoutMs: LEDGER_TIMEOUT_MS,
      onRound: (round) => host.round(id, round),
      onPhase: (phase, at) => {
        layers = at?.layers ?? layers
        if (phase === 'computing') progress('computing', at?.layer ?? 0, layers)
        else if (phase === 'closing') progress('computing', layers, layers)
        else progress('preparing', 1, 1)
      },
    })
    // Before this node vouches for it.
    const verdict = await prove(transcript)
    if (!verdict.valid) {
      for (const v of [output, outputMasks]) v.free()
      return failed(unproven(verdict), verdict)
    }
    const joined = field.concat([output, outputMasks])
    output.free()
    outputMasks.free()
    return { output: joined, transcript: encodeTranscript(transcript) }
  } catch (error) {
    if (!(error instanceof AuditAborted)) return failed(error)
    // Its transcript so far may name whoever opened something else than it had committed to.
    const verdict = await prove(error.transcript).catch(() => undefined)
    return failed(error, verdict?.valid === false ? verdict : undefined)
  } finally {
    material.macKey.free()
  }
}

function named({ jobId, nonce, anchor }: Transcript): Pick<Transcript, 'jobId' | 'nonce' | 'anchor'> {
  return { jobId, nonce, anchor }
}

function failed(error: unknown, verdict?: AuditVerdict & { valid: false }): Failed {
  return { failure: EnigmaError.from(error).toObject(), ...(verdict && { verdict }) }
}

function unproven({ reason }: AuditVerdict & { valid: false }): EnigmaError {
  return new EnigmaError('MPC_ABORTED', `the run proves nothing: ${reason}`, { details: { reason: 'AUDIT' } })
}
