import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import { encodeCanonical } from '../../../core/base/cbor.ts'
import { systemClock } from '../../../core/base/clock.ts'
import { silentLog } from '../../../core/base/log.ts'
import { randomBytes } from '../../../core/base/random.ts'
import { functionHash } from '../../../core/circuits/functions.ts'
import type { FunctionId } from '../../../core/circuits/types.ts'
import { rankNodes } from '../../../core/committee/draw.ts'
import { DhtClient } from '../../../core/dht/client.ts'
import { GET, Holder } from '../../../core/dht/holder.ts'
import { encryptedKey } from '../../../core/dht/records.ts'
import { seal, unseal } from '../../../core/dht/seal.ts'
import { signRelease } from '../../../core/dht/signatures.ts'
import type { Predicate } from '../../../core/ipc/index.ts'
import { LedgerClient } from '../../../core/ledger/client.ts'
import { MemoryCursorStore, MemoryOutboxStore } from '../../../core/ledger/stores.ts'
import type { Hex, JobRequest } from '../../../core/ledger/types.ts'
import { decodeMessage, encodeMessage, PROTOCOLS } from '../../../core/node/compute/messages.ts'
import { packSources, type Source } from '../../../core/node/compute/sources.ts'
import { holderPolicy } from '../../../core/node/policy.ts'
import { encodePredicate, predicateId } from '../../../core/predicates/codec.ts'
import { openNodeStorage } from '../../../core/storage/node-storage.ts'
import { Libp2pTransport } from '../../../core/transport/libp2p.ts'
import type { NodeId } from '../../../core/transport/types.ts'
import { LocalSigner } from '../../../core/wallet/signer.ts'
import { type Person, TestNetwork, until } from '../../system/network.ts'

/**
 * A requester whose node is its own: registered, admitted, free to send what it likes to holders, and never
 * asking itself for permission. What protects the data here is what the holders read from their own chain clients.
 */
class Attacker {
  readonly signer = new LocalSigner(randomBytes(32))
  readonly ledger: LedgerClient
  transport!: Libp2pTransport

  constructor(network: TestNetwork) {
    this.ledger = new LedgerClient(
      { endpoints: [network.chain.endpoint], deployment: network.chain.deployment, confirmations: 1 },
      { cursors: new MemoryCursorStore(), outbox: new MemoryOutboxStore() },
    )
  }

  async join(network: TestNetwork): Promise<void> {
    const { ledger, signer } = this
    await ledger.start()
    await ledger.faucet(signer.address)
    const deposit = await ledger.minimumDeposit()
    // With capacity it may even be drawn into committees, and lead them.
    await ledger.registerNode(signer, signer, { hint: '', capacity: 100, deposit })
    this.transport = await Libp2pTransport.create(
      { privateKey: signer.withPrivateKey((key) => key.slice()) },
      { isAdmitted: (id) => ledger.isRegistered(id) },
    )
    this.transport.handle(PROTOCOLS.piece, async () => new Uint8Array([0xa0]))
    for (const peer of network.peers) this.transport.addPeer(peer.addresses(), { node: peer.nodeId })
  }

  async stop(): Promise<void> {
    await this.transport.stop()
    await this.ledger.stop()
  }

  /** The asking half of off-chain storage, over this node's own channels. */
  client(network: TestNetwork): DhtClient {
    const store = openNodeStorage(':memory:')
    const { transport } = this
    const holder = new Holder({
      transport,
      store: store.records,
      policy: holderPolicy(this.ledger),
      sign: (digest) => this.signer.signDigest(digest),
      clock: systemClock,
      log: silentLog,
    })
    const candidates = async () => network.peers.map((p) => ({ id: p.nodeId, preference: 1 }))
    return new DhtClient({ transport, holder, candidates, clock: systemClock, log: silentLog })
  }

  async request(fn: FunctionId, refs: Hex[], params: unknown = {}): Promise<{ jobId: Hex; refs: Hex[] }> {
    const request: JobRequest = {
      functionId: functionHash(fn),
      params: new TextEncoder().encode(JSON.stringify(params)),
      refs,
      resultKey: this.signer.publicKey,
      committeeSize: 3,
      threshold: 1,
      deadline: Math.floor(Date.now() / 1000) + 100_000,
      salt: toHex(randomBytes(32)),
    }
    return this.ledger.requestJob(this.signer, request)
  }

  admit(job: { jobId: Hex; refs: Hex[] }) {
    return this.ledger.admit(this.signer, job.jobId, job.refs)
  }

  /** Asks every holder to release its share to a committee that this node leads; gives each one's refusal. */
  async release(
    network: TestNetwork,
    jobId: Hex,
    refs: Hex[],
    /** The members are told of the plan, too: they take pieces of no other. */
    planned = false,
  ): Promise<string[]> {
    const others = network.peers.map((p) => p.nodeId).slice(0, 2)
    const seed = await this.ledger.seed(jobId)
    const ranking = seed && rankNodes(seed, [...network.peers.map((p) => p.nodeId), this.signer.address])
    const committee = [
      this.signer.address,
      ...(ranking ?? others).filter((id) => id !== this.signer.address),
    ].slice(0, 3)
    const sources: Source[] = []
    for (const ref of refs) {
      const helpers: { index: number; node: NodeId }[] = []
      for (const peer of network.peers) {
        const answer = await this.transport.request(
          peer.nodeId,
          PROTOCOLS.holdings,
          encodeMessage('holdings', { refs: [ref] }),
        )
        const index = decodeMessage('held', answer).indices[0]!
        if (index !== 0 && helpers.length < 3) helpers.push({ index, node: peer.nodeId })
      }
      sources.push({ ref, helpers })
    }
    const packed = packSources(sources)
    const plan = encodeMessage('plan', { jobId, attempt: 1, committee, sources: packed, excluded: [] })
    if (planned)
      for (const member of committee.slice(1))
        this.transport.request(member, PROTOCOLS.run, plan).catch(() => undefined)
    return Promise.all(
      network.peers.map((peer) =>
        this.transport.request(peer.nodeId, PROTOCOLS.release, plan).then(
          () => 'released',
          (error) => (error as { code: string }).code,
        ),
      ),
    )
  }
}

let network: TestNetwork
let alice: Person
let bob: Person
let mallory: Attacker

beforeAll(async () => {
  network = await TestNetwork.start(5)
  ;[alice, bob] = (await Promise.all(['alice', 'bob'].map((n) => network.person(n)))) as [Person, Person]
  mallory = new Attacker(network)
  await mallory.join(network)
}, 120_000)

afterAll(async () => {
  await mallory?.stop()
  await network?.stop()
}, 60_000)

const mean: Predicate = { kind: 'functions', functions: [functionHash('mean')] }
const NOBODY: Hex = `0x${'00'.repeat(32)}`
const REFUSED = [
  'PERMISSION_DENIED',
  'PERMISSION_DENIED',
  'PERMISSION_DENIED',
  'PERMISSION_DENIED',
  'PERMISSION_DENIED',
]

describe('holders refuse, whatever the requester’s node does (Alg. 2)', () => {
  it('but release to a job that is open and authorised (control)', async () => {
    const ref = (await alice.share('0.5', mean)) as Hex
    // The peers learn of a new registration a moment later, and finish a job themselves if this node is slow.
    await until(async () => {
      const job = await mallory.request('mean', [ref])
      await mallory.admit(job)
      const codes = await mallory.release(network, job.jobId, [ref], true)
      return codes.filter((code) => code === 'released').length === 3 || undefined
    })
  })

  it('a cohort that is too small', async () => {
    const ref = (await alice.share('1', { kind: 'and', of: [mean, { kind: 'cohort', minimum: 2 }] })) as Hex
    const job = await mallory.request('mean', [ref])
    await expect(mallory.admit(job)).rejects.toMatchObject({ code: 'COHORT_TOO_SMALL' })
    expect(await mallory.release(network, job.jobId, [ref])).toEqual(REFUSED)
  })

  it('a cohort padded with weights of zero', async () => {
    const rule: Predicate = {
      kind: 'and',
      of: [
        { kind: 'functions', functions: [functionHash('weightedMean')] },
        { kind: 'cohort', minimum: 2 },
      ],
    }
    const refs = (await Promise.all([alice.share('11', rule), bob.share('22', rule)])) as Hex[]
    const sorted = (await mallory.request('mean', refs)).refs
    const job = await mallory.request('weightedMean', refs, { weights: ['1', '0'] })
    await mallory.admit(job)
    const codes = await mallory.release(network, job.jobId, sorted)
    expect(codes).not.toContain('released')
    expect(codes).toContain('COHORT_TOO_SMALL')
  })

  it('a requester outside the rule', async () => {
    const { account } = await bob.call('vault.status', {})
    const ref = (await alice.share('2', {
      kind: 'and',
      of: [mean, { kind: 'keys', accounts: [account as string] }],
    })) as Hex
    const job = await mallory.request('mean', [ref])
    await expect(mallory.admit(job)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    expect(await mallory.release(network, job.jobId, [ref])).toEqual(REFUSED)
  })

  it('a request that the owner has not approved, and one that it declined', async () => {
    const ref = (await alice.share('3', { kind: 'and', of: [mean, { kind: 'approval' }] })) as Hex
    const job = await mallory.request('mean', [ref])
    await expect(mallory.admit(job)).rejects.toMatchObject({ code: 'APPROVAL_MISSING' })
    expect(await mallory.release(network, job.jobId, [ref])).toEqual(REFUSED)
  })

  it('another function than the rule allows', async () => {
    const ref = (await alice.share('4', mean)) as Hex
    const job = await mallory.request('sum', [ref])
    await expect(mallory.admit(job)).rejects.toMatchObject({ code: 'FUNCTION_NOT_ALLOWED' })
    expect(await mallory.release(network, job.jobId, [ref])).toEqual(REFUSED)
  })

  it('a second use past the use count', async () => {
    const ref = (await alice.share('5', { kind: 'and', of: [mean, { kind: 'uses', count: 1 }] })) as Hex
    const id = await bob.request({ function: 'mean', refs: [ref] })
    expect(await bob.result(id)).toEqual(['5'])
    const job = await mallory.request('mean', [ref])
    await expect(mallory.admit(job)).rejects.toMatchObject({ code: 'PREDICATE_USED_UP' })
    expect(await mallory.release(network, job.jobId, [ref])).toEqual(REFUSED)
  })

  it('a revoked reference, even of a job that was admitted before', async () => {
    const refs = (await Promise.all([alice.share('6', mean), bob.share('7', mean)])) as Hex[]
    const job = await mallory.request('mean', refs)
    await alice.done(await alice.call('access.revoke', { ref: refs[0] as string }))
    await expect(mallory.admit(job)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    expect(await mallory.release(network, job.jobId, [refs[1] as Hex])).toEqual(REFUSED)
  })

  it('the shares themselves to anyone but the owner', async () => {
    const ref = (await alice.share('8', mean)) as Hex
    for (const peer of network.peers) {
      const request = await signRelease(
        { signer: mallory.signer.address, sign: async (d) => mallory.signer.signDigest(d) },
        {
          kind: 'share',
          key: ref,
          holder: peer.nodeId,
          via: mallory.signer.address,
          purpose: 'declassify',
          time: Date.now(),
        },
      )
      await expect(
        mallory.transport.request(
          peer.nodeId,
          GET,
          encodeCanonical({ request, kind: 'share', key: ref, brief: false }),
        ),
      ).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    }
  })

  it('an expired grant', async () => {
    const end = Date.now() + 40_000
    const ref = (await alice.share('9', { kind: 'and', of: [mean, { kind: 'expiry', until: end }] })) as Hex
    const rpc = (method: string, params: unknown[]) =>
      fetch(network.chain.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      })
    const job = await mallory.request('mean', [ref])
    await rpc('evm_increaseTime', [60])
    await rpc('evm_mine', [])
    await expect(mallory.admit(job)).rejects.toMatchObject({ code: 'PREDICATE_EXPIRED' })
    expect(await mallory.release(network, job.jobId, [ref])).toEqual(REFUSED)
  })

  it('encrypted data to anyone but the owner and whom its read rule names (Alg. 3)', async () => {
    const friend = new LocalSigner(randomBytes(32))
    const plaintext = new TextEncoder().encode('for a friend')
    const secret = randomBytes(32)
    const me = mallory.signer
    const owner = { owner: me.address, signer: me.address, sign: async (d: Uint8Array) => me.signDigest(d) }
    const ciphertext = seal(secret, me.address, plaintext)
    const client = mallory.client(network)
    const key = encryptedKey(me.address, ciphertext)
    const record = { kind: 'encrypted', key, owner: me.address, ciphertext } as const
    const prepared = await client.prepareEncrypted(record, owner, { replicas: 3, quorum: 3 })
    await client.commit(prepared, owner)
    const holders = prepared.placements.map((p) => p.holder)
    const read = (signer: LocalSigner, purpose: string) =>
      client.load('encrypted', key, {
        signer: { signer: signer.address, sign: async (d) => signer.signDigest(d) },
        purpose,
        holders,
      })
    const refused = async (signer: LocalSigner, purpose: string) =>
      expect((await read(signer, purpose)).failures.map((f) => f.error.code)).toEqual(
        Array(3).fill('PERMISSION_DENIED'),
      )
    const { records } = await read(me, 'load')
    expect(unseal(secret, me.address, records[0]?.record.ciphertext as Uint8Array)).toEqual(plaintext)
    await refused(friend, 'load')

    // The reference names its reader.
    const identity = mallory.ledger.identityAddress([me.address])
    await mallory.ledger.createIdentity(me, [{ account: me.address, roles: 15n }], NOBODY)
    const rule = encodePredicate({ kind: 'keys', accounts: [friend.address] })
    await mallory.ledger.publishPredicate(me, rule)
    await mallory.ledger.createReference(me, {
      ...{ identity, xRef: key, kind: 'encrypted', length: 1, n: 3, t: 0 },
      computePredicate: predicateId(rule),
      readPredicate: predicateId(rule),
      commitmentsDigest: prepared.content,
      c0: `0x${'00'.repeat(64)}`,
    })
    const ref = mallory.ledger.referenceId(identity, key)
    expect((await read(friend, ref)).records).toHaveLength(3)
    await refused(new LocalSigner(randomBytes(32)), ref)
    await mallory.ledger.revoke(me, ref)
    await refused(friend, ref)
  })
})
