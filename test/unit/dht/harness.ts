import { createHash, randomBytes } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { equalBytes, toHex } from '../../../core/base/bytes.ts'
import type { Clock } from '../../../core/base/clock.ts'
import { silentLog } from '../../../core/base/log.ts'
import { DhtNode } from '../../../core/dht/node.ts'
import { recoverSigner } from '../../../core/dht/signatures.ts'
import type {
  Address,
  Candidate,
  Hash,
  HolderPolicy,
  LedgerOpinion,
  OwnerSigner,
  RepairShare,
  ShareRecord,
} from '../../../core/dht/types.ts'
import { type NodeStorage, openNodeStorage } from '../../../core/storage/node-storage.ts'
import type { Quotas } from '../../../core/storage/types.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import { nodeIdFromPrivateKey } from '../../../core/transport/node-id.ts'
import type { NodeId, Transport } from '../../../core/transport/types.ts'

export interface Account extends OwnerSigner {
  key: Uint8Array
}

export function sign(key: Uint8Array, digest: Uint8Array): Uint8Array {
  const s = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' })
  return Uint8Array.of(...s.subarray(1), 27 + s[0]!)
}

export function account(): Account {
  const key = new Uint8Array(randomBytes(32))
  const address = nodeIdFromPrivateKey(key) as Address
  return { key, owner: address, signer: address, sign: async (digest) => sign(key, digest) }
}

const shareHash = (index: number, values: Uint8Array, masks: Uint8Array) =>
  createHash('sha256').update(Uint8Array.of(index)).update(values).update(masks).digest()

const dealt = new Map<string, ShareRecord>()

/** A stand-in for VSS: the "commitments" are the hashes of all shares. */
export function deal(owner: Address, n: number, t: number, length = 3): ShareRecord[] {
  const key = toHex(randomBytes(32)) as Hash
  const parts = Array.from({ length: n }, () => ({
    values: new Uint8Array(randomBytes(32 * length)),
    masks: new Uint8Array(randomBytes(32 * length)),
  }))
  const commitments = new Uint8Array(Buffer.concat(parts.map((p, i) => shareHash(i + 1, p.values, p.masks))))
  const shares = parts.map(
    (p, i): ShareRecord => ({ kind: 'share', key, index: i + 1, owner, n, t, length, ...p, commitments }),
  )
  for (const s of shares) dealt.set(`${key}/${s.index}`, s)
  return shares
}

export class TestClock implements Clock {
  time = 1_800_000_000_000
  now(): number {
    return this.time
  }
  async sleep(): Promise<void> {
    await new Promise(() => {})
  }
}

export interface TestNode {
  id: NodeId
  key: Uint8Array
  transport: Transport
  storage: NodeStorage
  dht: DhtNode
}

export interface World {
  network: MemoryNetwork
  nodes: TestNode[]
  clock: TestClock
  /** What the chain says; change at will. */
  chain: {
    opinions: Map<Hash, LedgerOpinion>
    allowed: Set<Address>
    asked: number
    preference: Map<NodeId, number>
  }
  repairs: { index: number; replacement: NodeId }[]
  byId(id: NodeId): TestNode
  stop(): Promise<void>
}

export function world(size: number, quotas: Partial<Quotas> = {}): World {
  const network = new MemoryNetwork()
  const clock = new TestClock()
  const chain: World['chain'] = { opinions: new Map(), allowed: new Set(), asked: 0, preference: new Map() }
  const nodes: TestNode[] = []
  const repairs: World['repairs'] = []
  const byId = (id: NodeId) => nodes.find((n) => n.id === id)!
  const policy: HolderPolicy = {
    verifyAuthorization: async (a, digest) =>
      a.signer === a.owner && recoverSigner(digest, a.signature) === a.signer,
    verifyShareRecord: async (r) => {
      const expected = r.commitments.subarray(32 * (r.index - 1), 32 * r.index)
      return equalBytes(shareHash(r.index, r.values, r.masks), expected)
    },
    verifyRequester: async (r, digest) => recoverSigner(digest, r.signature) === r.requester,
    authorise: async (r) => {
      chain.asked++
      return chain.allowed.has(r.requester)
    },
    ledgerOpinion: async (_kind, key) => chain.opinions.get(key) ?? 'unknown',
  }
  const repairShare: RepairShare = async ({ record, missingIndex, helpers, replacement }) => {
    repairs.push({ index: missingIndex, replacement })
    // The test remembers what was dealt; the product rebuilds it from the helpers.
    const entry = (await byId(helpers[0]!.holder).storage.records.get('share', record.key))!
    return byId(replacement).dht.holder.acceptRepaired(
      dealt.get(`${record.key}/${missingIndex}`)!,
      entry.authorization,
      entry.placements,
    )
  }
  for (let i = 0; i < size; i++) {
    const key = new Uint8Array(randomBytes(32))
    const id = nodeIdFromPrivateKey(key)
    const transport = network.join(id)
    const storage = openNodeStorage(':memory:', { quotas })
    const candidates = async (): Promise<Candidate[]> =>
      nodes.map((n) => ({ id: n.id, preference: chain.preference.get(n.id) ?? 1 }))
    const dht = new DhtNode(
      { graceMs: 1000 },
      {
        transport,
        store: storage.records,
        policy,
        sign: (d) => sign(key, d),
        candidates,
        repairShare,
        clock,
        log: silentLog,
      },
    )
    nodes.push({ id, key, transport, storage, dht })
  }
  return {
    network,
    nodes,
    clock,
    chain,
    repairs,
    byId,
    stop: async () => {
      for (const n of nodes) {
        await n.dht.stop()
        await n.transport.stop()
        n.storage.close()
      }
    },
  }
}
