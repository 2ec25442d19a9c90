import { layoutOf } from '../../core/audit/layout.ts'
import { verifyTranscript } from '../../core/audit/verify.ts'
import { CircuitBuilder } from '../../core/circuits/builder.ts'
import { runCircuit } from '../../core/circuits/run.ts'
import type { BuiltProgram } from '../../core/circuits/types.ts'
import { commitVector } from '../../core/commitments/pedersen.ts'
import { shareAdditively } from '../../core/sharing/additive.ts'
import { spdzEngine } from '../../core/spdz/engine.ts'
import { authenticate } from '../../core/spdz/input.ts'
import { outputShares } from '../../core/spdz/output.ts'
import { auditedRun, field, transcriptOf } from '../unit/audit/committee.ts'
import { openCommittee } from '../unit/spdz/committee.ts'
import type { Measurement } from './crypto.ts'

const PARTIES = 3
const INPUTS = 64
const GATES = 4096
const RUNS = 3
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** GATES products of few inputs, so that gates are what takes time. */
function program(): BuiltProgram {
  const b = new CircuitBuilder()
  const x = b.input(INPUTS)
  const wide = b.concat(Array.from({ length: GATES / INPUTS }, () => x))
  return { circuit: b.output(b.sum(b.mul(wide, wide))).build(), params: [] }
}

/** The same job without an audit. */
async function unaudited(built: BuiltProgram, values: bigint[]): Promise<void> {
  const committee = await openCommittee(PARTIES, { party: () => ({ roundTimeoutMs: 60_000 }) })
  const parts = shareAdditively(field, field.fromBigints(values), PARTIES)
  const masks = parts.map((p) => field.random(p.length))
  const commitments = parts.map((p, i) => commitVector(p, masks[i]!))
  await committee.all(async (party, i) => {
    const material = committee.materials[i]!
    const all = await authenticate(party, { values: parts[i]!, masks: masks[i]!, commitments })
    const result = await runCircuit(spdzEngine(party, material), built.circuit, [all])
    return outputShares(party, material, result)
  })
  await committee.close()
}

/**
 * Verification per multiplication gate, of the whole transcript; and the time of an audited job over the same job without an
 * audit, parties in one process, their material made before.
 */
export async function* auditBench(only?: string): AsyncGenerator<Measurement> {
  if (only !== undefined && !'audit.'.startsWith(only) && !only.startsWith('audit.')) return
  const built = program()
  const gates = layoutOf(built.circuit).triples
  const values = Array.from({ length: INPUTS }, (_, i) => BigInt(i))
  const verify: number[] = []
  const ratios: number[] = []
  for (let k = 0; k < RUNS; k++) {
    const start = performance.now()
    const run = await auditedRun(PARTIES, built, [values], { timeoutMs: 60_000 })
    const proved = performance.now()
    await unaudited(built, values)
    ratios.push((proved - start) / (performance.now() - proved))
    const transcript = transcriptOf(run)
    const before = performance.now()
    const verdict = await verifyTranscript(transcript, run.facts)
    verify.push(((performance.now() - before) * 1000) / gates)
    if (!verdict.valid) throw new Error(verdict.reason)
  }
  yield { name: 'audit.verify.us_per_gate', value: Number(median(verify).toFixed(1)), unit: 'us' }
  yield { name: 'audit.prove.ratio', value: Number(median(ratios).toFixed(1)), unit: 'x' }
}
