import type { Candidate } from '../dht/types.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { NodeRecord } from '../ledger/types.ts'
import type { NodeId } from '../transport/types.ts'
import type { LedgerIndex } from './ledger-index.ts'

const EVENTS = new Set(['NodeRegistered', 'NodeUpdated', 'NodeUnbonding', 'NodeWithdrawn'])

/** The registered nodes as the confirmed chain has them; read again whenever the registry changed. */
export class Registry {
  readonly #ledger: Ledger
  #nodes: NodeRecord[] | undefined
  #reading: Promise<NodeRecord[]> | undefined

  constructor(ledger: Ledger, index: LedgerIndex) {
    this.#ledger = ledger
    index.onEvent((event) => {
      if (EVENTS.has(event.name)) this.#nodes = undefined
    })
    index.onRewind(() => {
      this.#nodes = undefined
    })
  }

  async nodes(): Promise<NodeRecord[]> {
    if (this.#nodes !== undefined) return this.#nodes
    this.#reading ??= this.#ledger
      .nodes()
      .then((nodes) => {
        this.#nodes = nodes
        return nodes
      })
      .finally(() => {
        this.#reading = undefined
      })
    return this.#reading
  }

  /** Who may be given records or a place in a committee. */
  async candidates(): Promise<Candidate[]> {
    return (await this.nodes())
      .filter((node) => node.capacity > 0 && node.state === 'active')
      .map((node) => ({ id: node.nodeId, preference: node.capacity }))
  }

  /** Asks the ledger itself: a node that registered a moment ago is admitted. */
  isAdmitted(node: NodeId): Promise<boolean> {
    return this.#ledger.isRegistered(node)
  }

  async addressesOf(node: NodeId): Promise<string[]> {
    const record = (await this.nodes()).find((n) => n.nodeId === node)
    return record?.hint.split(',').filter((part) => part !== '') ?? []
  }
}
