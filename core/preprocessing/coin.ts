import { createHash } from 'node:crypto'
import { concatBytes, utf8 } from '../base/bytes.ts'
import { Prg, randomBytes } from '../base/random.ts'
import { commitMessage, NONCE_BYTES, openMessage } from '../commitments/hash.ts'
import { type PartyChannel, STEP } from './channel.ts'

/**
 * Every party's message, none of which can depend on another: commitments first, compared by all, then the messages.
 * `reveals` runs just before this party parts with its own. Throws MPC_ABORTED, naming a party whose message does not fit its
 * commitment.
 */
export async function commitAndOpen(
  channel: PartyChannel,
  message: Uint8Array,
  reveals?: () => void,
): Promise<Uint8Array[]> {
  const context = (i: number) => utf8(`enigma/preprocessing/commit/${channel.parties[i]}`)
  const { commitment, nonce } = commitMessage(context(channel.index), message)
  const commitments = await channel.broadcast(STEP.commit, commitment)
  await channel.echo()
  reveals?.()
  const revealed = await channel.broadcast(STEP.reveal, concatBytes(nonce, message))
  return revealed.map((bytes, i) => {
    const opened = bytes.subarray(NONCE_BYTES)
    try {
      openMessage(context(i), opened, { commitment: commitments[i]!, nonce: bytes.subarray(0, NONCE_BYTES) })
    } catch {
      throw channel.blame(i, 'BAD_OPENING', 'revealed something else than it had committed to')
    }
    return opened
  })
}

/** Randomness that is uniform as long as one party is honest. */
export async function tossCoins(channel: PartyChannel): Promise<Prg> {
  const parts = await commitAndOpen(channel, randomBytes(32))
  for (const [i, part] of parts.entries())
    if (part.length !== 32) throw channel.blame(i, 'MALFORMED', 'tossed a coin of another length')
  return new Prg(
    new Uint8Array(
      createHash('sha256')
        .update(concatBytes(...parts))
        .digest(),
    ),
  )
}
