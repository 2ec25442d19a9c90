import { decodeTranscript, transcriptDigest } from '../../audit/transcript.ts'
import type { AuditFacts, AuditVerdict, Transcript } from '../../audit/types.ts'
import { checkOutput, verifyTranscript } from '../../audit/verify.ts'
import { fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { g1 } from '../../commitments/g1.ts'
import { commitVector } from '../../commitments/pedersen.ts'
import { recoverSigner } from '../../dht/signatures.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import { evidenceDigest } from '../../ledger/evidence.ts'
import type { Hex, JobRecord, LedgerDeployment } from '../../ledger/types.ts'
import { buildJob } from './program.ts'
import { unpackReferences } from './references.ts'

/** `AuditFacts` as the ledger has them: the signatures are under this deployment's domain. */
export interface PlainFacts extends Omit<AuditFacts, 'signer' | 'program' | 'references'> {
  readonly deployment: Pick<LedgerDeployment, 'chainId' | 'addresses'>
  readonly job: Pick<JobRecord, 'functionId'>
  readonly params: Uint8Array
  /** The job's inputs, as `packReferences` makes them. */
  readonly references: Uint8Array
}

/** Of a transcript, whose run it is. */
export type Heading = Pick<Transcript, 'jobId' | 'nonce' | 'anchor' | 'parties'>

/** The signer of a struct hash under a ledger's domain; undefined when the signature is malformed. */
export function signerUnder(deployment: PlainFacts['deployment']): AuditFacts['signer'] {
  return (structHash, signature) => recoverSigner(evidenceDigest(deployment, structHash), signature)
}

/** What audits compute, for the threads of audit-threads.ts. */
export class AuditService {
  /** Of an encoded transcript. Throws TRANSCRIPT_INVALID, also when it is not the one with this digest. */
  heading(encoded: Uint8Array, digest: Hex): Heading {
    if (toHex(transcriptDigest(encoded)) !== digest)
      throw new EnigmaError('TRANSCRIPT_INVALID', 'the transcript is not the one that the ledger names')
    const { jobId, nonce, anchor, parties } = decodeTranscript(encoded.slice())
    return { jobId, nonce, anchor, parties }
  }

  /** `verifyTranscript`, also of an encoded one. Throws UNSUPPORTED when this version has no such function. */
  verify(transcript: Transcript | Uint8Array, facts: PlainFacts): Promise<AuditVerdict> {
    const { deployment, job, params, references: packed, ...rest } = facts
    const references = unpackReferences(packed)
    return verifyTranscript(
      transcript instanceof Uint8Array ? decodeTranscript(transcript.slice()) : transcript,
      {
        ...rest,
        program: buildJob({ job, params, references }),
        references: references.map(({ length, commitmentsDigest }) => ({
          length,
          commitmentsDigest: fromHex(commitmentsDigest, 32),
        })),
        signer: signerUnder(deployment),
      },
    )
  }

  /** Whether values and masks, encoded one after the other, are the result that a transcript commits to. */
  opens(verdict: AuditVerdict & { valid: true }, opening: Uint8Array): boolean {
    const both = field.fromBytes(opening)
    const half = both.length / 2
    const output = { values: field.slice(both, 0, half), masks: field.slice(both, half, both.length) }
    try {
      return checkOutput(verdict, output)
    } finally {
      for (const vector of [both, output.values, output.masks]) vector.free()
    }
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
