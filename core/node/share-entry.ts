import { turn } from '../base/turns.ts'
import type { ShareInfo } from '../ipc/index.ts'
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

/** The holders that count as healthy: those to which this node has a channel, and itself. */
export function healthyNodes(context: NodeContext): ReadonlySet<string> {
  if (!context.online()) return new Set()
  return new Set([context.transport.self, ...context.transport.connectedPeers()])
}

export function shareOf(
  healthy: ReadonlySet<string>,
  record: Pick<RecordSummary, 'id' | 'title'>,
  entry: ShareEntry,
): ShareInfo {
  const { revoked, holders, column, ...share } = storedShare(entry)
  return {
    ...share,
    recordId: record.id,
    title: record.title,
    ...(column === undefined ? {} : { column }),
    holders: holders.map((h) => ({ ...h, healthy: !revoked && healthy.has(h.nodeId) })),
    state: revoked ? 'revoked' : 'active',
  }
}

/** Every share in the vault, with the record it came from. */
export async function allShares(context: NodeContext): Promise<ShareInfo[]> {
  const records = [...(await context.vault.list()), ...(await context.vault.list({ trash: true }))]
  const healthy = healthyNodes(context)
  const shares: ShareInfo[] = []
  for (const record of records) {
    await turn()
    for (const entry of record.shares) shares.push(shareOf(healthy, record, entry))
  }
  return shares
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
