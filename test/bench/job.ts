import { keccak_256 } from '@noble/hashes/sha3.js'
import { commitInSlices } from '../../core/audit/committing.ts'
import { auditedMaterial } from '../../core/audit/layout.ts'
import { runAudited } from '../../core/audit/prover.ts'
import { encodeTranscript } from '../../core/audit/transcript.ts'
import { utf8 } from '../../core/base/bytes.ts'
import { CircuitBuilder } from '../../core/circuits/builder.ts'
import { runCircuit } from '../../core/circuits/run.ts'
import type { BuiltProgram } from '../../core/circuits/types.ts'
import { g1 } from '../../core/commitments/g1.ts'
import { bn254Scalar as field } from '../../core/field/fields.ts'
import type { FieldVector } from '../../core/field/types.ts'
import { evidenceDigest } from '../../core/ledger/evidence.ts'
import type {
  Amounts,
  AuthShare,
  CommittedKind,
  MaterialSource,
  ReadyCommitments,
} from '../../core/preprocessing/types.ts'
import { materialFor, spdzEngine } from '../../core/spdz/engine.ts'
import { authenticate } from '../../core/spdz/input.ts'
import { outputShares } from '../../core/spdz/output.ts'
import { joinSpdz } from '../../core/spdz/party.ts'
import type { NodeId, Session } from '../../core/transport/types.ts'
import type { LocalSigner } from '../../core/wallet/signer.ts'
import { deployment, signer } from '../unit/audit/committee.ts'
import { dealOne } from '../unit/spdz/dealer.ts'

export const INPUTS = 64
export const GATES = 4096
const ROUND_TIMEOUT_MS = 60_000

/** What the ledger would say. */
export const LEDGER = {
  jobId: keccak_256(utf8('job')),
  blockHash: keccak_256(utf8('block')),
} as const

/** GATES products of few inputs, so that gates are what takes time: GATES/INPUTS times the sum of the inputs' squares. */
export function jobProgram(): BuiltProgram {
  const b = new CircuitBuilder()
  const x = b.input(INPUTS)
  const wide = b.concat(Array.from({ length: GATES / INPUTS }, () => x))
  return { circuit: b.output(b.sum(b.mul(wide, wide))).build(), params: [] }
}

/** One party's parts of the inputs, and what all know of them; encoded. */
export interface JobInputs {
  readonly values: Uint8Array
  readonly masks: Uint8Array
  readonly commitments: readonly Uint8Array[]
  readonly originals: readonly Uint8Array[]
}

export interface JobOrder {
  readonly id: string
  readonly audited: boolean
  /** Whether the material comes with commitments that were made ahead. */
  readonly committed: boolean
  readonly inputs: JobInputs
}

export interface JobOutcome {
  readonly seconds: number[]
  /** As `outputShares` makes it. */
  readonly output: Uint8Array
  readonly audit?: {
    readonly outputMasks: Uint8Array
    readonly transcript: Uint8Array
    /** Only at the party that posts: the digest on the ledger. */
    readonly posted: Uint8Array | undefined
  }
}

export interface JobParty {
  readonly parties: readonly NodeId[]
  readonly index: number
  readonly key: LocalSigner
  open(id: string): Promise<Session>
}

/**
 * One party's side of a job under SPDZ, audited or not, over a dealer's material, which is there when this returns. The job
 * itself runs at the call, from its sessions to the party's part of the result; the ledger answers at once.
 */
export async function prepareJob(party: JobParty, job: JobOrder): Promise<() => Promise<JobOutcome>> {
  const { parties, index } = party
  const program = jobProgram()
  const amounts = (job.audited ? auditedMaterial : materialFor)(program.circuit)
  const material = await claimed(dealOne(parties, index), amounts, job.committed)
  const inputs = {
    values: field.fromBytes(job.inputs.values),
    masks: field.fromBytes(job.inputs.masks),
    commitments: job.inputs.commitments.map((points) => g1.fromBytes(points)),
  }
  const common = { field, parties, material, roundTimeoutMs: ROUND_TIMEOUT_MS }

  const audited = async (): Promise<Omit<JobOutcome, 'seconds'>> => {
    let posted: Uint8Array | undefined
    const { output, outputMasks, transcript } = await runAudited({
      ...common,
      auditSession: await party.open(`${job.id}/audit`),
      session: await party.open(`${job.id}/spdz`),
      program,
      inputs,
      originals: job.inputs.originals,
      jobId: LEDGER.jobId,
      nonce: keccak_256(utf8(job.id)),
      context: utf8('plan'),
      sign: async (hash) => party.key.signDigest(evidenceDigest(deployment, hash)),
      signer,
      ledger: {
        post: async (_, digest) => {
          posted = digest
          return { writer: parties[0]!, block: 5 }
        },
        confirm: async () => LEDGER.blockHash,
      },
      ledgerTimeoutMs: ROUND_TIMEOUT_MS,
    })
    const audit = {
      outputMasks: field.toBytes(outputMasks),
      transcript: encodeTranscript(transcript),
      posted,
    }
    return { output: field.toBytes(output), audit }
  }
  const plain = async (): Promise<Omit<JobOutcome, 'seconds'>> => {
    const spdz = await joinSpdz({ ...common, session: await party.open(`${job.id}/spdz`) })
    const all = await authenticate(spdz, inputs)
    const result = await runCircuit(spdzEngine(spdz, material), program.circuit, [all])
    const output = await outputShares(spdz, material, result)
    await spdz.close()
    return { output: field.toBytes(output) }
  }
  return async () => {
    const start = performance.now()
    const outcome = await (job.audited ? audited() : plain())
    return { seconds: [(performance.now() - start) / 1000], ...outcome }
  }
}

/** A source that has all of the job's material, as a claim on the store has. */
async function claimed(
  dealer: MaterialSource,
  amounts: Amounts,
  committed: boolean,
): Promise<MaterialSource> {
  const { triple = 0, random = 0, mask = 0 } = amounts
  const { a, b, c } = await dealer.triples(triple)
  const triples = { a: inOrder(a), b: inOrder(b), c: inOrder(c) }
  const allRandoms = await dealer.randoms(random)
  const randoms = inOrder(allRandoms)
  const ready = new Map<CommittedKind, readonly ReadyCommitments[]>()
  if (committed) {
    ready.set('triple', await commitTo([a, b, c]))
    ready.set('random', await commitTo([allRandoms]))
  }
  const masks = await Promise.all(
    dealer.epoch.parties.map(async (_, owner) => {
      const { shares, clear } = await dealer.masks(owner, mask)
      return { shares: inOrder(shares), clear: clear && slices(clear) }
    }),
  )
  return {
    ...dealer,
    triples: async (n) => ({ a: triples.a(n), b: triples.b(n), c: triples.c(n) }),
    randoms: async (n) => randoms(n),
    ready: (kind) => ready.get(kind) ?? [],
    masks: async (owner, n) => {
      const { shares, clear } = masks[owner]!
      return { shares: shares(n), ...(clear && { clear: clear(n) }) }
    },
  }
}

/** As the store commits ahead. */
async function commitTo(all: readonly AuthShare[]): Promise<ReadyCommitments[]> {
  const masks: Uint8Array[] = []
  const points: Uint8Array[] = []
  for (const { share } of all) {
    const blinding = field.random(share.length)
    points.push(await commitInSlices(share, blinding))
    masks.push(field.toBytes(blinding))
  }
  return [{ from: 0, count: all[0]!.share.length, masks, points }]
}

function slices(v: FieldVector): (count: number) => FieldVector {
  let at = 0
  return (count) => {
    at += count
    return field.slice(v, at - count, at)
  }
}

function inOrder(x: AuthShare): (count: number) => AuthShare {
  const [share, mac] = [slices(x.share), slices(x.mac)]
  return (count) => ({ share: share(count), mac: mac(count) })
}
