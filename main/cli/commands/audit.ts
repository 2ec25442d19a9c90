import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { EnigmaError } from '../../../core/ipc/index.ts'
import { type AuditReport, auditOver } from '../../../core/node/compute/audit.ts'
import { networkFile, readNetwork } from '../../host/network.ts'
import { fields } from '../output.ts'
import { action, type Session } from '../session.ts'

interface AuditOptions {
  transcript?: string
  network?: string
  rpc?: string
}

/** Exit status of a transcript that was read and does not prove the computation. */
const INVALID = 3

export function addAuditCommand(program: Command): void {
  program
    .command('audit')
    .description('check a computation from the ledger and its transcript: needs no password and no secret')
    .argument('<job>', 'job id on the ledger')
    .option(
      '--transcript <file>',
      'the transcript; without it the running node of the data directory fetches it',
    )
    .option('--network <file>', 'network settings (default: those of the data directory)')
    .option('--rpc <url>', 'another endpoint of the same chain')
    .addHelpText('after', '\nThe exit status is 0 when the computation is proven, 3 when it is not.\n')
    .action(
      action(async (session, id: string, options: AuditOptions) => {
        if (!/^0x[0-9a-fA-F]{64}$/.test(id))
          throw new EnigmaError('INVALID_ARGUMENT', `not a job id: ${id.slice(0, 80)}`, {
            remedy:
              'A job id is 0x and 64 hexadecimal digits; `enigma compute list` shows those of this vault.',
          })
        const network = readNetwork(options.network ?? networkFile(session.dataDir))
        const encoded =
          options.transcript === undefined
            ? await fetchTranscript(session, id.toLowerCase())
            : readTranscript(options.transcript)
        const report = await auditOver(
          options.rpc === undefined ? network : { ...network, rpc: [options.rpc] },
          id.toLowerCase() as `0x${string}`,
          encoded,
        )
        if (!report.valid) process.exitCode = INVALID
        session.out.result(describeReport(report), () => fields(describeReport(report)))
      }),
    )
}

/** From the network, by the local node; what it gives is checked against the ledger like any other file. */
async function fetchTranscript(session: Session, id: string): Promise<Uint8Array> {
  const dir = mkdtempSync(join(tmpdir(), 'enigma-audit-'))
  try {
    const path = join(dir, 'transcript.cbor')
    await (await session.connect()).call('compute.transcript', { id, path })
    return readTranscript(path)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function readTranscript(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file))
  } catch {
    throw new EnigmaError('NOT_FOUND', `cannot read ${file}`)
  }
}

/** Plain values; commitments and evidence as hexadecimal. */
function describeReport(report: AuditReport): Record<string, string> {
  const common = {
    job: report.jobId,
    verdict: report.valid ? 'valid' : 'invalid',
    committee: report.committee.join(' '),
  }
  if (report.valid) {
    const output = `0x${Buffer.from(report.outputs).toString('hex')}`
    return { ...common, outputCommitments: output }
  }
  return {
    ...common,
    fault: report.fault,
    reason: report.reason,
    ...(report.culprit === undefined ? {} : { culprit: report.culprit }),
    ...(report.evidence === undefined
      ? {}
      : { evidence: JSON.stringify(report.evidence, (_, v) => (typeof v === 'bigint' ? v.toString() : v)) }),
  }
}
