import { createHash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'

const WORD = 32
/** EIP-712 type of one party's broadcast in one round; contracts compute the same. */
export const ROUND_TYPE = 'Round(bytes32 run,uint32 round,bytes32 previous,bytes32 payload)'
const RUN_TYPE = 'Run(bytes32 jobId,bytes32 nonce)'

const word = (bytes: Uint8Array, name: string): Uint8Array => {
  if (bytes.length !== WORD)
    throw new EnigmaError('INVALID_ARGUMENT', `${name} has ${WORD} bytes, not ${bytes.length}`)
  return bytes
}

const uint32 = (value: number): Uint8Array => {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new EnigmaError('INVALID_ARGUMENT', `${value} is not a round`)
  const out = new Uint8Array(WORD)
  new DataView(out.buffer).setUint32(WORD - 4, value)
  return out
}

/**
 * Names one execution of a job: keccak256 over its 32-byte id and a 32-byte nonce. A node that signs two different
 * payloads for one round of one run has equivocated, so an honest node never takes part in two runs with the same
 * nonce; the audit derives it from the material the run consumes, which is claimed once, durably.
 */
export function runId(jobId: Uint8Array, nonce: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(keccak_256(utf8(RUN_TYPE)), word(jobId, 'a job id'), word(nonce, 'a nonce')))
}

/** SHA-256: contracts take it as it is, and it is many times quicker here than keccak-256. */
export function payloadDigest(payload: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(payload).digest())
}

/**
 * What a party signs of its broadcast in one round (32 bytes): the EIP-712 struct hash of ROUND_TYPE. `previous` is
 * the chain value before the round, the same at all parties that saw the same; `payload` all bytes that the party
 * broadcast in the round, in order. The signer adds the domain of the ledger's Evidence contract. Throws
 * INVALID_ARGUMENT.
 */
export function roundDigest(
  run: Uint8Array,
  round: number,
  previous: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  return statementDigest(run, round, previous, payloadDigest(payload))
}

/** The same, for whoever knows the payload's digest only. Throws INVALID_ARGUMENT. */
export function statementDigest(
  run: Uint8Array,
  round: number,
  previous: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  return keccak_256(
    concatBytes(
      keccak_256(utf8(ROUND_TYPE)),
      word(run, 'a run'),
      uint32(round),
      word(previous, 'a chain value'),
      word(payload, 'the digest of a payload'),
    ),
  )
}

/** The chain value before round 0, from the digest of what the committee is about to run. */
export function chainStart(context: Uint8Array): Uint8Array {
  return keccak_256(context)
}

/** The chain value after a round: previous ‖ the digest of every party's payload, in party order, hashed. */
export function chainNext(previous: Uint8Array, payloads: readonly Uint8Array[]): Uint8Array {
  return keccak_256(concatBytes(word(previous, 'a chain value'), ...payloads.map(payloadDigest)))
}
