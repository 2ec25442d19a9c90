import { createHash } from 'node:crypto'
import { equalBytes } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { g1 } from '../commitments/g1.ts'
import { commitVector } from '../commitments/pedersen.ts'
import { chainNext, chainStart, roundDigest, runId } from '../commitments/rounds.ts'
import type { CommitmentVector } from '../commitments/types.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import type { FieldVector } from '../field/types.ts'
import { decodeCommitments, freeCommitments } from '../sharing/commitments.ts'
import type { NodeId } from '../transport/types.ts'
import { commitmentsDigest, runContext } from './challenge.ts'
import { ask, decodeAnswer, fits, hasOutputs, type Question, roundNumber } from './closing.ts'
import { openingEvidence } from './evidence.ts'
import { type Layout, layoutOf } from './layout.ts'
import { ReplayFault, replay } from './replay.ts'
import type { AuditFacts, AuditFault, AuditVerdict, Transcript } from './types.ts'

/** Points decoded, and multiplied, between two turns of the thread: larger slices are not faster. */
const SLICE = 16_384
const MSM_SLICE = 16_384

class Fault extends Error {
  readonly verdict: AuditVerdict & { valid: false }

  constructor(fault: AuditFault, reason: string, more: Partial<AuditVerdict & { valid: false }> = {}) {
    super(reason)
    this.verdict = { valid: false, fault, reason, ...more }
  }
}

/**
 * Checks a whole run from public data alone (paper §5.1.2; auditing after Baum, Damgård and Orlandi, eprint
 * 2014/075, naming the cheater after Cunningham, Fuller and Yakoubov, ICITS 2017): that the inputs are the owners', the
 * triples products and the bits bits, that everything opened follows from what was committed to, and which commitment
 * the result opens. A wrong run passes with probability about 2^-240 times its length, whoever colludes, unless discrete
 * logarithms in BN254's G1 can be computed. A party is named only by what it has itself signed over this transcript.
 */
export async function verifyTranscript(t: Transcript, facts: AuditFacts): Promise<AuditVerdict> {
  try {
    return await verify(t, facts)
  } catch (error) {
    if (error instanceof Fault) return error.verdict
    if (error instanceof ReplayFault) return { valid: false, fault: error.fault, reason: error.message }
    throw error
  }
}

async function verify(t: Transcript, facts: AuditFacts): Promise<AuditVerdict> {
  const n = t.parties.length
  const layout = layoutOf(facts.program.circuit)
  checkFacts(t, facts, layout)
  const inputs = await Promise.all(t.inputs.map((bytes) => points(bytes, 'an input')))
  const material = await Promise.all(t.material.map((bytes) => points(bytes, 'an item of material')))
  await checkInputs(t, facts, inputs)

  const run = runId(t.jobId, t.nonce)
  const digest = commitmentsDigest(run, t.parties, t.inputs, t.material)
  if (facts.anchored === undefined || !equalBytes(facts.anchored.value, digest))
    throw new Fault('ANCHOR', 'the ledger did not have these commitments before the challenge was drawn')
  const context = runContext(t.context, digest, facts.anchored.blockHash)
  const seeds = checkSignatures(t, facts, run, context)

  const { outputs: outputRound, closing } = closingRounds(t)
  const body = t.rounds.slice(0, -2).map((r) => r.payloads)
  const replayed = await replay(field, layout, facts.program, context, body, n)
  if (replayed.output === undefined && replayed.rounds < body.length)
    throw new Fault('MALFORMED', 'there are more rounds than the program has')
  const complete = hasOutputs(layout, outputRound)
  if (complete && replayed.output === undefined) throw new Fault('MALFORMED', 'rounds are missing')
  const parts = await Promise.all(
    outputRound.map((bytes, i) =>
      points(complete ? bytes : new Uint8Array(), 'an output', { culprit: t.parties[i]! }),
    ),
  )
  const question = await ask(
    field,
    layout,
    complete ? replayed : { ...replayed, output: undefined },
    seeds.question,
  )
  const answers = closing.map((payload, i) => {
    const decoded = decodeAnswer(field, payload)
    // Signed, and no answer.
    if (decoded === undefined)
      throw new Fault('OPENINGS', 'a party did not answer the challenge', { culprit: t.parties[i]! })
    return decoded
  })
  const masks = answers.map((a) => field.fromBigints([a.opening.mask]))
  const leaves = (i: number) => [inputs[i]!, material[i]!] as const
  if (
    !(await holds(
      question,
      t.parties.map((_, i) => i),
      leaves,
      parts,
      masks,
    ))
  )
    throw await accuse(t, facts, run, question, leaves, parts, masks, answers)
  if (replayed.fault !== undefined) throw replayed.fault
  for (const [i, { opening }] of answers.entries())
    if (!fits(opening)) throw wrongOpening(t, facts, run, i, answers[i]!)
  if (!complete) throw new Fault('MALFORMED', 'the run ended before it had a result')

  const sum = parts.reduce((a, b) => g1.add(a, b))
  return { valid: true, outputs: g1.toBytes(sum), parts: outputRound }
}

function checkFacts(t: Transcript, facts: AuditFacts, layout: Layout): void {
  const n = t.parties.length
  if (!equalBytes(t.jobId, facts.jobId)) throw new Fault('FACTS', 'the transcript is of another job')
  const allowed = new Set(facts.committee)
  if (new Set(t.parties).size !== n || t.parties.some((id) => !allowed.has(id)))
    throw new Fault('FACTS', 'the parties are not the committee of the job')
  const lengths = facts.references.reduce((sum, r) => sum + r.length, 0)
  if (lengths !== layout.inputs || t.originals.length !== facts.references.length)
    throw new Fault('FACTS', 'the transcript has other inputs than the job')
  t.originals.forEach((encoded, k) => {
    const digest = createHash('sha256').update(encoded).digest()
    if (!equalBytes(digest, facts.references[k]!.commitmentsDigest))
      throw new Fault('FACTS', `not the owner's commitments to input ${k}`)
  })
  const size = (count: number) => (bytes: Uint8Array) => bytes.length === 64 * count
  if (!t.inputs.every(size(layout.inputs)) || !t.material.every(size(layout.length - layout.inputs)))
    throw new Fault('MALFORMED', 'the number of commitments is not that of the program')
  if (t.inputs.length !== n || t.material.length !== n)
    throw new Fault('MALFORMED', 'commitments of some parties are missing')
}

/** The parts of every input add up to what its owner committed to. */
async function checkInputs(
  t: Transcript,
  facts: AuditFacts,
  inputs: readonly CommitmentVector[],
): Promise<void> {
  const constants: CommitmentVector[] = []
  for (const [k, encoded] of t.originals.entries()) {
    try {
      const { length } = facts.references[k]!
      const commitments = await decodeCommitments(encoded, { length })
      constants.push(g1.slice(commitments.points[0]!, 0, length))
      freeCommitments(commitments)
    } catch {
      throw new Fault('FACTS', `the owner's commitments to input ${k} do not decode`)
    }
  }
  const total = inputs.reduce((a, b) => g1.add(a, b))
  if (!g1.equal(total, g1.concat(constants)))
    throw new Fault('INPUT_COMMITMENTS', 'the parts of the inputs do not add up to what their owners shared')
}

/** Every round is signed by every party over the same history; the value from which the last challenge is drawn. */
function checkSignatures(
  t: Transcript,
  facts: AuditFacts,
  run: Uint8Array,
  context: Uint8Array,
): { question: Uint8Array } {
  let chain = chainStart(context)
  let question = chain
  t.rounds.forEach(({ payloads, signatures }, place) => {
    const round = roundNumber(place, t.rounds.length)
    question = chain
    if (payloads.length !== t.parties.length || signatures.length !== t.parties.length)
      throw new Fault('MALFORMED', `round ${place} lacks a party`)
    t.parties.forEach((party, i) => {
      if (facts.signer(roundDigest(run, round, chain, payloads[i]!), signatures[i]!) !== party)
        throw new Fault('SIGNATURE', `round ${place} is not signed by party ${i}`)
    })
    chain = chainNext(chain, payloads)
  })
  return { question }
}

function closingRounds(t: Transcript) {
  const [outputs, closing] = t.rounds.slice(-2)
  if (outputs === undefined || closing === undefined)
    throw new Fault('MALFORMED', 'the closing rounds are missing')
  return { outputs: outputs.payloads, closing: closing.payloads }
}

type Leaves = (i: number) => readonly [CommitmentVector, CommitmentVector]

/** The verifier's equation, added up over some parties: one multi-scalar multiplication. */
async function holds(
  question: Question,
  parties: readonly number[],
  leaves: Leaves,
  outputs: readonly CommitmentVector[],
  masks: readonly FieldVector[],
): Promise<boolean> {
  const [left, right] = await sides(question, parties, leaves, outputs, masks)
  return g1.equal(left, right)
}

async function sides(
  question: Question,
  parties: readonly number[],
  leaves: Leaves,
  outputs: readonly CommitmentVector[],
  masks: readonly FieldVector[],
): Promise<[CommitmentVector, CommitmentVector]> {
  const add = (vectors: readonly FieldVector[]) =>
    field.linear(
      parties.map(() => 1n),
      parties.map((i) => vectors[i]!),
    )
  const { coefficients } = question.adjoint
  let left = g1.zeros(1)
  let from = 0
  for (const k of [0, 1] as const) {
    const { length } = leaves(parties[0]!)[k]
    for (let at = 0; at < length; at += MSM_SLICE) {
      const to = Math.min(length, at + MSM_SLICE)
      const sum = parties.map((i) => g1.slice(leaves(i)[k], at, to)).reduce(absorb)
      const scalars = field.slice(coefficients, from + at, from + to)
      left = absorb(left, g1.msm(sum, scalars))
      sum.free()
      scalars.free()
      await turn()
    }
    from += length
  }
  const out = parties.map((i) => outputs[i]!).reduce((a, b) => g1.add(a, b))
  if (out.length > 0) left = g1.sub(left, g1.msm(out, question.outputWeights))
  const constant = field.sub(add(question.values), add(question.constants))
  return [left, commitVector(constant, add(masks))]
}

/** a + b, which are not needed any more. */
function absorb(a: CommitmentVector, b: CommitmentVector): CommitmentVector {
  const sum = g1.add(a, b)
  a.free()
  b.free()
  return sum
}

/** The equation fails for all together, so it fails for somebody. */
async function accuse(
  t: Transcript,
  facts: AuditFacts,
  run: Uint8Array,
  question: Question,
  leaves: Leaves,
  outputs: readonly CommitmentVector[],
  masks: readonly FieldVector[],
  answers: readonly NonNullable<ReturnType<typeof decodeAnswer>>[],
): Promise<Fault> {
  for (const i of t.parties.keys()) {
    if (await holds(question, [i], leaves, outputs, masks)) continue
    if (!fits(answers[i]!.opening)) return wrongOpening(t, facts, run, i, answers[i]!)
    return new Fault('OPENINGS', 'a party opened something else than it had committed to', {
      culprit: t.parties[i]!,
    })
  }
  throw new EnigmaError('INTERNAL', 'an equation fails that holds for each party')
}

function wrongOpening(
  t: Transcript,
  facts: AuditFacts,
  run: Uint8Array,
  i: number,
  given: NonNullable<ReturnType<typeof decodeAnswer>>,
): Fault {
  const evidence = openingEvidence(t, run, i, given, facts)
  return new Fault('WRONG_OPENING', 'a party signed an opening that does not fit its commitment', {
    culprit: t.parties[i]!,
    ...(evidence === undefined ? {} : { evidence }),
  })
}

/** Points in slices. */
async function points(
  bytes: Uint8Array,
  what: string,
  more: { culprit?: NodeId } = {},
): Promise<CommitmentVector> {
  const parts: CommitmentVector[] = []
  try {
    for (let at = 0; at < bytes.length; at += 64 * SLICE) {
      parts.push(g1.fromBytes(bytes.subarray(at, at + 64 * SLICE)))
      await turn()
    }
  } catch {
    throw new Fault('MALFORMED', `a commitment to ${what} is not a point`, more)
  }
  return parts.length === 1 ? parts[0]! : g1.concat(parts)
}

/**
 * The result from what every party sent to the requester: its parts of the values and the masks of its commitments to
 * them. Throws COMMITMENT_MISMATCH, naming the party (details.party) whose parts do not open what it is committed to in a
 * transcript that was verified.
 */
export function openOutput(
  verdict: AuditVerdict & { valid: true },
  parties: readonly string[],
  sent: readonly { readonly parts: FieldVector; readonly masks: FieldVector }[],
): { values: FieldVector; masks: FieldVector } {
  sent.forEach(({ parts, masks }, i) => {
    const made = commitVector(parts, masks)
    const same = equalBytes(g1.toBytes(made), verdict.parts[i] ?? new Uint8Array())
    made.free()
    if (!same)
      throw new EnigmaError(
        'COMMITMENT_MISMATCH',
        'a part of the result is not what the party committed to',
        {
          details: { party: parties[i] ?? '', index: i },
        },
      )
  })
  const add = (vectors: readonly FieldVector[]) =>
    field.linear(
      vectors.map(() => 1n),
      vectors,
    )
  return { values: add(sent.map((s) => s.parts)), masks: add(sent.map((s) => s.masks)) }
}

/** Whether (values, masks) open the commitment to the result: what a requester shows to prove its result to others. */
export function checkOutput(
  verdict: AuditVerdict & { valid: true },
  opened: { readonly values: FieldVector; readonly masks: FieldVector },
): boolean {
  const made = commitVector(opened.values, opened.masks)
  const same = equalBytes(g1.toBytes(made), verdict.outputs)
  made.free()
  return same
}
