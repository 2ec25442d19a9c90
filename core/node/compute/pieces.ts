import { toHex, utf8 } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { digestOf } from '../../dht/cbor.ts'
import { recoverSigner } from '../../dht/signatures.ts'
import type { Hex, LedgerDeployment } from '../../ledger/types.ts'
import { type PartyChannel, STEP } from '../../preprocessing/channel.ts'
import { digestCommitments } from '../../sharing/commitments.ts'
import type { NodeId } from '../../transport/types.ts'
import { decodeMessage, encodeMessage, type Message } from './messages.ts'

/** What a sealed part of the result is bound to. */
export function sealAad(jobId: Hex, attempt: number, index: number): Uint8Array {
  return utf8(`enigma/output/${jobId}/${attempt}/${index}`)
}

type Attempt = Pick<Message<'piece'>, 'jobId' | 'attempt' | 'coordinator'>
/** What a holder has signed of its pieces. */
export type Signed = Message<'received'>['pieces'][number]

/**
 * The 32 bytes that a holder signs of its pieces for one attempt: the same for all members, so that two that differ show
 * that it dealt twice. An honest holder deals once for an attempt of a coordinator (holder.ts).
 */
export function pieceDigest(
  { chainId, addresses }: Pick<LedgerDeployment, 'chainId' | 'addresses'>,
  { jobId, attempt, coordinator }: Attempt,
  commitments: Hex,
): Uint8Array {
  return digestOf('enigma/compute/piece/1', [
    chainId,
    addresses.jobs,
    jobId,
    attempt,
    coordinator,
    commitments,
  ])
}

/** Digest of a piece's commitments. Throws SHARE_INVALID (details.holder) unless the holder has signed it. */
export function requireSignedPiece(
  deployment: Pick<LedgerDeployment, 'chainId' | 'addresses'>,
  holder: NodeId,
  piece: Attempt & Pick<Message<'piece'>, 'commitments' | 'signature'>,
): Hex {
  const commitments = toHex(digestCommitments(piece.commitments))
  if (recoverSigner(pieceDigest(deployment, piece, commitments), piece.signature) !== holder)
    throw new EnigmaError('SHARE_INVALID', `holder ${holder} did not sign its piece`, { details: { holder } })
  return commitments
}

/**
 * That all members have the same plan and the same commitments of every holder, before they take one another's word for
 * anything that follows from them. Throws SHARE_INVALID (details.holder) for a holder that has signed two different ones,
 * and MPC_ABORTED for a member that shows something else than its plan asks for or a holder has signed (details.party).
 * Different plans name nobody, except to their leader, who has sent one.
 */
export async function agreeOnPieces(
  channel: PartyChannel,
  own: Message<'received'>,
  attempt: Attempt,
  deployment: Pick<LedgerDeployment, 'chainId' | 'addresses'>,
): Promise<void> {
  const payloads = await channel.broadcast(STEP.hello, encodeMessage('received', own))
  const told = payloads.map((bytes, i) => {
    try {
      return decodeMessage('received', bytes)
    } catch {
      throw channel.blame(i, 'MALFORMED', 'did not say what it has received')
    }
  })
  for (const [i, { plan, pieces }] of told.entries()) {
    if (plan !== own.plan) {
      if (attempt.coordinator === channel.parties[channel.index])
        throw channel.blame(i, 'DIFFERENT_PROGRAM', 'has another plan than it was given')
      throw channel.fail('ECHO', 'the members were given different plans')
    }
    if (pieces.length !== own.pieces.length || pieces.some((p, k) => p.holder !== own.pieces[k]!.holder))
      throw channel.blame(i, 'MALFORMED', 'has received pieces of other holders')
  }
  const twice = new Set<NodeId>()
  for (const [i, { pieces }] of told.entries())
    for (const [k, { holder, commitments, signature }] of pieces.entries()) {
      if (commitments === own.pieces[k]!.commitments) continue
      if (recoverSigner(pieceDigest(deployment, attempt, commitments), signature) !== holder)
        throw channel.blame(i, 'BAD_SIGNATURE', `shows a piece that ${holder} did not sign`)
      twice.add(holder)
    }
  const [holder] = twice
  if (holder !== undefined)
    throw new EnigmaError('SHARE_INVALID', `holder ${holder} dealt different pieces to different members`, {
      details: { holder },
    })
}
