import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { recoverSigner } from '../dht/signatures.ts'
import type { HolderPolicy, ShareRecord } from '../dht/types.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Hex } from '../ledger/types.ts'
import { decodeCommitments, freeCommitments } from '../sharing/commitments.ts'
import { freeShare, verifyShare } from '../sharing/vss.ts'

/** Whether a share fits the commitments that came with it; false for anything malformed. */
export async function fitsCommitments(record: ShareRecord): Promise<boolean> {
  try {
    const commitments = await decodeCommitments(record.commitments, { t: record.t, length: record.length })
    try {
      await turn()
      const values = field.fromBytes(record.values)
      await turn()
      const share = { index: record.index, values, masks: field.fromBytes(record.masks) }
      try {
        return await verifyShare(share, commitments)
      } finally {
        freeShare(share)
      }
    } finally {
      freeCommitments(commitments)
    }
  } catch (error) {
    if (error instanceof EnigmaError) return false
    throw error
  }
}

/** What a holder asks before it stores or releases anything: always its own chain client, at a confirmed block. */
export function holderPolicy(ledger: Ledger): HolderPolicy {
  return {
    async verifyAuthorization(authorization, digest) {
      return (
        authorization.signer === authorization.owner &&
        recoverSigner(digest, authorization.signature) === authorization.signer
      )
    },
    verifyShareRecord: fitsCommitments,
    async verifyRequester(request, digest) {
      return recoverSigner(digest, request.signature) === request.requester
    },
    async authorise(request, record) {
      // Shares are released in the clear to their dealer alone; jobs get re-sharings (compute/release).
      if (record.kind === 'share') {
        const reference = await ledger.reference(request.key)
        return (
          request.purpose === 'declassify' &&
          reference?.state === 'active' &&
          reference.owner === request.requester
        )
      }
      // Encrypted data: the owner's alone, unless the request names a reference whose read rule admits the requester.
      if (request.purpose === 'load') return record.owner === request.requester
      if (!/^0x[0-9a-f]{64}$/.test(request.purpose)) return false
      const ref = request.purpose as Hex
      const reference = await ledger.reference(ref)
      return (
        reference?.kind === 'encrypted' &&
        reference.owner === record.owner &&
        reference.commitmentsDigest === record.content &&
        (await ledger.canRead(ref, request.requester))
      )
    },
    async ledgerOpinion(kind, key, content, owner) {
      const reference = await ledger.reference(key)
      if (reference === undefined || reference.kind !== kind) return 'unknown'
      if (reference.state === 'revoked') return 'revoked'
      return reference.owner === owner && reference.commitmentsDigest === (content as Hex)
        ? 'active'
        : 'unknown'
    },
  }
}
