import type { LogLevel } from '../base/log.ts'
import type { BgvParameters } from '../bgv/parameters.ts'
import type { NodeService } from '../ipc/index.ts'
import type { LedgerDeployment } from '../ledger/types.ts'
import type { NodeId } from '../transport/types.ts'

/** Where the network is: written by a devnet, or by hand for another chain. Kept as network.json. */
export interface NetworkConfig {
  kind: 'devnet' | 'remote'
  /** JSON-RPC endpoints of one chain, in order of preference. */
  rpc: string[]
  /** Chain id, genesis and contract addresses, as the deployment printed them. */
  deployment: LedgerDeployment
  /** Multiaddrs of peers to dial first. */
  bootstrap: string[]
  /** Blocks on top of a transaction before it counts. */
  confirmations: number
  /** Finds peers on the local network (multicast DNS). */
  localDiscovery?: boolean
  /** Nodes behind routers: relayed connections, hole punching, address detection. */
  internet?: boolean
}

export interface NodeOptions {
  /** Everything this node keeps, mode 0700. One node per directory. */
  dataDir: string
  network: NetworkConfig
  host: 'electron' | 'browser' | 'headless'
  /** Holds shares of others and computes; false: only uses the network. */
  serve: boolean
  /** Multiaddrs; by default a free TCP port on loopback. */
  listen?: string[]
  logLevel?: LogLevel
  /** Only for tests: other parameters of preprocessing than the standard ones. */
  bgv?: BgvParameters
  /** Only for tests that reach into computations: these run in the thread of the node. */
  sameThread?: boolean
  /** How long a co-holder may be silent before it is replaced, and how often that is looked at. */
  maintenance?: { graceMs: number; intervalMs: number }
}

/** A composed node. `start` resolves once it is usable; `stop` leaves everything durable and closed. */
export interface EnigmaNode {
  readonly service: NodeService
  readonly nodeId: NodeId
  /** Multiaddrs that others can dial, with the peer id. */
  addresses(): string[]
  start(): Promise<void>
  stop(): Promise<void>
}
