import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { toHex } from '../../core/base/bytes.ts'
import { systemClock } from '../../core/base/clock.ts'
import { silentLog } from '../../core/base/log.ts'
import { randomBytes } from '../../core/base/random.ts'
import { parseFixed } from '../../core/circuits/fixed.ts'
import { functionHash } from '../../core/circuits/functions.ts'
import { DhtNode } from '../../core/dht/node.ts'
import type { ShareRecord } from '../../core/dht/types.ts'
import { bn254Scalar as field } from '../../core/field/fields.ts'
import { LedgerClient } from '../../core/ledger/client.ts'
import type { Hex } from '../../core/ledger/types.ts'
import { holderPolicy } from '../../core/node/policy.ts'
import { encodePredicate, predicateId } from '../../core/predicates/codec.ts'
import { encodeCommitments, sumOfConstants } from '../../core/sharing/commitments.ts'
import { deal } from '../../core/sharing/vss.ts'
import { openNodeStorage } from '../../core/storage/node-storage.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import { LocalSigner } from '../../core/wallet/signer.ts'
import { Devnet } from '../../main/devnet.ts'
import { NodeClient } from '../../main/host/client.ts'
import { readNetwork } from '../../main/host/network.ts'
import { launchNode, SupervisedNode } from '../../main/process/supervised.ts'

interface Figure {
  name: string
  value: number
  unit: string
}

const PEERS = 5
const OWNERS_AT_ONCE = 8
const NOBODY: Hex = `0x${'00'.repeat(32)}`
const PASSWORD = 'bench horse battery staple 42'
const round = (value: number) => Math.round(value * 1000) / 1000
const median = (values: number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number

/**
 * End to end on real parts: a chain and five serving peers in processes of their own. The owners of `mean.N` are
 * N accounts with a pseudonym, a sharing, a reference and a signed approval each, driven by one process (a
 * thousand full nodes do not fit a desktop); the requester is a full node. Seconds run from the first sharing to
 * the result in the requester's hands.
 */
export async function* systemBench(only?: string): AsyncGenerator<Figure> {
  const wants = (...names: string[]) => only === undefined || names.some((n) => n.startsWith(only))
  if (wants('start.s', 'idle.rss_mb', 'idle.cpu_pct')) yield* startAndIdle()
  if (!wants('share.one.s', 'mean.5.s', 'mean.100.s', 'mean.1000.s')) return
  const dir = mkdtempSync(join(tmpdir(), 'enigma-bench-'))
  const devnet = new Devnet({ dataDir: join(dir, 'network'), nodes: PEERS, log: silentLog })
  const stops: (() => Promise<unknown>)[] = [() => devnet.stop()]
  try {
    const { network } = await devnet.start()
    const requester = await openVault(join(dir, 'requester'), network, stops)
    const owners = await Owners.join(join(dir, 'owners'), network, stops)
    if (wants('share.one.s')) {
      const seconds: number[] = []
      const { id } = await requester.call('data.add', { title: 'n', value: { type: 'number', value: '1' } })
      for (let i = 0; i < 5; i++) {
        const startedAt = performance.now()
        const { jobId } = await requester.call('share.create', { recordId: id, predicate: { kind: 'owner' } })
        await finished(requester, jobId)
        seconds.push((performance.now() - startedAt) / 1000)
      }
      yield { name: 'share.one.s', value: round(median(seconds)), unit: 's' }
    }
    for (const count of [5, 100, 1000]) {
      const name = `mean.${count}.s`
      if (!wants(name)) continue
      const seconds: number[] = []
      for (let run = 0; run < (count === 5 ? 3 : 1); run++) seconds.push(await mean(requester, owners, count))
      yield { name, value: round(median(seconds)), unit: 's' }
    }
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined)
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function mean(requester: NodeClient, owners: Owners, count: number): Promise<number> {
  const startedAt = performance.now()
  const shared = await owners.share(count)
  const refs = shared.map((s) => s.ref)
  const { jobId } = await requester.call('compute.request', { function: 'mean', refs })
  const id = (await finished(requester, jobId)).job as Hex
  await owners.approve(id, shared)
  for (;;) {
    const { job } = await requester.call('compute.get', { id })
    if (job.state === 'failed' || job.state === 'cancelled') throw new Error(`mean.${count} ${job.state}`)
    if (job.state === 'done') break
    await systemClock.sleep(50)
  }
  const { values } = await requester.call('compute.result', { id })
  // Values are 1 … count.
  if (values[0] !== String((count + 1) / 2)) throw new Error(`mean.${count} is wrong: ${values[0]}`)
  return (performance.now() - startedAt) / 1000
}

async function finished(client: NodeClient, jobId: string): Promise<Record<string, string>> {
  for (;;) {
    const { job } = await client.call('jobs.get', { id: jobId })
    if (job.state === 'failed') throw new Error(job.error?.message)
    if (job.state === 'done') return job.result ?? {}
    await systemClock.sleep(20)
  }
}

async function openVault(
  dir: string,
  network: string,
  stops: (() => Promise<unknown>)[],
): Promise<NodeClient> {
  const node = new SupervisedNode(launchNode, ['--data', dir, '--network', network], silentLog)
  stops.push(() => node.stop())
  const ready = node.ready()
  node.start()
  await ready
  const client = await NodeClient.connect(dir, { confirm: async () => true })
  await client.call('vault.create', { password: PASSWORD })
  return client
}

interface Shared {
  signer: LocalSigner
  ref: Hex
}

/** Many owners in one process, over one node that only uses the network. */
class Owners {
  readonly #ledger: LedgerClient
  readonly #dht: DhtNode

  private constructor(ledger: LedgerClient, dht: DhtNode) {
    this.#ledger = ledger
    this.#dht = dht
  }

  static async join(dir: string, network: string, stops: (() => Promise<unknown>)[]): Promise<Owners> {
    const { rpc, deployment, confirmations, bootstrap } = readNetwork(network)
    const storage = openNodeStorage(`${dir}.db`)
    const ledger = new LedgerClient(
      { endpoints: rpc, deployment, confirmations, pollMs: 50 },
      { cursors: storage.cursors, outbox: storage.outbox },
    )
    await ledger.start()
    const node = new LocalSigner(randomBytes(32))
    await ledger.faucet(node.address)
    await ledger.registerNode(node, node, { hint: '', capacity: 0, deposit: await ledger.minimumDeposit() })
    const transport = await Libp2pTransport.create(
      { privateKey: node.withPrivateKey((key) => key.slice()) },
      { isAdmitted: (id) => ledger.isRegistered(id) },
    )
    for (const address of bootstrap) transport.addPeer([address], { keep: true })
    const candidates = (await ledger.nodes())
      .filter((n) => n.capacity > 0)
      .map((n) => ({ id: n.nodeId, preference: n.capacity }))
    const dht = new DhtNode(
      {},
      {
        transport,
        store: storage.records,
        policy: holderPolicy(ledger),
        sign: (digest) => node.signDigest(digest),
        candidates: async () => candidates,
        repairShare: () => Promise.reject(new Error('holds nothing')),
        clock: systemClock,
        log: silentLog,
      },
    )
    stops.push(async () => {
      await transport.stop()
      await ledger.stop()
      storage.close()
    })
    return new Owners(ledger, dht)
  }

  /** `count` new accounts share the values 1 … count under "mean only, this many people, with my approval". */
  async share(count: number): Promise<Shared[]> {
    const encoding = encodePredicate({
      kind: 'and',
      of: [
        { kind: 'functions', ids: [functionHash('mean')] },
        { kind: 'cohort', min: count },
        { kind: 'approval' },
      ],
    })
    const rule = predicateId(encoding)
    const first = new LocalSigner(randomBytes(32))
    await this.#ledger.faucet(first.address)
    await this.#ledger.publishPredicate(first, encoding)
    const shared: Shared[] = []
    let next = 1
    const work = async () => {
      for (let value = next++; value <= count; value = next++) shared.push(await this.#shareOne(value, rule))
    }
    await Promise.all(Array.from({ length: OWNERS_AT_ONCE }, work))
    return shared
  }

  async #shareOne(value: number, rule: Hex): Promise<Shared> {
    const ledger = this.#ledger
    const me = new LocalSigner(randomBytes(32))
    await ledger.faucet(me.address)
    await ledger.createIdentity(me, [{ account: me.address, roles: 15n }], NOBODY)
    const identity = ledger.identityAddress([me.address])
    const xRef = toHex(randomBytes(32))
    const key = ledger.referenceId(identity, xRef)
    const [n, t] = [PEERS, 2]
    const dealing = await deal(field.fromBigints([parseFixed(String(value))]), { n, t })
    const commitments = await encodeCommitments(dealing.commitments)
    const records = dealing.shares.map(
      (s): ShareRecord => ({
        ...{ kind: 'share', key, index: s.index, owner: me.address, n, t, length: 1, commitments },
        values: field.toBytes(s.values),
        masks: field.toBytes(s.masks),
      }),
    )
    const owner = { owner: me.address, signer: me.address, sign: async (d: Uint8Array) => me.signDigest(d) }
    const prepared = await this.#dht.client.prepareShares(records, owner, { quorum: n })
    await ledger.createReference(me, {
      ...{ identity, xRef, kind: 'share', length: 1, n, t },
      computePredicate: rule,
      readPredicate: NOBODY,
      commitmentsDigest: prepared.content,
      c0: toHex(sumOfConstants(dealing.commitments)),
    })
    await this.#dht.client.commit(prepared, owner)
    return { signer: me, ref: key }
  }

  /** Every owner signs; one of them relays. */
  async approve(jobId: Hex, shared: readonly Shared[]): Promise<void> {
    const approvals = await Promise.all(
      shared.map(async ({ signer, ref }) => ({
        ref,
        approved: true,
        signature: await this.#ledger.signApproval(signer, { jobId, ref, approved: true }),
      })),
    )
    await this.#ledger.relayApprovals((shared[0] as Shared).signer, jobId, approvals)
  }
}

/** The app from nothing: chain, contracts, four peers, node, interface; then at rest. */
async function* startAndIdle(): AsyncGenerator<Figure> {
  const dir = mkdtempSync(join(tmpdir(), 'enigma-bench-start-'))
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '..', '..', 'main', 'cli.ts'), 'start', '--data', dir, '--json'],
    {
      env: { ...process.env, ENIGMA_OPEN: 'print', ENIGMA_PARENT: 'stdin', DISPLAY: '', WAYLAND_DISPLAY: '' },
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  )
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('the app ended')))
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('"ready"')) resolve()
      })
    })
    yield { name: 'start.s', value: round((performance.now() - startedAt) / 1000), unit: 's' }
    const client = await NodeClient.connect(dir, { confirm: async () => true })
    await client.call('vault.create', { password: PASSWORD })
    // Past start-up work and the first network backup.
    await systemClock.sleep(15_000)
    const before = (await client.call('node.status', {})).process
    await systemClock.sleep(20_000)
    const after = (await client.call('node.status', {})).process
    yield { name: 'idle.rss_mb', value: round(after.rssBytes / 1e6), unit: 'MB' }
    const spent = after.cpuSeconds - before.cpuSeconds
    const passed = after.uptimeSeconds - before.uptimeSeconds
    yield { name: 'idle.cpu_pct', value: round((100 * spent) / passed), unit: '% of one core' }
    client.close()
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}
