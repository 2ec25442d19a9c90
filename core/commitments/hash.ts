import { timingSafeEqual } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'

const TAG = utf8('enigma-vault/hash-commitment/v1')
export const NONCE_BYTES = 32

export interface HashCommitment {
  /** 32 bytes, to publish. */
  commitment: Uint8Array
  /** 32 bytes, kept until the commitment is opened. */
  nonce: Uint8Array
}

function digest(context: Uint8Array, message: Uint8Array, nonce: Uint8Array): Uint8Array {
  const lengths = new Uint8Array(16)
  const view = new DataView(lengths.buffer)
  view.setBigUint64(0, BigInt(context.length))
  view.setBigUint64(8, BigInt(message.length))
  return sha256(concatBytes(TAG, nonce, lengths, context, message))
}

/**
 * sha256(tag ‖ nonce ‖ lengths ‖ context ‖ message) with a fresh nonce: commit-and-open. `context` names the session,
 * the round and the committing party, so that a commitment cannot be replayed as another party's.
 */
export function commitMessage(
  context: Uint8Array,
  message: Uint8Array,
  nonce: Uint8Array = randomBytes(NONCE_BYTES),
): HashCommitment {
  if (nonce.length !== NONCE_BYTES)
    throw new EnigmaError('INVALID_ARGUMENT', `a nonce has ${NONCE_BYTES} bytes, not ${nonce.length}`)
  return { commitment: digest(context, message, nonce), nonce }
}

/** Throws COMMITMENT_MISMATCH unless `commitment` opens to the message with this nonce. */
export function openMessage(
  context: Uint8Array,
  message: Uint8Array,
  { commitment, nonce }: HashCommitment,
): void {
  const valid =
    nonce.length === NONCE_BYTES &&
    commitment.length === 32 &&
    timingSafeEqual(commitment, digest(context, message, nonce))
  if (!valid) throw new EnigmaError('COMMITMENT_MISMATCH', 'the commitment does not open to this message')
}
