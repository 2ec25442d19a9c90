import { EnigmaError } from '../../base/errors.ts'
import { centered, formatFixed } from '../../circuits/fixed.ts'
import { hashBytes } from '../../dht/cbor.ts'
import type { ShareRecord } from '../../dht/types.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import type { Hex, ReferenceRecord } from '../../ledger/types.ts'
import { decodeCommitments, freeCommitments } from '../../sharing/commitments.ts'
import { freeShare, reconstructVerified } from '../../sharing/vss.ts'
import type { NodeId } from '../../transport/types.ts'
import { account, confirmed, type Handlers, logActivity, type NodeContext } from '../context.ts'
import type { JobHandle } from '../jobs.ts'
import { allShares } from '../share-entry.ts'
import { ownerSigner } from './share.ts'

export interface Declassified {
  ref: string
  values: string[]
  badHolders: NodeId[]
}

type Held = { holder: NodeId; record: ShareRecord }

/** The values behind a reference of mine: MPC.declassify (paper §5.7). Bad shares are ignored and their holders named. */
export async function declassify(
  context: NodeContext,
  reference: ReferenceRecord,
  signal: AbortSignal,
  onProgress: (phase: string, progress: number) => void,
): Promise<Declassified> {
  const { dht } = context
  const { ref } = reference
  onProgress('locate', 0.1)
  const known = (await allShares(context)).find((s) => s.ref === ref)?.holders.map((h) => h.nodeId as NodeId)
  const receipts = await dht.client.locate('share', ref, { hint: known ?? [], signal })
  onProgress('collect', 0.3)
  const { records, failures } = await dht.client.load('share', ref, {
    signer: ownerSigner(context),
    purpose: 'declassify',
    holders: receipts.map((r) => r.holder),
    signal,
  })
  onProgress('verify', 0.7)
  const fits = (r: Held) =>
    hashBytes(r.record.commitments) === reference.commitmentsDigest && r.record.length === reference.length
  const usable = records.filter(fits)
  const bad = records.filter((r) => !fits(r)).map((r) => r.holder)
  const first = usable[0]
  if (first === undefined || usable.length < reference.t + 1)
    throw new EnigmaError(
      'SHARES_TOO_FEW',
      `${usable.length} of ${reference.t + 1} needed shares could be collected`,
      {
        remedy: 'Nothing is lost; try again when more holders are online.',
        details: { have: usable.length, need: reference.t + 1, refused: failures.length },
      },
    )
  const commitments = await decodeCommitments(first.record.commitments, {
    t: reference.t,
    length: reference.length,
  })
  const shares = usable.map(({ record }) => ({
    index: record.index,
    values: field.fromBytes(record.values),
    masks: field.fromBytes(record.masks),
  }))
  try {
    const opened = await reconstructVerified(shares, commitments, { signal })
    for (const at of opened.bad) bad.push(usable.find((r) => r.record.index === at)?.holder as NodeId)
    const values = field.toBigints(opened.secrets).map((v) => formatFixed(centered(v, field.modulus)))
    opened.secrets.free()
    opened.masks.free()
    return { ref, values, badHolders: bad }
  } finally {
    shares.forEach(freeShare)
    freeCommitments(commitments)
  }
}

export function declassifyHandlers(context: NodeContext, results: Map<string, Declassified>): Handlers {
  const { jobs, ledger } = context

  jobs.register('declassify', async (job: JobHandle<{ ref: Hex }>) => {
    const reference = await mine(context, job.state.ref)
    const opened = await declassify(context, reference, job.signal, (phase, progress) =>
      job.update(phase, progress),
    )
    results.set(job.id, opened)
    await logActivity(context, 'share.declassified', {
      ref: reference.ref,
      badHolders: opened.badHolders.length,
    })
    return { ref: reference.ref }
  })

  return {
    'declassify.start': async ({ ref }, call) => {
      const reference = await mine(context, ref as Hex)
      const share = (await allShares(context)).find((s) => s.ref === ref)
      await confirmed(call, {
        kind: 'declassify',
        method: 'declassify.start',
        facts: {
          ref,
          values: String(reference.length),
          to: account(context).address,
          ...(share === undefined ? {} : { title: share.title }),
        },
      })
      return { jobId: jobs.start('declassify', share?.title ?? ref, { ref: ref as Hex }) }
    },
    'declassify.result': async ({ jobId }) => {
      account(context)
      const opened = results.get(jobId)
      if (opened === undefined)
        throw new EnigmaError('NOT_FOUND', `jobId: ${jobId} has no values here`, {
          remedy: 'Values are kept in memory until the vault is locked; reveal them again.',
        })
      return opened
    },
  }

  async function mine(of: NodeContext, ref: Hex): Promise<ReferenceRecord> {
    const reference = await ledger.reference(ref)
    if (reference === undefined || reference.owner !== account(of).address)
      throw new EnigmaError('NOT_FOUND', `ref: ${ref} is not shared by you`)
    if (reference.state !== 'active')
      throw new EnigmaError('PERMISSION_DENIED', `ref: ${ref} was revoked; its shares are erased`)
    return reference
  }
}
