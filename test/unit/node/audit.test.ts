import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commitmentsDigest, runContext } from '../../../core/audit/challenge.ts'
import { encodeAnswer } from '../../../core/audit/closing.ts'
import { ANSWER_ROUND } from '../../../core/audit/constants.ts'
import type { AuditAborted } from '../../../core/audit/prover.ts'
import { encodeTranscript, transcriptDigest } from '../../../core/audit/transcript.ts'
import { fromHex, toHex, utf8 } from '../../../core/base/bytes.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { builtin, functionHash } from '../../../core/circuits/functions.ts'
import { commitPoint } from '../../../core/commitments/openings.ts'
import { chainNext, chainStart, roundDigest, runId } from '../../../core/commitments/rounds.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import type { LedgerClient } from '../../../core/ledger/client.ts'
import { evidenceDigest } from '../../../core/ledger/evidence.ts'
import { localNodeKey } from '../../../core/ledger/signers.ts'
import type { Bytes32, Hex, Signer } from '../../../core/ledger/types.ts'
import { anchoring, auditFacts, auditJob } from '../../../core/node/compute/audit.ts'
import { AuditService, signerUnder } from '../../../core/node/compute/audit-service.ts'
import { decodeCommitments, sumOfConstants } from '../../../core/sharing/commitments.ts'
import type { LocalSigner } from '../../../core/wallet/signer.ts'
import { createProgram } from '../../../main/cli/program.ts'
import { writeNetwork } from '../../../main/host/network.ts'
import {
  type AuditedCommittee,
  auditedRun,
  field,
  resultOf,
  type SharedInputs,
  shareInputs,
  signers,
  transcriptOf,
} from '../audit/committee.ts'
import * as support from '../ledger/support.ts'

const N = 2
const LISTS = [[5n], [7n, 11n, 2n]].map((list) => list.map((v) => v * 1_000_000n))

let chain: support.TestChain
let ledger: LedgerClient
let jobId: Bytes32
let run: AuditedCommittee
let encoded: Uint8Array
let directory: string
let sender: Signer
let sharedInOrder: SharedInputs

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'enigma-audit-'))
  chain = await support.startChain()
  ledger = await chain.client({ pollMs: 10 })
  sender = await support.fundedSigner(ledger)
  const keys = signers(N)
  const nodes = Array.from({ length: N }, (_, i) =>
    localNodeKey(fromHex((i + 1).toString(16).padStart(64, '9'), 32)),
  )
  const deposit = await ledger.minimumDeposit()
  for (const node of nodes) await ledger.registerNode(sender, node, { hint: '', capacity: 1, deposit })

  const shared = await shareInputs(LISTS)
  const identity = await support.pseudonym(ledger, sender)
  const anyone = await support.publish(ledger, sender, { kind: 'anyone' })
  const byRef = new Map<Hex, number>()
  for (const [k, original] of shared.originals.entries()) {
    const input = support.referenceInput(identity, anyone, {
      length: LISTS[k]!.length,
      commitmentsDigest: toHex(createHash('sha256').update(original).digest()),
      c0: toHex(sumOfConstants(await decodeCommitments(original))),
      // The ledger orders a job's inputs by reference; so do the inputs here.
      xRef: toHex(new Uint8Array(32).fill(k + 1)),
    })
    await ledger.createReference(sender, input)
    byRef.set(ledger.referenceId(identity, input.xRef), k)
  }
  const request = support.jobRequest([...byRef.keys()], {
    ...{ functionId: functionHash('variance'), params: utf8('{}') },
    ...{ committeeSize: N, threshold: N - 1, protocol: 'spdz-audited' },
  })
  const made = await ledger.requestJob(sender, request)
  jobId = made.jobId
  await ledger.admit(sender, jobId, made.refs)

  const order = made.refs.map((ref) => byRef.get(ref)!)
  const lists = order.map((k) => LISTS[k]!)
  const fn = builtin('variance')
  const program = fn.build(
    fn.parseParams({}),
    lists.map((l) => l.length),
  )
  const ordered = await reorder(shared, order)
  sharedInOrder = ordered
  run = await auditedRun(N, program, lists, {
    shared: ordered,
    timeoutMs: 10_000,
    party: (i) => ({
      jobId: fromHex(jobId, 32),
      sign: signUnder(keys[i]!),
      signer: signerUnder(ledger.deployment),
      ledger: anchoring(ledger, sender),
    }),
  })
  encoded = encodeTranscript(transcriptOf(run))
  const result = {
    jobId,
    attempt: 1,
    resultDigest: support.randomWord(),
    transcriptDigest: toHex(transcriptDigest(encoded)),
  }
  const signatures = await Promise.all(
    nodes.map(async (node) => ({ nodeId: node.address, signature: await ledger.signResult(node, result) })),
  )
  await ledger.postResult(sender, result, signatures)

  /** The owners' sharings in the order of the job's inputs. */
  async function reorder(all: Awaited<ReturnType<typeof shareInputs>>, places: number[]) {
    const starts = LISTS.map((_, k) => LISTS.slice(0, k).reduce((n, l) => n + l.length, 0))
    const pick = (v: typeof all.values) =>
      field.concat(places.map((k) => field.slice(v, starts[k]!, starts[k]! + LISTS[k]!.length)))
    return {
      originals: places.map((k) => all.originals[k]!),
      values: pick(all.values),
      masks: pick(all.masks),
    }
  }
})
afterAll(async () => {
  await chain?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const signUnder = (key: LocalSigner) => async (structHash: Uint8Array) =>
  key.signDigest(evidenceDigest(ledger.deployment, structHash))

describe('the audit of a job on the ledger', () => {
  it('proves the result from ledger and transcript alone', async () => {
    const report = await auditJob(ledger, jobId, encoded)
    if (!report.valid) throw new Error(report.reason)
    expect(report.committee).toEqual(run.parties)
    const { circuit } = run.facts.program
    const inputs = [...circuit.inputs.keys()].map((k) => LISTS.find((l) => l.length === circuit.inputs[k])!)
    expect(resultOf(run, report)).toEqual(evaluate(circuit, field.modulus, inputs))
  })

  it('refuses another transcript, and jobs without one', async () => {
    const other = encodeTranscript({ ...transcriptOf(run), context: utf8('another plan') })
    await expect(auditJob(ledger, jobId, other)).rejects.toMatchObject({ code: 'TRANSCRIPT_INVALID' })
    await expect(auditJob(ledger, support.randomWord(), encoded)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('brings a wrong answer before the contract, which convicts', async () => {
    const transcript = transcriptOf(run)
    const facts = await auditFacts(ledger, jobId, transcript, run.parties)
    const [cheater, round] = [1, ANSWER_ROUND]
    const sign = signUnder(signers(N)[cheater]!)
    const id = runId(transcript.jobId, transcript.nonce)
    const opening = { round, position: 0, ...commitPoint(3n, 4n), value: 3n, mask: 5n }
    const payload = await encodeAnswer(field, id, opening, sign)
    const digest = commitmentsDigest(id, transcript.parties, transcript.inputs, transcript.material)
    const start = chainStart(runContext(transcript.context, digest, facts.anchored!.blockHash))
    const chain = transcript.rounds.slice(0, -1).reduce((c, r) => chainNext(c, r.payloads), start)
    const put = (list: readonly Uint8Array[], value: Uint8Array) =>
      list.map((v, i) => (i === cheater ? value : v))
    const last = transcript.rounds.at(-1)!
    const changed = {
      ...transcript,
      rounds: [
        ...transcript.rounds.slice(0, -1),
        {
          round,
          payloads: put(last.payloads, payload),
          signatures: put(last.signatures, await sign(roundDigest(id, round, chain, payload))),
        },
      ],
    }
    const verdict = await new AuditService().verify(changed, facts)
    if (verdict.valid || verdict.evidence === undefined) throw new Error('no evidence')
    await ledger.reportEvidence(sender, verdict.evidence)
    expect((await ledger.verdicts(jobId, run.parties[cheater]!)).map((v) => v.kind)).toEqual([
      'wrong-opening',
    ])
    expect(await ledger.verdicts(jobId, run.parties[0]!)).toEqual([])
  })

  it('names who opened something else in a run that was ended', async () => {
    const lists = run.facts.program.circuit.inputs.map((n) => LISTS.find((l) => l.length === n)!)
    let calls = 0
    const lying = {
      ...field,
      // The third vector that it encodes: its shares in a round.
      toBytes: (v: FieldVector) => {
        if (calls++ !== 2) return field.toBytes(v)
        return field.toBytes(field.add(v, field.fromBigints([1n])))
      },
    }
    const failed = await auditedRun(N, run.facts.program, lists, {
      shared: sharedInOrder,
      timeoutMs: 10_000,
      party: (i) => ({
        jobId: fromHex(jobId, 32),
        nonce: new Uint8Array(32).fill(9),
        sign: signUnder(signers(N)[i]!),
        signer: signerUnder(ledger.deployment),
        ledger: anchoring(ledger, sender),
        ...(i === 0 ? { field: lying } : {}),
      }),
    })
    const outcome = failed.outcomes[1]!
    if (outcome.status === 'fulfilled') throw new Error('accepted')
    const { transcript } = outcome.reason as AuditAborted
    const facts = await auditFacts(ledger, jobId, transcript, transcript.parties)
    expect(await new AuditService().verify(transcript, facts)).toMatchObject({
      valid: false,
      culprit: run.parties[0],
    })
  })

  it('is a command that needs neither node nor password', async () => {
    const [network, file] = [join(directory, 'network.json'), join(directory, 'transcript')]
    writeNetwork(network, {
      kind: 'devnet',
      rpc: [chain.devnet.endpoint],
      deployment: chain.devnet.deployment,
      bootstrap: [],
      confirmations: 1,
      localDiscovery: false,
      internet: false,
    })
    await writeFile(file, encoded)
    const written: string[] = []
    const original = process.stdout.write
    process.stdout.write = ((text: string) => written.push(text) > 0) as typeof process.stdout.write
    try {
      await createProgram().parseAsync(
        ['audit', jobId, '--json', '--transcript', file, '--network', network, '--data', directory],
        { from: 'user' },
      )
    } finally {
      process.stdout.write = original
    }
    expect(JSON.parse(written.join(''))).toMatchObject({
      job: jobId,
      verdict: 'valid',
      committee: run.parties.join(' '),
    })
    expect(process.exitCode).toBeUndefined()
  })
})
