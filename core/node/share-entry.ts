import type { ShareInfo } from '../ipc/index.ts'
import type { Hex } from '../ledger/types.ts'
import type { NodeId } from '../transport/types.ts'
import type { RecordSummary, ShareEntry } from '../vault/types.ts'
import type { NodeContext } from './context.ts'

/** What the vault keeps about one sharing; `id` is the reference a_x. */
export interface StoredShare extends ShareEntry {
  identity: string
  predicateId: string
  n: number
  t: number
  length: number
  /** Holder of index i + 1. */
  holders: string[]
  createdAt: number
  revoked: boolean
}

export function shareEntry(share: {
  ref: Hex
  identity: Hex
  predicateId: Hex
  n: number
  t: number
  length: number
  holders: NodeId[]
  createdAt: number
  column?: string | undefined
}): StoredShare {
  const { ref, column, ...rest } = share
  return { id: ref, ...rest, revoked: false, ...(column === undefined ? {} : { column }) }
}

/** A holder counts as healthy while this node has a channel to it. */
export function isHealthy(context: NodeContext, node: string): boolean {
  return node === context.transport.self || context.transport.connectedPeers().includes(node as NodeId)
}

export function shareOf(
  context: NodeContext,
  record: Pick<RecordSummary, 'id' | 'title'>,
  entry: ShareEntry,
): ShareInfo {
  const stored = entry as StoredShare
  return {
    ref: stored.id,
    recordId: record.id,
    title: record.title,
    ...(typeof stored.column === 'string' ? { column: stored.column } : {}),
    identity: stored.identity,
    predicateId: stored.predicateId,
    n: stored.n,
    t: stored.t,
    length: stored.length,
    holders: stored.holders.map((nodeId, i) => ({
      index: i + 1,
      nodeId,
      healthy: !stored.revoked && isHealthy(context, nodeId),
    })),
    state: stored.revoked ? 'revoked' : 'active',
    createdAt: stored.createdAt,
  }
}

/** Every share in the vault, with the record it came from. */
export async function allShares(context: NodeContext): Promise<ShareInfo[]> {
  const records = [...(await context.vault.list()), ...(await context.vault.list({ trash: true }))]
  return records.flatMap((record) => record.shares.map((entry) => shareOf(context, record, entry)))
}
