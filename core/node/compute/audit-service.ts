import type { AuditFacts, AuditVerdict, Transcript } from '../../audit/types.ts'
import { verifyTranscript } from '../../audit/verify.ts'
import { g1 } from '../../commitments/g1.ts'
import { commitVector } from '../../commitments/pedersen.ts'
import { recoverSigner } from '../../dht/signatures.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import { evidenceDigest } from '../../ledger/evidence.ts'
import type { LedgerDeployment } from '../../ledger/types.ts'

/** `AuditFacts` as data: the signatures are under this deployment's domain. */
export type PlainFacts = Omit<AuditFacts, 'signer'> & {
  readonly deployment: Pick<LedgerDeployment, 'chainId' | 'addresses'>
}

/** The signer of a struct hash under a ledger's domain; undefined when the signature is malformed. */
export function signerUnder(deployment: PlainFacts['deployment']): AuditFacts['signer'] {
  return (structHash, signature) => recoverSigner(evidenceDigest(deployment, structHash), signature)
}

/** What audits compute on points, for the threads of audit-threads.ts. */
export class AuditService {
  verify(transcript: Transcript, { deployment, ...facts }: PlainFacts): Promise<AuditVerdict> {
    return verifyTranscript(transcript, { ...facts, signer: signerUnder(deployment) })
  }

  /** Pedersen commitments of 64 bytes each to values under masks, both as `toMontgomery` encodes them. */
  commit(values: Uint8Array, masks: Uint8Array): Uint8Array {
    const [v, m] = [field.fromMontgomery(values), field.fromMontgomery(masks)]
    const points = commitVector(v, m)
    const bytes = g1.toBytes(points)
    for (const part of [v, m, points]) part.free()
    return bytes
  }
}
