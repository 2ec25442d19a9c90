import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import { createLog, type Log } from '../base/log.ts'
import { turn } from '../base/turns.ts'
import { minute, second } from '../base/units.ts'
import { prepareCommitments } from '../commitments/pedersen.ts'
import { DhtNode } from '../dht/node.ts'
import type { Settings } from '../ipc/index.ts'
import { LedgerClient } from '../ledger/client.ts'
import { openNodeStorage } from '../storage/node-storage.ts'
import { Libp2pTransport } from '../transport/libp2p.ts'
import type { NodeId, RequestHandler } from '../transport/types.ts'
import { Vault } from '../vault/vault.ts'
import { loadOrCreateNodeKey } from '../wallet/node-key.ts'
import { NetworkBackup } from './backup.ts'
import { Coordinator } from './compute/coordinator.ts'
import { serveHolder } from './compute/holder.ts'
import { Member } from './compute/member.ts'
import { PartyThread } from './compute/party-thread.ts'
import { Requester } from './compute/requester.ts'
import { Witness } from './compute/witness.ts'
import type { Handlers, NodeContext } from './context.ts'
import { Events } from './events.ts'
import { JobRunner } from './jobs.ts'
import { LedgerIndex } from './ledger-index.ts'
import { holderPolicy } from './policy.ts'
import { Registry } from './registry.ts'
import { serveRepair } from './repair.ts'
import { Service } from './service.ts'
import { computeHandlers } from './services/compute.ts'
import { dataHandlers } from './services/data.ts'
import { declassifyHandlers } from './services/declassify.ts'
import { identityHandlers } from './services/identity.ts'
import { type NodeState, nodeHandlers, register, wantsToServe } from './services/node.ts'
import { predicateHandlers } from './services/predicate.ts'
import { readSettings, settingsHandlers } from './services/settings.ts'
import { shareHandlers } from './services/share.ts'
import { vaultHandlers } from './services/vault.ts'
import { Session } from './session.ts'
import type { EnigmaNode, NodeOptions } from './types.ts'
import { Upkeep } from './upkeep.ts'
import { WorkAhead } from './work-ahead.ts'

const RETRY_MS = 2 * second
const UPKEEP_MS = 1 * minute

/**
 * Composes a node from its parts. The vault works at once; everything that needs the network follows as soon as
 * the chain answers, and is tried again until then. Codes: STORAGE_CORRUPT, STORAGE_VERSION.
 */
export async function createNode(options: NodeOptions): Promise<EnigmaNode> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const log = createLog(options.logLevel ?? 'info')
  const nodeKey = await loadOrCreateNodeKey(options.dataDir)
  const storage = openNodeStorage(join(options.dataDir, 'node.db'))
  return new ComposedNode(options, log, nodeKey, storage)
}

interface Parts {
  transport: Libp2pTransport
  witness: Witness
  member: Member
  coordinator: Coordinator
  backup: NetworkBackup
  ahead: WorkAhead
}

class ComposedNode implements EnigmaNode {
  readonly service: Service
  readonly nodeId: NodeId
  readonly #context: NodeContext
  readonly #handlers: Handlers = {}
  readonly #state: NodeState
  readonly #session: Session
  readonly #storage: ReturnType<typeof openNodeStorage>
  readonly #stopping = new AbortController()
  #transport: Libp2pTransport | undefined
  readonly #party: PartyThread
  #parts: Parts | undefined
  #ledgerStarted = false
  #connecting: Promise<void> | undefined
  #upkeep: NodeJS.Timeout | undefined

  constructor(
    options: NodeOptions,
    log: Log,
    nodeKey: Awaited<ReturnType<typeof loadOrCreateNodeKey>>,
    storage: ReturnType<typeof openNodeStorage>,
  ) {
    this.nodeId = nodeKey.address
    this.#storage = storage
    const events = new Events(log)
    const ledger = new LedgerClient(
      {
        endpoints: options.network.rpc,
        deployment: options.network.deployment,
        confirmations: options.network.confirmations,
      },
      { cursors: storage.cursors, outbox: storage.outbox, clock: systemClock, log },
    )
    const index = new LedgerIndex({ ledger, store: storage.kv, log })
    const served = new Map<string, RequestHandler>()
    const notConnected = (): never => {
      throw new EnigmaError('NOT_RUNNING', 'the network is not reached yet', {
        remedy: 'Wait a moment; the vault works without it.',
      })
    }
    const state: NodeState = {
      state: 'starting',
      startedAt: Date.now(),
      addresses: () => this.addresses(),
      computations: () => this.#parts?.member.computations ?? 0,
      material: async () => {
        const { stock, committed } = await this.#party.material()
        return { ...stock, committedTriples: committed }
      },
      pause: async () => {
        if (state.state === 'running') state.state = 'paused'
      },
      resume: async () => {
        if (state.state === 'paused') state.state = 'running'
        this.#parts?.coordinator.resume()
      },
    }
    this.#state = state
    this.#context = {
      options,
      clock: systemClock,
      log,
      events,
      jobs: new JobRunner({ store: storage.jobs, events, log }),
      settings: storage.settings,
      kv: storage.kv,
      records: storage.records,
      ledger,
      index,
      vault: new Vault({ dir: join(options.dataDir, 'vault') }, { log }),
      registry: new Registry(ledger, index),
      nodeKey,
      get transport() {
        return notConnected()
      },
      get dht() {
        return notConnected()
      },
      online: () => this.#transport !== undefined,
      serving: () => wantsToServe(this.#context) && state.state === 'running',
      serve: (protocol, handler) => {
        served.set(protocol, handler)
        this.#transport?.handle(protocol, handler)
      },
      localRequest: async (protocol, payload) => {
        const handler = served.get(protocol)
        if (handler === undefined) throw new EnigmaError('METHOD_UNKNOWN', `no protocol ${protocol}`)
        return handler(nodeKey.address, payload)
      },
    }
    const limit = ({ storageQuotaBytes }: Settings) =>
      storage.records.limit({ totalBytes: storageQuotaBytes })
    limit(readSettings(this.#context))
    this.#party = new PartyThread(this.#context)
    this.#session = new Session(this.#context, () => this.#parts?.backup)
    this.service = new Service(this.#handlers, this.#context, (method) => this.#session.touched(method))
    Object.assign(
      this.#handlers,
      vaultHandlers(this.#context, this.#session),
      dataHandlers(this.#context, this.#session.uploads),
      settingsHandlers(this.#context, limit),
      nodeHandlers(this.#context, state),
    )
  }

  addresses(): string[] {
    return this.#transport?.addresses ?? []
  }

  async start(): Promise<void> {
    const first = this.#connect()
    this.#connecting = first.catch(async (error) => {
      if (!hasCode(error, 'LEDGER_UNREACHABLE')) throw error
      this.#context.log.warn('the chain does not answer yet', { reason: EnigmaError.from(error).message })
      await this.#retry()
    })
    // An unreachable chain leaves the vault usable; anything else is a mistake that must be seen.
    await first.catch((error) => {
      if (!hasCode(error, 'LEDGER_UNREACHABLE')) throw error
      this.#connecting?.catch(() => undefined)
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#upkeep)
    await this.#connecting?.catch(() => undefined)
    this.#state.state = 'stopped'
    this.#parts?.coordinator.stop()
    this.#parts?.member.stop()
    this.#parts?.witness.stop()
    this.#parts?.ahead.stop()
    this.#parts?.backup.stop()
    await this.#context.jobs.stop()
    await this.#session.closing()
    await this.#context.vault.lock()
    if (this.#transport !== undefined) await this.#context.dht.stop()
    await this.#context.index.stop()
    await this.#context.ledger.stop()
    await this.#transport?.stop()
    await this.#party.stop()
    this.#storage.close()
  }

  async #retry(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#context.clock.sleep(RETRY_MS, this.#stopping.signal).catch(() => undefined)
      try {
        if (!this.#stopping.signal.aborted) await this.#connect()
        return
      } catch (error) {
        if (!hasCode(error, 'LEDGER_UNREACHABLE'))
          this.#context.log.error('could not join the network', { reason: EnigmaError.from(error).message })
      }
    }
  }

  /** Each step is done once, so that it can be called again when the chain went away in between. */
  async #connect(): Promise<void> {
    const context = this.#context
    const { ledger, index, nodeKey, log, settings, events } = context
    if (!this.#ledgerStarted) {
      await ledger.start()
      ledger.useSigner(nodeKey)
      this.#ledgerStarted = true
    }
    await index.start()
    await this.#storage.records.recover()
    await prepareCommitments()
    await this.#party.resume()
    const { transport, coordinator, witness } = this.#parts ?? (await this.#assemble())
    await this.#register()
    await this.#meetPeers()
    index.onEvent((event) => this.#announce(event.name))
    index.onRewind(() => {
      coordinator.resume()
      witness.demands.resume().catch(() => undefined)
      for (const type of ['compute', 'approvals', 'sharing', 'node'] as const) events.emit({ type })
    })
    transport.onPeer(() => events.emit({ type: 'node' }))
    context.dht.start()
    this.#parts?.ahead.start()
    this.#state.state = 'running'
    coordinator.resume()
    await witness.views.prune()
    witness.demands.resume().catch(() => undefined)
    if ((await context.vault.status()).unlocked) await this.#session.opened()
    const upkeep = new Upkeep(context)
    this.#upkeep = setInterval(() => void upkeep.refreshHolders(), UPKEEP_MS)
    this.#upkeep.unref()
    settings.set(
      'listen',
      transport.addresses.map((a) => a.split('/p2p/')[0]),
    )
    events.emit({ type: 'node' })
    log.info('node is up', { node: this.nodeId, serving: wantsToServe(context) })
  }

  async #assemble(): Promise<Parts> {
    const context = this.#context
    const { ledger, registry, nodeKey, log } = context
    const transport = await this.#listen()
    this.#transport = transport
    Object.defineProperty(context, 'transport', { value: transport })
    const repair = serveRepair(() => context)
    const dht = new DhtNode(this.#context.options.maintenance ?? {}, {
      transport,
      store: context.records,
      policy: holderPolicy(ledger),
      sign: (digest) => nodeKey.signDigest(digest),
      candidates: () => registry.candidates(),
      repairShare: repair.repairShare,
      clock: context.clock,
      log,
    })
    Object.defineProperty(context, 'dht', { value: dht })
    repair.serve()
    serveHolder(context, this.#party)
    const witness = new Witness(context)
    const member = new Member(context, this.#party, witness)
    const coordinator = new Coordinator(context, member)
    const requester = new Requester(context)
    const backup = new NetworkBackup(context)
    const ahead = new WorkAhead(context, this.#party, () => member.busy())
    this.#parts = { transport, witness, member, coordinator, backup, ahead }
    Object.assign(
      this.#handlers,
      identityHandlers(context),
      predicateHandlers(context),
      shareHandlers(context),
      computeHandlers(context, requester),
      declassifyHandlers(context, this.#session.declassified),
    )
    return this.#parts
  }

  /** On the port of last time, so that the hint in the registry stays true; on a free one if it is taken. */
  async #listen(): Promise<Libp2pTransport> {
    const { options, settings, registry, nodeKey, log } = this.#context
    const create = (listen: readonly string[] | undefined) =>
      Libp2pTransport.create(
        {
          privateKey: nodeKey.withPrivateKey((key) => key.slice()),
          ...(listen === undefined ? {} : { listen }),
          bootstrap: [],
          localDiscovery: options.network.localDiscovery === true,
          internet: options.network.internet === true,
        },
        {
          isAdmitted: (node) => registry.isAdmitted(node),
          resolve: (node) => registry.addressesOf(node),
          log,
        },
      )
    const last = settings.get('listen')
    if (options.listen !== undefined || !Array.isArray(last) || last.length === 0)
      return create(options.listen)
    return create(last as string[]).catch(() => create(undefined))
  }

  /** On a development network the node pays its own deposit from the faucet; elsewhere its owner registers it. */
  async #register(): Promise<void> {
    const { options, ledger, nodeKey } = this.#context
    if (options.network.kind !== 'devnet') return
    await ledger.faucet(nodeKey.address)
    await register(this.#context, nodeKey, wantsToServe(this.#context), this.addresses())
  }

  async #meetPeers(): Promise<void> {
    const { registry, options, log } = this.#context
    for (const address of options.network.bootstrap) {
      try {
        this.#transport?.addPeer([address], { keep: true })
      } catch (error) {
        log.warn('bad bootstrap address', { reason: EnigmaError.from(error).message })
      }
    }
    for (const node of await registry.nodes()) {
      await turn()
      if (node.nodeId !== this.nodeId && node.hint !== '')
        this.#transport?.addPeer(node.hint.split(','), { node: node.nodeId, keep: node.capacity > 0 })
    }
  }

  #announce(name: string): void {
    const { events, log } = this.#context
    if (name.startsWith('Job')) {
      events.emit({ type: 'compute' })
      events.emit({ type: 'approvals' })
    } else if (name.startsWith('Node')) {
      events.emit({ type: 'node' })
      this.#meetPeers().catch((error) =>
        log.warn('peers not read', { reason: EnigmaError.from(error).message }),
      )
    } else events.emit({ type: 'sharing' })
  }
}
