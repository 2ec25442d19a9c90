import { equalBytes, toHex } from '../base/bytes.ts'
import { type Opening, openingDigest } from '../commitments/openings.ts'
import { chainNext, payloadDigest, roundDigest, runId } from '../commitments/rounds.ts'
import { closingChain } from './challenge.ts'
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
  const [historyA, historyB] = [history(a, start, signer), history(b, start, signer)]
  for (let round = 0; round < Math.min(a.rounds.length, b.rounds.length); round++) {
    const [x, y] = [a.rounds[round]!, b.rounds[round]!]
    const [chainA, chainB] = [historyA[round]!, historyB[round]!]
    for (const [i, party] of a.parties.entries()) {
      const [p, q] = [x.payloads[i], y.payloads[i]]
      const [s, u] = [x.signatures[i], y.signatures[i]]
      if (!p || !q || !s || !u || (equalBytes(p, q) && equalBytes(chainA, chainB))) continue
      if (signer(roundDigest(run, round, chainA, p), s) !== party) continue
      if (signer(roundDigest(run, round, chainB, q), u) !== party) continue
      const signed: [SignedRound, SignedRound] = [signedRound(chainA, p, s), signedRound(chainB, q, u)]
      return {
        ...{ kind: 'equivocation', jobId: toHex(a.jobId), nonce: toHex(a.nonce), party },
        ...{ round, signed },
      }
    }
  }
  return undefined
}

/** The chain value before each round; whether the last two close the run, their signatures tell. */
function history(t: Transcript, start: Uint8Array, signer: AuditFacts['signer']): Uint8Array[] {
  const run = runId(t.jobId, t.nonce)
  const values: Uint8Array[] = []
  let chain = start
  for (const [round, { payloads, signatures }] of t.rounds.entries()) {
    const closing = closingChain(chain)
    const closes = t.parties.some((party, i) => {
      const [payload, signature] = [payloads[i], signatures[i]]
      return payload && signature && signer(roundDigest(run, round, closing, payload), signature) === party
    })
    if (closes && round === t.rounds.length - 2) chain = closing
    values.push(chain)
    chain = chainNext(chain, payloads)
  }
  return values
}

/** What the contract takes of one signed broadcast. */
export function signedRound(previous: Uint8Array, payload: Uint8Array, signature: Uint8Array): SignedRound {
  return { previous: toHex(previous), payload: toHex(payloadDigest(payload)), signature: toHex(signature) }
}
