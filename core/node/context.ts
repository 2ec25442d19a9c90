import type { Clock } from '../base/clock.ts'
import { EnigmaError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { DhtNode } from '../dht/node.ts'
import type { RecordStore } from '../dht/types.ts'
import type { CallContext, Confirmation, MethodName, Output, Parsed } from '../ipc/index.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { KeyValueStore, SettingsStore } from '../storage/types.ts'
import type { RequestHandler, Transport } from '../transport/types.ts'
import type { ActivityFields, VaultService } from '../vault/types.ts'
import type { AccountSigner, WalletKeys } from '../wallet/types.ts'
import type { Events } from './events.ts'
import type { JobRunner } from './jobs.ts'
import type { LedgerIndex } from './ledger-index.ts'
import type { Registry } from './registry.ts'
import type { NodeOptions } from './types.ts'

/** The parts of a running node, made once in `node.ts` and handed to what works with them. */
export interface NodeContext {
  readonly options: NodeOptions
  readonly clock: Clock
  readonly log: Log
  readonly events: Events
  readonly jobs: JobRunner
  readonly settings: SettingsStore
  readonly kv: KeyValueStore
  readonly records: RecordStore
  readonly ledger: Ledger
  readonly index: LedgerIndex
  readonly transport: Transport
  readonly dht: DhtNode
  readonly vault: VaultService
  readonly registry: Registry
  /** The node's hot key: signs receipts and results, and sends the node's own transactions. */
  readonly nodeKey: AccountSigner
  /** Whether the network has been reached since the start; before, `transport` and `dht` throw NOT_RUNNING. */
  online(): boolean
  /** Serves a protocol to admitted peers and to this node itself. */
  serve(protocol: string, handler: RequestHandler): void
  /** Whether this node takes part in storage and computation now. */
  serving(): boolean
  /** Answers a protocol of this node to itself, for the case that it is its own committee member or holder. */
  localRequest(protocol: string, payload: Uint8Array): Promise<Uint8Array>
}

export type Handlers = { [M in MethodName]?: (input: Parsed<M>, call: CallContext) => Promise<Output<M>> }

/** Keys of the open vault; VAULT_LOCKED otherwise. */
export function wallet(context: NodeContext): WalletKeys {
  return context.vault.wallet()
}

/** The main pseudonym: who owns, requests and approves. */
export function account(context: NodeContext): AccountSigner {
  return wallet(context).signer(0)
}

/** Adds to the owner's log and tells the interface. Public facts only. */
export async function logActivity(
  context: NodeContext,
  kind: string,
  fields: ActivityFields = {},
): Promise<void> {
  await context.vault.logActivity(kind, fields)
  context.events.emit({ type: 'activity' })
}

/** Asks the owner on the host's side; NOT_CONFIRMED unless the answer is a plain yes. */
export async function confirmed(call: CallContext, confirmation: Confirmation): Promise<void> {
  if ((await call.confirm(confirmation)) !== true)
    throw new EnigmaError('NOT_CONFIRMED', 'the owner did not confirm', {
      remedy: 'Nothing was changed. Ask again and accept in the window of the host.',
    })
}
