import { EnigmaError } from '../base/errors.ts'
import type { Hex } from '../ledger/types.ts'
import type { NodeId } from '../transport/types.ts'
import type { NodeContext } from './context.ts'
import { allShares, changeShare } from './share-entry.ts'

/** Learns where repair has moved the owner's shares, so that the share ring shows the holders of today. */
export async function refreshHolders(context: NodeContext): Promise<void> {
  try {
    if (!(await context.vault.status()).unlocked) return
    for (const share of await allShares(context)) {
      if (share.state !== 'active') continue
      const hint = share.holders.map((h) => h.nodeId as NodeId)
      const receipts = await context.dht.client.locate('share', share.ref as Hex, { hint })
      const found = new Map(receipts.map((r) => [r.index, r.holder]))
      const holders = share.holders.map((h) => ({ index: h.index, nodeId: found.get(h.index) ?? h.nodeId }))
      for (const [index, nodeId] of found)
        if (!holders.some((h) => h.index === index)) holders.push({ index, nodeId })
      if (
        JSON.stringify(holders) !==
        JSON.stringify(share.holders.map(({ index, nodeId }) => ({ index, nodeId })))
      ) {
        await changeShare(context, share.ref, { holders: holders.sort((a, b) => a.index - b.index) })
        context.events.emit({ type: 'sharing' })
      }
    }
  } catch (error) {
    context.log.debug('holders not refreshed', { code: EnigmaError.from(error).code })
  }
}
