import { readFileSync } from 'node:fs'
import { day } from '../../base/units.ts'
import type { ChecklistItem } from '../../ipc/index.ts'
import type { Signer } from '../../ledger/types.ts'
import { account, confirmed, type Handlers, logActivity, type NodeContext, wallet } from '../context.ts'
import { allShares } from '../share-entry.ts'
import { readSettings } from './settings.ts'

export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/** Relative weight of a node that serves with its default limits. */
const CAPACITY = 100
const BACKUP_AGE_MS = 30 * day

/** What the composed node tells about itself. */
export interface NodeState {
  state: 'starting' | 'running' | 'paused' | 'stopped'
  startedAt: number
  addresses(): string[]
  pause(): Promise<void>
  resume(): Promise<void>
  computations(): number
  material(): Promise<Record<string, number>>
}

interface RegisterJob {
  serve: boolean
}

/** What the owner last chose, or how the node was started. */
export function wantsToServe(context: Pick<NodeContext, 'settings' | 'options'>): boolean {
  const chosen = context.settings.get('serve')
  return typeof chosen === 'boolean' ? chosen : context.options.serve
}

/** Registers the node, or changes its capacity. `payer` owns the deposit. */
export async function register(
  context: NodeContext,
  payer: Signer,
  serve: boolean,
  addresses: string[],
): Promise<void> {
  const { ledger, nodeKey } = context
  const hint = addresses.join(',')
  const capacity = serve ? CAPACITY : 0
  const known = await ledger.node(nodeKey.address, 'latest')
  if (known === undefined) {
    const deposit = await ledger.minimumDeposit()
    await ledger.registerNode(payer, nodeKey, { hint, capacity, deposit })
  } else if (known.capacity > 0 !== serve || known.hint !== hint) {
    await ledger.updateNode(payer, nodeKey.address, { hint, capacity })
  }
}

export function nodeHandlers(context: NodeContext, state: NodeState): Handlers {
  const { ledger, jobs, vault, index, records, events, options } = context
  const connectedPeers = () => (context.online() ? context.transport.connectedPeers() : [])

  jobs.register<RegisterJob>('register', async (job) => {
    job.commit()
    job.update('ledger', 0.3)
    const record = await ledger.node(context.nodeKey.address, 'latest')
    const payer = record?.account === context.nodeKey.address ? context.nodeKey : wallet(context).deposit()
    await register(context, payer, job.state.serve, state.addresses())
    context.settings.set('serve', job.state.serve)
    await logActivity(context, 'node.registered', { serving: job.state.serve })
    events.emit({ type: 'node' })
    return { node: context.nodeKey.address }
  })

  const checklist = async (): Promise<ChecklistItem[]> => {
    const status = await vault.status()
    const shares = (await allShares(context)).filter((s) => s.state === 'active')
    const weak = shares.filter((s) => s.holders.filter((h) => h.healthy).length < s.n)
    const lost = weak.filter((s) => s.holders.filter((h) => h.healthy).length <= s.t)
    const me = account(context).address
    const waiting = [...index.jobs.values()].filter(
      (job) =>
        job.state === 'requested' &&
        job.refs.some((ref) => index.references.get(ref)?.owner === me && !job.approvals.has(ref)),
    )
    const age = (iso: string | undefined) =>
      iso === undefined ? Infinity : context.clock.now() - Date.parse(iso)
    const registered = await ledger.isRegistered(context.nodeKey.address).catch(() => undefined)
    return [
      {
        id: 'durability',
        state: lost.length > 0 ? 'problem' : weak.length > 0 ? 'attention' : 'ok',
        facts: { shares: shares.length, weak: weak.length, lost: lost.length },
      },
      { id: 'approvals', state: waiting.length > 0 ? 'attention' : 'ok', facts: { waiting: waiting.length } },
      {
        id: 'backup',
        state: age(status.backupAt) > BACKUP_AGE_MS ? 'attention' : 'ok',
        facts: status.backupAt === undefined ? {} : { at: Date.parse(status.backupAt) },
      },
      {
        id: 'rehearsal',
        state: status.rehearsedAt === undefined ? 'attention' : 'ok',
        facts: status.rehearsedAt === undefined ? {} : { at: Date.parse(status.rehearsedAt) },
      },
      {
        id: 'node',
        state: state.state === 'running' ? (connectedPeers().length > 0 ? 'ok' : 'problem') : 'attention',
        facts: { state: state.state, peers: connectedPeers().length },
      },
      {
        id: 'chain',
        state: registered === undefined ? 'problem' : 'ok',
        facts: { reorganisations: index.reorganisations },
      },
      { id: 'deposit', state: registered === true ? 'ok' : 'attention', facts: {} },
    ]
  }

  return {
    'app.info': async () => ({
      version: VERSION,
      host: options.host,
      dataDir: options.dataDir,
      state: state.state === 'starting' ? 'starting' : 'ready',
      network: options.network.kind,
    }),
    'home.checklist': async () => ({ items: await checklist() }),
    'jobs.list': async () => ({ jobs: jobs.list() }),
    'jobs.get': async ({ id }) => ({ job: jobs.get(id) }),
    'jobs.cancel': async ({ id }) => ({ job: jobs.cancel(id) }),
    'node.status': async () => {
      const head = await ledger.head().catch(() => undefined)
      const record =
        head === undefined ? undefined : await ledger.node(context.nodeKey.address).catch(() => undefined)
      const nodes = await context.registry.nodes().catch(() => [])
      const connected = new Set<string>(connectedPeers())
      const usage = records.usage()
      const cpu = process.cpuUsage()
      return {
        nodeId: context.nodeKey.address,
        peerId: state.addresses()[0]?.split('/p2p/')[1] ?? '',
        addresses: state.addresses(),
        state: state.state,
        startedAt: state.startedAt,
        registered: record !== undefined,
        depositWei: String(record?.deposit ?? 0n),
        serving: (record?.capacity ?? 0) > 0,
        peers: nodes
          .filter((n) => n.nodeId !== context.nodeKey.address)
          .map((n) => ({ nodeId: n.nodeId, connected: connected.has(n.nodeId), serving: n.capacity > 0 })),
        sharesHeld: usage.records,
        storedBytes: usage.bytes,
        quotaBytes: readSettings(context).storageQuotaBytes,
        computations: state.computations(),
        material: await state.material(),
        chain: {
          kind: options.network.kind,
          chainId: options.network.deployment.chainId,
          endpoint: options.network.rpc[0] ?? '',
          height: head?.number ?? 0,
          confirmations: options.network.confirmations,
          healthy: head !== undefined,
          reorganisations: index.reorganisations,
        },
        process: {
          rssBytes: process.memoryUsage.rss(),
          cpuSeconds: (cpu.user + cpu.system) / 1e6,
          uptimeSeconds: process.uptime(),
        },
      }
    },
    'node.pause': async () => {
      await state.pause()
      events.emit({ type: 'node' })
      return {}
    },
    'node.resume': async () => {
      await state.resume()
      events.emit({ type: 'node' })
      return {}
    },
    'node.register': async ({ serve }, call) => {
      const deposit = await ledger.minimumDeposit()
      await confirmed(call, {
        kind: 'spend',
        method: 'node.register',
        facts: { depositWei: String(deposit), serving: String(serve) },
      })
      return { jobId: jobs.start<RegisterJob>('register', 'node', { serve }) }
    },
    'wallet.status': async () => {
      const keys = wallet(context)
      const main = keys.signer(0).address
      const deposit = keys.deposit().address
      const [balance, depositBalance, record] = await Promise.all([
        ledger.balance(main),
        ledger.balance(deposit),
        ledger.node(context.nodeKey.address),
      ])
      return {
        account: main,
        depositAccount: deposit,
        balanceWei: String(balance),
        depositBalanceWei: String(depositBalance),
        lockedWei: String(record?.deposit ?? 0n),
        canUseFaucet: options.network.kind === 'devnet',
      }
    },
    'wallet.faucet': async () => {
      const main = account(context).address
      await ledger.faucet(main)
      events.emit({ type: 'node' })
      return { balanceWei: String(await ledger.balance(main)) }
    },
  }
}
