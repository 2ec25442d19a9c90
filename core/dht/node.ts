import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Transport } from '../transport/types.ts'
import { DhtClient } from './client.ts'
import { Holder } from './holder.ts'
import { Maintenance, type MaintenanceOptions } from './maintenance.ts'
import type { Candidate, HolderPolicy, RecordStore, RepairShare } from './types.ts'

export interface DhtModules {
  transport: Transport
  store: RecordStore
  policy: HolderPolicy
  /** Signs a 32-byte digest with the node key; 65 bytes r‖s‖v, v ∈ {27, 28}. */
  sign: (digest: Uint8Array) => Uint8Array | Promise<Uint8Array>
  candidates: () => Promise<readonly Candidate[]>
  repairShare: RepairShare
  clock: Clock
  log: Log
}

/** Off-chain storage (paper §4) of one node: holder, client and maintenance. Serves from construction on. */
export class DhtNode {
  readonly holder: Holder
  readonly client: DhtClient
  readonly maintenance: Maintenance

  constructor(options: MaintenanceOptions, modules: DhtModules) {
    const m = { ...modules, log: modules.log.child('dht') }
    this.holder = new Holder(m)
    this.holder.start()
    this.client = new DhtClient({ ...m, holder: this.holder })
    this.maintenance = new Maintenance(options, { ...m, holder: this.holder })
  }

  /** Starts the maintenance loop. */
  start(): void {
    this.maintenance.start()
  }

  async stop(): Promise<void> {
    await this.maintenance.stop()
  }
}
