import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Log } from '../core/base/log.ts'
import { EnigmaError } from '../core/ipc/index.ts'
import type { Devnet as Chain } from '../core/ledger/devnet.ts'
import type { NetworkConfig } from '../core/node/types.ts'
import { privateDirectory } from './host/data-dir.ts'
import { type InstanceLock, lockInstance } from './host/instance-lock.ts'
import { networkFile, writeNetwork } from './host/network.ts'
import { type Launcher, launchNode, SupervisedNode } from './process/supervised.ts'

export interface DevnetOptions {
  /** Chain and peers keep their state in `devnet` under it, and `network.json` goes into it. */
  dataDir: string
  /** Serving peers. */
  nodes: number
  log: Log
  launch?: Launcher
}

export interface DevnetInfo {
  network: string
  rpc: string[]
  chainId: number
  peers: { nodeId: string; addresses: string[]; data: string; pid: number | undefined }[]
}

/** Blocks on top before something counts: a devnet mines a block for each transaction, or every second. */
const CONFIRMATIONS = 1

/**
 * A local network of real parts: an EVM chain with our contracts, and peers in processes of their own. Started
 * again on the same directory it goes on where it stopped; children that end by themselves are started again.
 */
export class Devnet {
  readonly #options: DevnetOptions
  readonly #peers: SupervisedNode[] = []
  #lock: InstanceLock | undefined
  #chain: Chain | undefined
  #stopped = false

  constructor(options: DevnetOptions) {
    if (!Number.isInteger(options.nodes) || options.nodes < 1 || options.nodes > 64)
      throw new EnigmaError('INVALID_ARGUMENT', 'a devnet has 1 to 64 nodes')
    this.#options = options
  }

  /** Resolves when the chain answers and every peer is ready. On failure everything started is stopped. */
  async start(): Promise<DevnetInfo> {
    try {
      return await this.#start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#peers.splice(0).map((peer) => peer.stop()))
    await this.#chain?.stop()
    this.#chain = undefined
    this.#lock?.release()
    this.#lock = undefined
  }

  async #start(): Promise<DevnetInfo> {
    const { dataDir, log, nodes } = this.#options
    const dir = privateDirectory(join(privateDirectory(dataDir), 'devnet'))
    this.#lock = lockInstance(dir)
    const ports = await this.#ports(dir, nodes + 1)
    const [chainPort, ...peerPorts] = ports as [number, ...number[]]
    // ethers is large; commands that only talk to a node do without it.
    const { Devnet: LocalChain } = await import('../core/ledger/devnet.ts')
    this.#chain = await LocalChain.start({
      directory: privateDirectory(join(dir, 'chain')),
      port: chainPort,
      log,
    })
    if (this.#stopped) throw new EnigmaError('CANCELLED', 'cancelled')
    const file = networkFile(dataDir)
    const network: NetworkConfig = {
      kind: 'devnet',
      rpc: [this.#chain.endpoint],
      deployment: this.#chain.deployment,
      bootstrap: [],
      confirmations: CONFIRMATIONS,
    }
    writeNetwork(file, network)

    const peers: DevnetInfo['peers'] = []
    const startPeer = async (index: number) => {
      const data = join(dir, `peer-${index + 1}`)
      mkdirSync(data, { recursive: true, mode: 0o700 })
      const peer = new SupervisedNode(
        this.#options.launch ?? launchNode,
        ['--data', data, '--network', file, '--serve', '--listen', `/ip4/127.0.0.1/tcp/${peerPorts[index]}`],
        log.child(`peer-${index + 1}`),
      )
      this.#peers.push(peer)
      const ready = peer.ready()
      peer.start()
      const { nodeId, addresses } = await ready
      peers[index] = { nodeId, addresses, data, pid: peer.pid }
    }
    // The others find the network through the first.
    await startPeer(0)
    writeNetwork(file, { ...network, bootstrap: peers[0]?.addresses ?? [] })
    await Promise.all(peerPorts.slice(1).map((_, i) => startPeer(i + 1)))
    writeNetwork(file, { ...network, bootstrap: peers.flatMap((peer) => peer.addresses) })
    return { network: file, rpc: network.rpc, chainId: network.deployment.chainId, peers }
  }

  /** The ports of last time where they are free, so that addresses on the ledger and in settings stay true. */
  async #ports(dir: string, count: number): Promise<number[]> {
    const file = join(dir, 'ports.json')
    const known = readPorts(file)
    const ports: number[] = []
    for (let i = 0; i < count; i++) {
      const last = known[i]
      ports.push(last !== undefined && (await isFree(last)) ? last : await freePort(ports))
    }
    writeFileSync(file, JSON.stringify([...ports, ...known.slice(count)]), { mode: 0o600 })
    return ports
  }
}

function readPorts(file: string): number[] {
  try {
    const ports = JSON.parse(readFileSync(file, 'utf8')) as unknown
    if (!Array.isArray(ports)) return []
    return ports.filter((p): p is number => Number.isInteger(p) && p > 1023 && p < 65_536)
  } catch {
    return []
  }
}

async function freePort(taken: number[]): Promise<number> {
  for (;;) {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    if (typeof address === 'object' && address !== null && !taken.includes(address.port)) return address.port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
