import { equalBytes, toHex } from '../base/bytes.ts'
import { type Opening, openingDigest } from '../commitments/openings.ts'
import { chainNext, payloadDigest, roundDigest, runId } from '../commitments/rounds.ts'
import type { RoundRecord } from '../spdz/types.ts'
import { fits } from './closing.ts'
import type { AuditFacts, CheatEvidence, SignedRound, Transcript } from './types.ts'

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
 * Evidence from two transcripts of one run, as two parties have them: a party that signed different payloads, or
 * different histories, for one round. Both sides' chains start from `start`, see `runContext` and `chainStart`.
 */
export function findEquivocation(
  a: Transcript,
  b: Transcript,
  start: Uint8Array,
  signer: AuditFacts['signer'],
): CheatEvidence | undefined {
  const run = runId(a.jobId, a.nonce)
  if (!equalBytes(run, runId(b.jobId, b.nonce))) return undefined
  const other = history(b, start)
  for (const [round, x] of history(a, start)) {
    const y = other.get(round)
    for (const [i, party] of a.parties.entries()) {
      const [p, q] = [x.payloads[i], y?.payloads[i]]
      const [s, u] = [x.signatures[i], y?.signatures[i]]
      if (!y || !p || !q || !s || !u || (equalBytes(p, q) && equalBytes(x.previous, y.previous))) continue
      if (signer(roundDigest(run, round, x.previous, p), s) !== party) continue
      if (signer(roundDigest(run, round, y.previous, q), u) !== party) continue
      const signed: [SignedRound, SignedRound] = [
        signedRound(x.previous, p, s),
        signedRound(y.previous, q, u),
      ]
      return {
        ...{ kind: 'equivocation', jobId: toHex(a.jobId), nonce: toHex(a.nonce), party },
        ...{ round, signed },
      }
    }
  }
  return undefined
}

/** Each round by its number, with the chain value before it. */
function history(t: Transcript, start: Uint8Array) {
  const rounds = new Map<number, RoundRecord & { previous: Uint8Array }>()
  let previous = start
  for (const r of t.rounds) {
    rounds.set(r.round, { ...r, previous })
    previous = chainNext(previous, r.payloads)
  }
  return rounds
}

/** What the contract takes of one signed broadcast. */
export function signedRound(previous: Uint8Array, payload: Uint8Array, signature: Uint8Array): SignedRound {
  return { previous: toHex(previous), payload: toHex(payloadDigest(payload)), signature: toHex(signature) }
}
