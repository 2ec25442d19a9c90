import { createHash } from 'node:crypto'
import { layoutOf } from '../../core/audit/layout.ts'
import { decodeTranscript } from '../../core/audit/transcript.ts'
import type { AuditFacts } from '../../core/audit/types.ts'
import { openOutput, verifyTranscript } from '../../core/audit/verify.ts'
import { g1 } from '../../core/commitments/g1.ts'
import { commitVector } from '../../core/commitments/pedersen.ts'
import { bn254Scalar as field } from '../../core/field/fields.ts'
import { shareAdditively } from '../../core/sharing/additive.ts'
import { reconstructOutput } from '../../core/spdz/output.ts'
import { shareInputs, signer } from '../unit/audit/committee.ts'
import { type Figure, median, slowest } from './children.ts'
import { GATES, INPUTS, type JobInputs, type JobOutcome, jobProgram, LEDGER } from './job.ts'
import { spdzParties } from './spdz.ts'
import { loopFigure } from './turns.ts'

const PARTIES = 3
const RUNS = 5

/**
 * Verification per multiplication gate, of the whole transcript; and the time of an audited job over the same job without
 * an audit, every party a process of its own, connected by libp2p over the loopback interface, encrypted. Material is
 * made before, and the ledger answers at once. The slowest party counts; both kinds take turns, the median of five
 * ratios.
 */
export async function* auditBench(only = ''): AsyncGenerator<Figure> {
  if (!['audit.', 'loop.audit'].some((name) => name.startsWith(only) || only.startsWith(name))) return
  const program = jobProgram()
  const { originals, inputs, expected } = await dealInputs()
  const children = await spdzParties(PARTIES)
  const run = async (id: string, audited: boolean) => {
    await children.askEach((i) => ({ kind: 'prepare', job: { id, audited, inputs: inputs[i]! } }), 'met')
    return children.ask({ kind: 'run' }, 'done')
  }
  const verify: number[] = []
  const ratios: number[] = []
  const turns: { turnMs: number }[] = []
  try {
    for (let k = 0; k < RUNS; k++) {
      const done = await run(`audited-${k}`, true)
      turns.push(...done)
      const audited = done.map((d) => d.outcome)
      const plain = (await run(`plain-${k}`, false)).map((d) => d.outcome)
      ratios.push(slowest(audited) / slowest(plain))
      // A figure for a wrong result is none.
      const parts = plain.map(({ output }) => field.fromBytes(output))
      requireResult(field.toBigints(reconstructOutput(field, parts)), expected)
      verify.push(await verifySeconds(audited))
    }
  } finally {
    await children.stop()
  }
  const { triples } = layoutOf(program.circuit)
  yield {
    name: 'audit.verify.us_per_gate',
    value: Number(((median(verify) * 1e6) / triples).toFixed(1)),
    unit: 'us',
  }
  yield { name: 'audit.prove.ratio', value: Number(median(ratios).toFixed(1)), unit: 'x' }
  yield loopFigure('audit', turns)

  /** Of the transcript of a run, which must be valid and give the result. */
  async function verifySeconds(outcomes: readonly JobOutcome[]): Promise<number> {
    const audits = outcomes.map((o) => o.audit!)
    const transcript = decodeTranscript(audits[0]!.transcript)
    const facts: AuditFacts = {
      jobId: LEDGER.jobId,
      program,
      references: originals.map((encoded) => ({
        length: INPUTS,
        commitmentsDigest: createHash('sha256').update(encoded).digest(),
      })),
      anchored: { value: audits[0]!.posted!, blockHash: LEDGER.blockHash },
      committee: transcript.parties,
      signer,
    }
    const start = performance.now()
    const verdict = await verifyTranscript(transcript, facts)
    const seconds = (performance.now() - start) / 1000
    if (!verdict.valid) throw new Error(verdict.reason)
    const { outputs } = layoutOf(program.circuit)
    const sent = outcomes.map(({ output }, i) => ({
      parts: field.slice(field.fromBytes(output), 0, outputs),
      masks: field.fromBytes(audits[i]!.outputMasks),
    }))
    requireResult(field.toBigints(openOutput(verdict, transcript.parties, sent).values), expected)
    return seconds
  }
}

/** Inputs as their holders hand them to the committee, each party's; and the result. */
async function dealInputs(): Promise<{ originals: Uint8Array[]; inputs: JobInputs[]; expected: bigint }> {
  const numbers = Array.from({ length: INPUTS }, (_, i) => BigInt(i))
  const { originals, values, masks } = await shareInputs([numbers])
  const parts = shareAdditively(field, values, PARTIES)
  const maskParts = shareAdditively(field, masks, PARTIES)
  const commitments = parts.map((p, i) => g1.toBytes(commitVector(p, maskParts[i]!)))
  const inputs = parts.map((p, i) => ({
    values: field.toBytes(p),
    masks: field.toBytes(maskParts[i]!),
    commitments,
    originals,
  }))
  const squares = numbers.reduce((sum, x) => sum + x * x, 0n)
  return { originals, inputs, expected: BigInt(GATES / INPUTS) * squares }
}

function requireResult(result: readonly bigint[], expected: bigint): void {
  if (result.length !== 1 || result[0] !== expected) throw new Error('the result is wrong')
}
