import type { ShareInfo } from '../ipc/index.ts'
import type { NodeId } from '../transport/types.ts'
import type { PlainValue, RecordSummary, ShareEntry } from '../vault/types.ts'
import type { NodeContext } from './context.ts'

/** What the vault keeps about one sharing. */
export interface StoredShare {
  /** The reference a_x. */
  ref: string
  column?: string | undefined
  identity: string
  predicateId: string
  n: number
  t: number
  length: number
  holders: { index: number; nodeId: string }[]
  createdAt: number
  revoked: boolean
}

export function shareEntry(share: StoredShare): ShareEntry {
  const { ref, column, holders, ...rest } = share
  return {
    id: ref,
    ...rest,
    holders: holders.map((h): PlainValue => ({ ...h })),
    ...(column === undefined ? {} : { column }),
  }
}

export function storedShare(entry: ShareEntry): StoredShare {
  const { id, ...rest } = entry
  return { ...(rest as unknown as Omit<StoredShare, 'ref'>), ref: id }
}

/** A holder counts as healthy while this node has a channel to it. */
function isHealthy(context: NodeContext, node: string): boolean {
  if (!context.online()) return false
  return node === context.transport.self || context.transport.connectedPeers().includes(node as NodeId)
}

export function shareOf(
  context: NodeContext,
  record: Pick<RecordSummary, 'id' | 'title'>,
  entry: ShareEntry,
): ShareInfo {
  const { revoked, holders, column, ...share } = storedShare(entry)
  return {
    ...share,
    recordId: record.id,
    title: record.title,
    ...(column === undefined ? {} : { column }),
    holders: holders.map((h) => ({ ...h, healthy: !revoked && isHealthy(context, h.nodeId) })),
    state: revoked ? 'revoked' : 'active',
  }
}

/** Every share in the vault, with the record it came from. */
export async function allShares(context: NodeContext): Promise<ShareInfo[]> {
  const records = [...(await context.vault.list()), ...(await context.vault.list({ trash: true }))]
  return records.flatMap((record) => record.shares.map((entry) => shareOf(context, record, entry)))
}

/** Changes what the vault keeps about a share; no change when the vault does not know it. */
export async function changeShare(
  context: NodeContext,
  ref: string,
  change: Partial<StoredShare>,
): Promise<void> {
  const records = [...(await context.vault.list()), ...(await context.vault.list({ trash: true }))]
  for (const record of records) {
    const entry = record.shares.find((s) => s.id === ref)
    if (entry !== undefined)
      await context.vault.putShare(record.id, shareEntry({ ...storedShare(entry), ...change }))
  }
}
