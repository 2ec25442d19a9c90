import { createHash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { layoutOf } from '../../../core/audit/layout.ts'
import { type AuditedResult, type AuditedRunOptions, runAudited } from '../../../core/audit/prover.ts'
import type { AuditFacts, AuditVerdict, Transcript } from '../../../core/audit/types.ts'
import { openOutput } from '../../../core/audit/verify.ts'
import { fromHex, utf8 } from '../../../core/base/bytes.ts'
import type { BuiltProgram } from '../../../core/circuits/types.ts'
import { commitVector } from '../../../core/commitments/pedersen.ts'
import { recoverSigner } from '../../../core/dht/signatures.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { FieldVector, PrimeField } from '../../../core/field/types.ts'
import { evidenceDigest } from '../../../core/ledger/evidence.ts'
import type { MaterialSource } from '../../../core/preprocessing/types.ts'
import { shareAdditively } from '../../../core/sharing/additive.ts'
import { encodeCommitments } from '../../../core/sharing/commitments.ts'
import { deal as dealVss } from '../../../core/sharing/vss.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import type { NodeId, Session } from '../../../core/transport/types.ts'
import { LocalSigner } from '../../../core/wallet/signer.ts'
import { deal } from '../spdz/dealer.ts'

export { field }

/** Any addresses do: signatures are checked under this domain. */
export const deployment = {
  chainId: 31337,
  addresses: { evidence: `0x${'ee'.repeat(20)}` } as never,
}

export function signers(n: number): LocalSigner[] {
  return Array.from(
    { length: n },
    (_, i) => new LocalSigner(fromHex((i + 1).toString(16).padStart(64, '9'), 32)),
  )
}

export const signer: AuditFacts['signer'] = (hash, signature) =>
  recoverSigner(evidenceDigest(deployment, hash), signature)

export interface AuditedCommittee {
  readonly parties: NodeId[]
  readonly keys: LocalSigner[]
  readonly facts: AuditFacts
  readonly outcomes: PromiseSettledResult<AuditedResult>[]
}

export interface RunOverrides {
  readonly wrap?: (session: Session, index: number, kind: 'audit' | 'spdz') => Session
  readonly party?: (index: number, options: AuditedRunOptions) => Partial<AuditedRunOptions>
  /** What a party takes instead of the dealer's material. */
  readonly material?: (dealer: MaterialSource, index: number) => Promise<MaterialSource>
  readonly timeoutMs?: number
  /** Shared beforehand, see `shareInputs`. */
  readonly shared?: SharedInputs
}

export interface SharedInputs {
  readonly originals: Uint8Array[]
  readonly values: FieldVector
  readonly masks: FieldVector
}

/** Each reference shared by its owner among 5 holders. */
export async function shareInputs(inputs: readonly (readonly bigint[])[]): Promise<SharedInputs> {
  const originals: Uint8Array[] = []
  const values: FieldVector[] = []
  const masks: FieldVector[] = []
  for (const list of inputs) {
    const secrets = field.fromBigints(list)
    const blinding = field.random(list.length)
    const dealing = await dealVss(secrets, { n: 5, t: 2 }, { masks: blinding })
    originals.push(await encodeCommitments(dealing.commitments))
    values.push(secrets)
    masks.push(blinding)
  }
  return { originals, values: field.concat(values), masks: field.concat(masks) }
}

/** An audited run of n parties in one process over inputs (one list a reference), with a dealer's material. */
export async function auditedRun(
  n: number,
  program: BuiltProgram,
  inputs: readonly (readonly bigint[])[],
  overrides: RunOverrides = {},
): Promise<AuditedCommittee> {
  const keys = signers(n)
  const parties = keys.map((k) => k.address as NodeId)
  const network = new MemoryNetwork()
  const nodes = parties.map((id) => network.join(id))
  const open = (id: string) =>
    Promise.all(
      nodes.map((node) =>
        node.openSession(
          id,
          parties.filter((p) => p !== node.self),
        ),
      ),
    )
  const [audit, spdz] = [await open('audit'), await open('spdz')]
  const materials: MaterialSource[] = await Promise.all(
    deal(parties, 7).map(async (dealer, i) => (await overrides.material?.(dealer, i)) ?? dealer),
  )

  const { originals, values, masks } = overrides.shared ?? (await shareInputs(inputs))
  const parts = shareAdditively(field, values, n)
  const maskParts = shareAdditively(field, masks, n)
  const commitments = parts.map((p, i) => commitVector(p, maskParts[i]!))

  const jobId = keccak_256(utf8('job'))
  let posted: Uint8Array | undefined
  const blockHash = keccak_256(utf8('block'))
  const outcomes = await Promise.allSettled(
    parties.map((_, i) => {
      const options: AuditedRunOptions = {
        field,
        auditSession: overrides.wrap?.(audit[i]!, i, 'audit') ?? audit[i]!,
        session: overrides.wrap?.(spdz[i]!, i, 'spdz') ?? spdz[i]!,
        parties,
        material: materials[i]!,
        program,
        inputs: { values: parts[i]!, masks: maskParts[i]!, commitments },
        originals,
        jobId,
        nonce: keccak_256(utf8('nonce')),
        context: utf8('plan'),
        sign: async (hash) => keys[i]!.signDigest(evidenceDigest(deployment, hash)),
        signer,
        ledger: {
          post: async (_run, digest) => {
            posted = digest
            return { writer: parties[0]!, block: 5 }
          },
          confirm: async () => blockHash,
        },
        roundTimeoutMs: overrides.timeoutMs ?? 2000,
        ledgerTimeoutMs: overrides.timeoutMs ?? 2000,
      }
      return runAudited({ ...options, ...overrides.party?.(i, options) })
    }),
  )
  const facts: AuditFacts = {
    jobId,
    program,
    references: inputs.map((list, k) => ({
      length: list.length,
      commitmentsDigest: createHash('sha256').update(originals[k]!).digest(),
    })),
    anchored: posted && { value: posted, blockHash },
    committee: [...parties].reverse(),
    signer,
  }
  return { parties, keys, facts, outcomes }
}

export function transcriptOf(run: AuditedCommittee): Transcript {
  for (const o of run.outcomes) {
    if (o.status === 'fulfilled') return o.value.transcript
    const carried = (o.reason as { transcript?: Transcript }).transcript
    if (carried !== undefined) return carried
  }
  throw (run.outcomes[0] as PromiseRejectedResult).reason
}

/** The result as the requester opens it with a verified transcript. */
export function resultOf(run: AuditedCommittee, verdict: AuditVerdict & { valid: true }): bigint[] {
  const { outputs } = layoutOf(run.facts.program.circuit)
  const sent = run.outcomes.map((o) => {
    if (o.status !== 'fulfilled') throw o.reason
    return { parts: field.slice(o.value.output, 0, outputs), masks: o.value.outputMasks }
  })
  return field.toBigints(openOutput(verdict, run.parties, sent).values)
}

/** A field whose encodings of shares are wrong at one call: whatever its party sends then is off by one. */
export function lying(call: number, calls: { count: number; length?: number }): PrimeField {
  return {
    ...field,
    toBytes(v: FieldVector) {
      if (calls.count++ !== call) return field.toBytes(v)
      calls.length = v.length
      const one = field.fromBigints(
        Array.from({ length: v.length }, (_, i) => (i === v.length - 1 ? 1n : 0n)),
      )
      return field.toBytes(field.add(v, one))
    },
  }
}
