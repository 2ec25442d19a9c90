import { describe, expect, it } from 'vitest'
import type { AuditedResult } from '../../../core/audit/prover.ts'
import { decodeTranscript, encodeTranscript } from '../../../core/audit/transcript.ts'
import type { AuditVerdict } from '../../../core/audit/types.ts'
import { checkOutput, verifyTranscript } from '../../../core/audit/verify.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import { auditedRun, field, resultOf, transcriptOf } from './committee.ts'
import { mixed, mixedResult } from './programs.ts'

const X = [5n, 0n, 7n, 1n << 40n]
const Y = [3n, 11n, 0n, 2n]

describe.each([2, 3])('an audited run of %i parties', (n) => {
  it('gives the result, and a transcript that verifies', async () => {
    const run = await auditedRun(n, mixed(), [X, Y])
    const transcript = transcriptOf(run)
    const verdict = await verifyTranscript(transcript, run.facts)
    expect(verdict).toMatchObject({ valid: true })
    const result = resultOf(run, verdict as AuditVerdict & { valid: true })
    expect(result).toEqual(mixedResult(X, Y, field.modulus))
    // All parties have the same transcript, and it survives its encoding.
    const encodings = run.outcomes.map(
      (o) => o.status === 'fulfilled' && encodeTranscript(o.value.transcript),
    )
    for (const e of encodings) expect(e).toEqual(encodings[0])
    const decoded = decodeTranscript(encodings[0] as Uint8Array)
    expect(await verifyTranscript(decoded, run.facts)).toEqual(verdict)
  })

  it('verifies as well when its rounds take several batches of products', async () => {
    const run = await auditedRun(n, mixed(), [X, Y], { party: () => ({ batch: 3 }) })
    const verdict = await verifyTranscript(transcriptOf(run), run.facts)
    expect(verdict).toMatchObject({ valid: true })
    expect(resultOf(run, verdict as AuditVerdict & { valid: true })).toEqual(mixedResult(X, Y, field.modulus))
  })

  it('runs a statistic', async () => {
    const fn = builtin('variance')
    const params = fn.parseParams({})
    const lists = [[5n], [7n, 11n, 2n]].map((l) => l.map((v) => v * 1_000_000n))
    const program = fn.build(params, [1, 3])
    const run = await auditedRun(n, program, lists)
    const verdict = await verifyTranscript(transcriptOf(run), run.facts)
    if (!verdict.valid) throw new Error(verdict.reason)
    const result = resultOf(run, verdict)
    expect(result).toEqual(evaluate(program.circuit, field.modulus, lists))
    const masks = run.outcomes.map((o) => (o as PromiseFulfilledResult<AuditedResult>).value.outputMasks)
    const opened = {
      values: field.fromBigints(result),
      masks: field.linear(
        masks.map(() => 1n),
        masks,
      ),
    }
    expect(checkOutput(verdict, opened)).toBe(true)
    expect(checkOutput(verdict, { ...opened, values: field.fromBigints(result.map((v) => v + 1n)) })).toBe(
      false,
    )
  })
})

it('parties whose endpoints show different blocks end the run, and suspect nobody', async () => {
  const run = await auditedRun(3, mixed(), [X, Y], {
    timeoutMs: 5000,
    party: (i, { ledger }) =>
      i === 0 ? { ledger: { ...ledger, confirm: async () => new Uint8Array(32).fill(1) } } : {},
  })
  for (const { reason } of run.outcomes as PromiseRejectedResult[]) {
    expect(reason).toMatchObject({ code: 'MPC_ABORTED' })
    expect(['ECHO', 'TOLD']).toContain(reason.details.reason)
  }
})
