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

/**
 * Evidence from two parties' views of one run, at most one for a party: it signed different payloads, or different histories,
 * for one round. Views come from anywhere: only what the party has signed itself counts, and an honest party signs each round of a run once.
 */
export function findEquivocations(a: RunView, b: RunView, signer: AuditFacts['signer']): CheatEvidence[] {
  const { jobId, nonce, parties } = a
  if (jobId !== b.jobId || nonce !== b.nonce || parties.join() !== b.parties.join()) return []
  const found = new Map<NodeId, CheatEvidence>()
  for (const { round, signed } of a.rounds) {
    const other = b.rounds.find((r) => r.round === round)
    for (const [i, party] of parties.entries()) {
      const [x, y] = [signed[i], other?.signed[i]]
      if (x === undefined || y === undefined || found.has(party)) continue
      const evidence = contradiction({ jobId, nonce, party, round, signed: [x, y] }, signer)
      if (evidence !== undefined) found.set(party, evidence)
    }
  }
  return [...found.values()]
}

/** Two statements of a party about one round as evidence, if it has signed both and they differ. */
export function contradiction(
  { jobId, nonce, party, round, signed }: Omit<CheatEvidence & { kind: 'equivocation' }, 'kind'>,
  signer: AuditFacts['signer'],
): CheatEvidence | undefined {
  const [x, y] = signed
  if (x.previous === y.previous && x.payload === y.payload) return undefined
  const run = runId(fromHex(jobId, 32), fromHex(nonce, 32))
  for (const { previous, payload, signature } of signed) {
    const digest = statementDigest(run, round, fromHex(previous, 32), fromHex(payload, 32))
    if (signer(digest, fromHex(signature)) !== party) return undefined
  }
  return { kind: 'equivocation', jobId, nonce, party, round, signed }
}

/** What the contract takes of one signed broadcast. */
export function signedRound(previous: Uint8Array, payload: Uint8Array, signature: Uint8Array): SignedRound {
  return { previous: toHex(previous), payload: toHex(payloadDigest(payload)), signature: toHex(signature) }
}
