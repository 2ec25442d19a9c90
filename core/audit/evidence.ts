import { fromHex, toHex } from '../base/bytes.ts'
import { type Opening, openingDigest } from '../commitments/openings.ts'
import { payloadDigest, runId, statementDigest } from '../commitments/rounds.ts'
import type { NodeId } from '../transport/types.ts'
import { fits } from './closing.ts'
import type { AuditFacts, CheatEvidence, RunView, SignedRound, Transcript } from './types.ts'

/** Evidence for the contract, if the party has signed the opening and it does not fit. */
export function openingEvidence(
  t: Pick<Transcript, 'jobId' | 'nonce' | 'parties'>,
  run: Uint8Array,
  index: number,
  given: { readonly opening: Opening; readonly signature: Uint8Array },
  facts: Pick<AuditFacts, 'signer'>,
): CheatEvidence | undefined {
  const party = t.parties[index]!
  if (fits(given.opening)) return undefined
  if (facts.signer(openingDigest(run, given.opening), given.signature) !== party) return undefined
  return {
    ...{ kind: 'wrong-opening', jobId: toHex(t.jobId), nonce: toHex(t.nonce), party },
    ...{ opening: given.opening, signature: toHex(given.signature) },
  }
}

/** A party that told two stories. Without evidence it signed one statement twice, which the contract does not punish. */
interface Equivocation {
  readonly party: NodeId
  readonly evidence?: CheatEvidence
}

/**
 * A party that signed different payloads, or different histories, for one round, from two parties' views of one run; else
 * one that signed the same differently to both. Views come from anywhere: only what the party has signed itself counts, and
 * an honest party signs each round of a run once.
 */
export function findEquivocation(
  a: RunView,
  b: RunView,
  signer: AuditFacts['signer'],
): Equivocation | undefined {
  if (a.jobId !== b.jobId || a.nonce !== b.nonce || a.parties.join() !== b.parties.join()) return undefined
  let twice: Equivocation | undefined
  for (const { round, signed } of a.rounds) {
    const other = b.rounds.find((r) => r.round === round)
    for (const [i, party] of a.parties.entries()) {
      const [x, y] = [signed[i], other?.signed[i]]
      if (x === undefined || y === undefined || x.signature === y.signature) continue
      const evidence = contradiction({ ...a, party, round, signed: [x, y] }, signer)
      if (evidence !== undefined) return { party, evidence }
      if (differ(x, y)) continue
      const both = [x, y].every((s) => signedBy(a, round, s, signer) === party)
      if (both) twice ??= { party }
    }
  }
  return twice
}

/** Two statements of a party about one round as evidence, if both are signed and they differ. */
export function contradiction(
  { jobId, nonce, party, round, signed }: Omit<CheatEvidence & { kind: 'equivocation' }, 'kind'>,
  signer: AuditFacts['signer'],
): CheatEvidence | undefined {
  if (!differ(...signed)) return undefined
  if (signed.some((s) => signedBy({ jobId, nonce }, round, s, signer) !== party)) return undefined
  return { kind: 'equivocation', jobId, nonce, party, round, signed }
}

const differ = (x: SignedRound, y: SignedRound) => x.previous !== y.previous || x.payload !== y.payload

/** Who signed a statement, whose words are 0x-hex of 32 bytes. */
function signedBy(
  { jobId, nonce }: Pick<RunView, 'jobId' | 'nonce'>,
  round: number,
  { previous, payload, signature }: SignedRound,
  signer: AuditFacts['signer'],
): NodeId | undefined {
  const run = runId(fromHex(jobId, 32), fromHex(nonce, 32))
  return signer(statementDigest(run, round, fromHex(previous, 32), fromHex(payload, 32)), fromHex(signature))
}

/** What the contract takes of one signed broadcast. */
export function signedRound(previous: Uint8Array, payload: Uint8Array, signature: Uint8Array): SignedRound {
  return { previous: toHex(previous), payload: toHex(payloadDigest(payload)), signature: toHex(signature) }
}
