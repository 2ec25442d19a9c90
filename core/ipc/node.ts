import * as z from 'zod'
import { address, errorObject, id, job, jobStarted, nothing, time, wei } from './common.ts'
import { method } from './method.ts'

export const settings = z.object({
  language: z.enum(['en', 'zh']),
  theme: z.enum(['light', 'dark', 'system']),
  autoLockMinutes: z.int().min(1).max(240),
  role: z.enum(['person', 'seller', 'operator']),
  /** Bytes of other people's shares this node may hold. */
  storageQuotaBytes: z.int().nonnegative(),
  notifications: z.boolean(),
})

export const checklistItem = z.object({
  id: z.enum(['durability', 'approvals', 'backup', 'rehearsal', 'node', 'chain', 'deposit']),
  state: z.enum(['ok', 'attention', 'problem']),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
})

export const nodeStatus = z.object({
  nodeId: address,
  peerId: z.string(),
  addresses: z.array(z.string()),
  state: z.enum(['starting', 'running', 'paused', 'stopped']),
  startedAt: time,
  registered: z.boolean(),
  depositWei: wei,
  /** Chosen for storage and computation (false: it only uses the network). */
  serving: z.boolean(),
  peers: z.array(z.object({ nodeId: address, connected: z.boolean(), serving: z.boolean() })),
  sharesHeld: z.int(),
  storedBytes: z.int(),
  quotaBytes: z.int(),
  computations: z.int(),
  /** Preprocessed items in stock for computations against malicious nodes, by kind; `committedTriples` are ready for audits. */
  material: z.record(z.string(), z.int()),
  chain: z.object({
    kind: z.enum(['devnet', 'remote']),
    chainId: z.int(),
    endpoint: z.string(),
    height: z.int(),
    confirmations: z.int(),
    healthy: z.boolean(),
    reorganisations: z.int(),
  }),
  process: z.object({ rssBytes: z.int(), cpuSeconds: z.number(), uptimeSeconds: z.number() }),
})

export const nodeMethods = {
  'app.info': method(
    nothing,
    z.object({
      version: z.string(),
      host: z.enum(['electron', 'browser', 'headless']),
      dataDir: z.string(),
      state: z.enum(['starting', 'ready', 'failed']),
      network: z.enum(['devnet', 'remote']),
      error: errorObject.optional(),
    }),
  ),
  'home.checklist': method(nothing, z.object({ items: z.array(checklistItem) })),
  'jobs.list': method(nothing, z.object({ jobs: z.array(job) })),
  'jobs.get': method(z.strictObject({ id }), z.object({ job })),
  'jobs.cancel': method(z.strictObject({ id }), z.object({ job })),
  'node.status': method(nothing, nodeStatus),
  'node.pause': method(nothing, nothing),
  'node.resume': method(nothing, nothing),
  'node.register': method(z.strictObject({ serve: z.boolean() }), jobStarted, 'spend'),
  'wallet.status': method(
    nothing,
    z.object({
      account: address,
      depositAccount: address,
      balanceWei: wei,
      depositBalanceWei: wei,
      lockedWei: wei,
      canUseFaucet: z.boolean(),
    }),
  ),
  /** Development networks only. */
  'wallet.faucet': method(nothing, z.object({ balanceWei: wei })),
  'settings.get': method(nothing, settings),
  'settings.set': method(settings.partial(), settings),
} as const

export type Settings = z.infer<typeof settings>
export type NodeStatus = z.infer<typeof nodeStatus>
export type ChecklistItem = z.infer<typeof checklistItem>
