import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { commitmentsDigest, runContext } from '../../../core/audit/challenge.ts'
import { encodeAnswer } from '../../../core/audit/closing.ts'
import { ANSWER_ROUND } from '../../../core/audit/constants.ts'
import { findEquivocations, signedRound } from '../../../core/audit/evidence.ts'
import { layoutOf } from '../../../core/audit/layout.ts'
import { replay } from '../../../core/audit/replay.ts'
import { decodeTranscript, encodeTranscript } from '../../../core/audit/transcript.ts'
import type { RunView, SignedRound, Transcript } from '../../../core/audit/types.ts'
import { verifyTranscript } from '../../../core/audit/verify.ts'
import { toHex } from '../../../core/base/bytes.ts'
import { hasCode } from '../../../core/base/errors.ts'
import { commitPoint } from '../../../core/commitments/openings.ts'
import { chainNext, chainStart, roundDigest, runId } from '../../../core/commitments/rounds.ts'
import { evidenceDigest } from '../../../core/ledger/evidence.ts'
import {
  type AuditedCommittee,
  auditedRun,
  deployment,
  field,
  signer,
  transcriptOf,
} from '../../unit/audit/committee.ts'
import { mixed } from '../../unit/audit/programs.ts'

const N = 3
let run: AuditedCommittee
let honest: Transcript
let other: Transcript
let encoded: Uint8Array
beforeAll(async () => {
  run = await auditedRun(N, mixed(), [
    [5n, 0n, 7n, 9n],
    [3n, 11n, 0n, 2n],
  ])
  honest = transcriptOf(run)
  encoded = encodeTranscript(honest)
  const second = [
    [5n, 0n, 7n, 9n],
    [3n, 11n, 0n, 3n],
  ]
  other = transcriptOf(await auditedRun(N, mixed(), second))
})

const start = (t: Transcript) => {
  const digest = commitmentsDigest(runId(t.jobId, t.nonce), t.parties, t.inputs, t.material)
  return chainStart(runContext(t.context, digest, run.facts.anchored!.blockHash))
}
/** All rounds as everybody signed them. */
function viewOf(t: Transcript): RunView {
  let chain = start(t)
  const rounds = t.rounds.map(({ round, payloads, signatures }) => {
    const signed = payloads.map((p, i) => signedRound(chain, p, signatures[i]!))
    chain = chainNext(chain, payloads)
    return { round, signed }
  })
  return { jobId: toHex(t.jobId), nonce: toHex(t.nonce), parties: t.parties, rounds }
}
const sign = (i: number, structHash: Uint8Array) =>
  run.keys[i]!.signDigest(evidenceDigest(deployment, structHash))

/** The transcript with one payload replaced, signed again by all from there on: what a colluding committee can do. */
function resigned(t: Transcript, round: number, party: number, payload: Uint8Array): Transcript {
  const id = runId(t.jobId, t.nonce)
  let chain = start(t)
  const rounds = t.rounds.map((r, place) => {
    const payloads = r.payloads.map((p, i) => (place === round && i === party ? payload : p))
    const signatures = payloads.map((p, i) =>
      place < round ? r.signatures[i]! : sign(i, roundDigest(id, r.round, chain, p)),
    )
    chain = chainNext(chain, payloads)
    return { round: r.round, payloads, signatures }
  })
  return { ...t, rounds }
}
const flipped = (bytes: Uint8Array, at: number) => bytes.map((b, i) => (i === at % bytes.length ? b ^ 1 : b))
/** One element of a payload changed, canonical as before. */
const nudged = (payload: Uint8Array, at: number) => {
  const out = payload.slice()
  const from = 32 * (at % (payload.length / 32))
  const element = field.add(field.fromBytes(payload.slice(from, from + 32)), field.fromBigints([1n]))
  out.set(field.toBytes(element), from)
  return out
}

describe('a transcript that somebody changed', () => {
  it('is refused, in whichever field, and names nobody', async () => {
    const replace = <T>(list: readonly T[], at: number, value: T) =>
      list.map((v, i) => (i === at ? value : v))
    const last = honest.rounds.length - 1
    const changed: [string, Transcript][] = [
      ['job', { ...honest, jobId: flipped(honest.jobId, 0) }],
      ['nonce', { ...honest, nonce: flipped(honest.nonce, 0) }],
      ['context', { ...honest, context: flipped(honest.context, 0) }],
      ['order of parties', { ...honest, parties: [...honest.parties].reverse() }],
      ['a party twice', { ...honest, parties: replace(honest.parties, 1, honest.parties[0]!) }],
      ['a stranger', { ...honest, parties: replace(honest.parties, 1, `0x${'12'.repeat(20)}` as const) }],
      [
        'owner’s commitments',
        { ...honest, originals: replace(honest.originals, 0, flipped(honest.originals[0]!, 20)) },
      ],
      ['fewer inputs', { ...honest, originals: honest.originals.slice(1) }],
      ['input of another run', { ...honest, inputs: replace(honest.inputs, 0, other.inputs[0]!) }],
      ['material of another run', { ...honest, material: replace(honest.material, 2, other.material[2]!) }],
      [
        'material exchanged',
        { ...honest, material: [honest.material[1]!, honest.material[0]!, honest.material[2]!] },
      ],
      ['no point', { ...honest, material: replace(honest.material, 0, flipped(honest.material[0]!, 5)) }],
      ['shorter material', { ...honest, material: honest.material.map((m) => m.slice(64)) }],
      ['round dropped', { ...honest, rounds: honest.rounds.filter((_, k) => k !== 3) }],
      ['closing dropped', { ...honest, rounds: honest.rounds.slice(0, last) }],
      ['no rounds', { ...honest, rounds: [] }],
      ...honest.rounds.map((_, k): [string, Transcript] => [
        `cut after ${k} rounds`,
        { ...honest, rounds: honest.rounds.slice(0, k) },
      ]),
      ['round twice', { ...honest, rounds: [...honest.rounds, honest.rounds[last]!] }],
      ['rounds of another run', { ...honest, rounds: other.rounds }],
    ]
    honest.rounds.forEach((r, k) => {
      const party = k % N
      const payloads = r.payloads.map((p, i) => (i === party ? flipped(p, 3) : p))
      changed.push([`payload ${k}`, { ...honest, rounds: replace(honest.rounds, k, { ...r, payloads }) }])
      const signatures = r.signatures.map((s, i) => (i === party ? flipped(s, 40) : s))
      changed.push([`signature ${k}`, { ...honest, rounds: replace(honest.rounds, k, { ...r, signatures }) }])
      const swapped = [r.payloads[1]!, r.payloads[0]!, r.payloads[2]!]
      const moved = { payloads: swapped, signatures: [r.signatures[1]!, r.signatures[0]!, r.signatures[2]!] }
      changed.push([`order ${k}`, { ...honest, rounds: replace(honest.rounds, k, { ...r, ...moved }) }])
    })
    for (const [what, t] of changed) {
      const verdict = await verifyTranscript(t, run.facts)
      expect(verdict.valid, what).toBe(false)
      expect('culprit' in verdict, what).toBe(false)
    }
  })

  it('or whose ledger says something else, is refused', async () => {
    const { facts } = run
    const { anchored } = facts
    const variants = [
      { ...facts, anchored: undefined },
      { ...facts, anchored: { ...anchored!, blockHash: flipped(anchored!.blockHash, 1) } },
      { ...facts, anchored: { ...anchored!, value: flipped(anchored!.value, 1) } },
      { ...facts, committee: facts.committee.slice(1) },
      { ...facts, references: facts.references.slice(1) },
      { ...facts, program: { ...facts.program, params: [[1n, 2n, 3n, 5n]] } },
      { ...facts, signer: () => undefined },
    ]
    for (const [k, v] of variants.entries())
      expect((await verifyTranscript(honest, v)).valid, `variant ${k}`).toBe(false)
    expect((await verifyTranscript(honest, facts)).valid).toBe(true)
  })

  it('in any byte is refused by the decoder or the verifier, and names nobody', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const bytes = encoded.slice()
        bytes[at]! ^= mask
        let t: Transcript
        try {
          t = decodeTranscript(bytes)
        } catch (error) {
          expect(hasCode(error, 'TRANSCRIPT_INVALID')).toBe(true)
          return
        }
        const verdict = await verifyTranscript(t, run.facts)
        // The writer and block of the anchor are facts that the ledger is asked for; all else is bound.
        if (verdict.valid) expect(t.anchor).not.toEqual(honest.anchor)
        else expect(verdict.culprit).toBeUndefined()
      }),
      { numRuns: 60 },
    )
  })

  it('is refused when the whole committee signs it again', async () => {
    const last = honest.rounds.length - 1
    for (const [place, r] of honest.rounds.entries()) {
      const party = place % N
      const isPoint = place === last - 1
      const payload = isPoint
        ? new Uint8Array([...r.payloads[party]!.slice(64), ...r.payloads[party]!.slice(0, 64)])
        : place === last
          ? flipped(r.payloads[party]!, 64)
          : nudged(r.payloads[party]!, place)
      // Of the inputs' MACs only the signature matters; the answers that follow are stale all the same.
      const t = resigned(honest, place, party, payload)
      const verdict = await verifyTranscript(t, run.facts)
      expect(verdict.valid, `round ${place}`).toBe(false)
    }
    expect(
      (await verifyTranscript(resigned(honest, 0, 0, honest.rounds[0]!.payloads[0]!), run.facts)).valid,
    ).toBe(true)
  })
})

describe('a replay', () => {
  it('finds inputs that were moved, consistently or not', async () => {
    const digest = commitmentsDigest(
      runId(honest.jobId, honest.nonce),
      honest.parties,
      honest.inputs,
      honest.material,
    )
    const context = runContext(honest.context, digest, run.facts.anchored!.blockHash)
    const { program } = run.facts
    const payloads = honest.rounds.slice(0, -2).map((r) => r.payloads)
    const again = (moved: typeof payloads) =>
      replay(field, layoutOf(program.circuit), program, context, moved, N)
    expect((await again(payloads)).fault).toBeUndefined()
    // Three rounds of the sacrifice, the inputs' MACs, then what each party adds to its parts.
    const moved = payloads.map((p, round) => (round === 4 ? [nudged(p[0]!, 2), p[1]!, p[2]!] : p))
    expect((await again(moved)).fault).toMatchObject({ fault: 'INPUT_OFFSETS' })
  })
})

describe('evidence for the contract', () => {
  it('comes from an answer that does not open what it claims', async () => {
    const round = honest.rounds.length - 1
    const cheater = 1
    const id = runId(honest.jobId, honest.nonce)
    const opening = { round: ANSWER_ROUND, position: 0, ...commitPoint(3n, 4n), value: 3n, mask: 5n }
    const payload = await encodeAnswer(field, id, opening, async (hash) => sign(cheater, hash))
    const verdict = await verifyTranscript(resigned(honest, round, cheater, payload), run.facts)
    expect(verdict).toMatchObject({
      valid: false,
      fault: 'WRONG_OPENING',
      culprit: run.parties[cheater],
      evidence: { kind: 'wrong-opening', party: run.parties[cheater], opening: { value: 3n, mask: 5n } },
    })
  })

  it('of equivocation is in two transcripts of one run, against nobody but who signed both', () => {
    const r = honest.rounds[4]!
    const forked = resigned(honest, 4, 2, nudged(r.payloads[2]!, 0))
    // The others signed one story each: up to the fork they agree, after it only the cheater is in both.
    const view = viewOf(honest)
    const party = run.parties[2]
    expect(findEquivocations(view, viewOf(forked), signer)[0]).toMatchObject({
      ...{ kind: 'equivocation', party, round: 4 },
    })
    expect(findEquivocations(view, view, signer)).toEqual([])
    // Another run that passes itself off as this one: its signatures are of that run.
    const nonce = toHex(new Uint8Array(32).fill(9))
    expect(findEquivocations({ ...view, nonce }, { ...viewOf(other), nonce }, signer)).toEqual([])
    expect(findEquivocations(view, { ...viewOf(other), jobId: nonce }, signer)).toEqual([])
  })

  it('names nobody when a view was changed by whoever shows it', () => {
    const view = viewOf(honest)
    const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
    const signature = fc.uint8Array({ minLength: 65, maxLength: 65 }).map(toHex)
    const of = (max: number) => fc.nat({ max: max - 1 })
    fc.assert(
      fc.property(
        of(view.rounds.length),
        of(N),
        of(view.rounds.length),
        of(N),
        fc.record({ previous: word, payload: word, signature }, { requiredKeys: [] }),
        (r, i, from, j, change) => {
          const given = view.rounds[from]!.signed[j]!
          const put = (k: number, s: SignedRound) => (k === i ? { ...given, ...change } : s)
          const rounds = view.rounds.map((round, k) =>
            k === r ? { ...round, signed: round.signed.map((s, at) => put(at, s)) } : round,
          )
          expect(findEquivocations(view, { ...view, rounds }, signer)).toEqual([])
        },
      ),
    )
  })
})
