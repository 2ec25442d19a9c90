import { EnigmaError } from '../base/errors.ts'
import type { ShareInfo } from '../ipc/index.ts'
import type { Hex } from '../ledger/types.ts'
import type { NodeId } from '../transport/types.ts'
import type { NodeContext } from './context.ts'
import { allShares, changeShare } from './share-entry.ts'

/** Shares that one go looks after; the next takes the next ones. */
const SHARES_AT_ONCE = 50

/** Learns where repair has moved the owner's shares, so that the share ring shows the holders of today. */
export class Upkeep {
  readonly #context: NodeContext
  #next = 0
  #busy = false

  constructor(context: NodeContext) {
    this.#context = context
  }

  /** Does nothing while it is under way already. Never throws. */
  async refreshHolders(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      if (!(await this.#context.vault.status()).unlocked) return
      const active = (await allShares(this.#context)).filter((share) => share.state === 'active')
      const from = this.#next < active.length ? this.#next : 0
      this.#next = from + SHARES_AT_ONCE
      for (const share of active.slice(from, this.#next)) await this.#refresh(share)
    } catch (error) {
      this.#context.log.debug('holders not refreshed', { code: EnigmaError.from(error).code })
    } finally {
      this.#busy = false
    }
  }

  async #refresh(share: ShareInfo): Promise<void> {
    const { dht, events } = this.#context
    const known = share.holders.map(({ index, nodeId }) => ({ index, nodeId }))
    const hint = known.map((h) => h.nodeId as NodeId)
    const receipts = await dht.client.locate('share', share.ref as Hex, { hint })
    const found = new Map(receipts.map((r) => [r.index, r.holder]))
    const holders = known.map(({ index, nodeId }) => ({ index, nodeId: found.get(index) ?? nodeId }))
    for (const [index, nodeId] of found)
      if (!holders.some((h) => h.index === index)) holders.push({ index, nodeId })
    if (JSON.stringify(holders) === JSON.stringify(known)) return
    await changeShare(this.#context, share.ref, { holders: holders.sort((a, b) => a.index - b.index) })
    events.emit({ type: 'sharing' })
  }
}
