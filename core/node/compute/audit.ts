import { anchorKey } from '../../audit/challenge.ts'
import type { Anchor, AuditFacts, AuditVerdict, CheatEvidence, Transcript } from '../../audit/types.ts'
import { fromHex, toHex } from '../../base/bytes.ts'
import { systemClock } from '../../base/clock.ts'
import { EnigmaError, hasCode } from '../../base/errors.ts'
import { second } from '../../base/units.ts'
import { runId } from '../../commitments/rounds.ts'
import { LedgerClient } from '../../ledger/client.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { MemoryCursorStore, MemoryOutboxStore } from '../../ledger/stores.ts'
import type { Hex, JobRecord, ReferenceRecord, Signer } from '../../ledger/types.ts'
import type { NodeId } from '../../transport/types.ts'
import type { NetworkConfig } from '../types.ts'
import type { PlainFacts } from './audit-service.ts'
import { headingInThread, verifyInThread } from './audit-threads.ts'
import { packReferences } from './references.ts'

const ANCHOR_WAIT_MS = 45 * second
const ANCHOR_POLL_MS = 200

/** What reading the ledger needs; every node and the stand-alone verifier have it. */
type LedgerReader = Pick<
  Ledger,
  'deployment' | 'job' | 'jobInputs' | 'jobOutcome' | 'references' | 'getAsOf' | 'block'
>

/** Has the ledger told of a cheater; never throws. */
type Report = (evidence: CheatEvidence) => Promise<void>

export type AuditReport = AuditVerdict & {
  readonly jobId: Hex
  readonly job: JobRecord
  /** Who computed, as the transcript and the ledger say. */
  readonly committee: readonly NodeId[]
}

/** `AuditedRunOptions.ledger` over a ledger: the commitments' digest goes into the dictionary, under the run's key. */
export function anchoring(ledger: Ledger, signer: Signer) {
  return {
    async post(run: Uint8Array, digest: Uint8Array): Promise<Anchor> {
      const key = toHex(anchorKey(run)) as Hex
      const { blockNumber } = await ledger.set(signer, key, digest, { id: `anchor/${key}` })
      return {
        writer: signer.address as NodeId,
        block: blockNumber ?? (await ledger.confirmedBlock()).number,
      }
    },
    async confirm(run: Uint8Array, digest: Uint8Array, anchor: Anchor): Promise<Uint8Array> {
      // Another endpoint may be a block behind the one that has it.
      const until = Date.now() + ANCHOR_WAIT_MS
      let anchored = await readAnchor(ledger, run, anchor)
      while (anchored === undefined && Date.now() < until) {
        await systemClock.sleep(ANCHOR_POLL_MS)
        anchored = await readAnchor(ledger, run, anchor)
      }
      if (anchored === undefined || Buffer.compare(anchored.value, digest) !== 0)
        throw new EnigmaError('MPC_ABORTED', 'the commitments of the committee are not on the ledger', {
          details: { reason: 'ANCHOR' },
        })
      return anchored.blockHash
    },
  }
}

async function readAnchor(
  ledger: Pick<Ledger, 'getAsOf' | 'block'>,
  run: Uint8Array,
  { writer, block }: Anchor,
): Promise<AuditFacts['anchored']> {
  const [found, value] = await Promise.all([
    ledger.block(block),
    ledger.getAsOf(writer, toHex(anchorKey(run)) as Hex, block).catch((error: unknown) => {
      // A block that the chain does not have yet.
      if (hasCode(error, 'LEDGER_REVERTED')) return undefined
      throw error
    }),
  ])
  return found && value && { value, blockHash: fromHex(found.hash, 32) }
}

/** What the ledger says about a job and its transcript. Throws NOT_FOUND without such a job, and the codes of `Ledger`. */
export async function auditFacts(
  ledger: LedgerReader,
  jobId: Hex,
  transcript: Pick<Transcript, 'jobId' | 'nonce' | 'anchor'>,
  committee: readonly NodeId[],
): Promise<PlainFacts> {
  const job = await ledger.job(jobId)
  if (job === undefined) throw new EnigmaError('NOT_FOUND', `there is no job ${jobId}`)
  const { refs, params } = await ledger.jobInputs(jobId)
  const references = (await ledger.references(refs)).filter((r): r is ReferenceRecord => r !== undefined)
  if (references.length !== refs.length)
    throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint lacks a reference of the job')
  const run = runId(transcript.jobId, transcript.nonce)
  return {
    jobId: fromHex(jobId, 32),
    job: { functionId: job.functionId },
    params: params ?? new Uint8Array(),
    references: await packReferences(references),
    anchored: await readAnchor(ledger, run, transcript.anchor),
    committee,
    deployment: ledger.deployment,
  }
}

/**
 * Checks the transcript of a finished job against the ledger: needs no node and no secret. NOT_FOUND without such a job,
 * UNSUPPORTED for a job that was not to be audited, TRANSCRIPT_INVALID for bytes that are not the job's transcript.
 */
export async function auditJob(ledger: LedgerReader, jobId: Hex, encoded: Uint8Array): Promise<AuditReport> {
  const job = await ledger.job(jobId)
  if (job === undefined) throw new EnigmaError('NOT_FOUND', `there is no job ${jobId}`)
  if (job.protocol !== 'spdz-audited')
    throw new EnigmaError('UNSUPPORTED', 'the job was computed without a transcript that can be audited')
  const outcome = await ledger.jobOutcome(jobId)
  if (outcome === undefined)
    throw new EnigmaError('NOT_FOUND', `job ${jobId} has no result on the ledger`, {
      details: { state: job.state },
    })
  const heading = await headingInThread(encoded, outcome.transcriptDigest)
  const facts = await auditFacts(ledger, jobId, heading, outcome.signers as NodeId[])
  return { ...(await verifyInThread(encoded, facts)), jobId, job, committee: heading.parties }
}

/** `auditJob` over an endpoint alone. Codes: those of `auditJob` and of `Ledger.start`. */
export async function auditOver(
  network: Pick<NetworkConfig, 'rpc' | 'deployment' | 'confirmations'>,
  jobId: Hex,
  encoded: Uint8Array,
): Promise<AuditReport> {
  const { rpc: endpoints, deployment, confirmations } = network
  const ledger = new LedgerClient(
    { endpoints, deployment, confirmations },
    { cursors: new MemoryCursorStore(), outbox: new MemoryOutboxStore() },
  )
  try {
    await ledger.start()
    return await auditJob(ledger, jobId, encoded)
  } finally {
    await ledger.stop()
  }
}

/**
 * The error for a run whose transcript convicts a party: MPC_ABORTED (details.party, details.reason BAD_OPENING). The contract
 * hears of it where one statement is enough.
 */
export async function accusation(
  report: Report,
  parties: readonly NodeId[],
  culprit: NodeId,
  evidence: CheatEvidence | undefined,
): Promise<EnigmaError> {
  if (evidence !== undefined) await report(evidence)
  return new EnigmaError('MPC_ABORTED', `party ${culprit} opened something else than it had committed to`, {
    details: { party: culprit, index: parties.indexOf(culprit), reason: 'BAD_OPENING' },
  })
}
