import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import { encodeCanonical } from '../../../core/base/cbor.ts'
import { NO_CONTENT } from '../../../core/dht/constants.ts'
import { COMMIT, DELETE, GET, PUT, REPLICATE } from '../../../core/dht/holder.ts'
import { contentDigest, placementDigest } from '../../../core/dht/records.ts'
import { authorize, receiptDigest, signRelease, verifyReceipt } from '../../../core/dht/signatures.ts'
import type { Hash, Receipt, ShareRecord } from '../../../core/dht/types.ts'
import {
  type Account,
  account,
  deal,
  sign,
  type TestNode,
  type World,
  world,
} from '../../unit/dht/harness.ts'

let w: World
afterEach(() => w.stop())

const DENIED = { code: 'PERMISSION_DENIED' }
const INVALID = { code: 'RECORD_INVALID' }

async function put(from: TestNode, to: TestNode, record: ShareRecord, signer: Account, change: object = {}) {
  const authorization = {
    ...(await authorize(signer, {
      action: 'put',
      kind: 'share',
      key: record.key,
      content: contentDigest(record),
      time: w.clock.now(),
    })),
    ...change,
  }
  return from.transport.request(to.id, PUT, encodeCanonical({ record, authorization }))
}

describe('a holder', () => {
  it('refuses records that the owner did not sign, or that do not fit', async () => {
    w = world(2)
    const [a, b] = w.nodes as [TestNode, TestNode]
    const [owner, thief] = [account(), account()]
    const [share, second] = deal(owner.owner, 3, 1) as [ShareRecord, ShareRecord]
    const other = deal(owner.owner, 3, 1)[0]!
    await expect(put(a, b, share, thief)).rejects.toMatchObject(DENIED)
    await expect(
      put(a, b, share, { ...thief, owner: owner.owner, signer: owner.owner }),
    ).rejects.toMatchObject(DENIED)
    await expect(put(a, b, share, owner, { time: w.clock.now() - 3600_000 })).rejects.toMatchObject(DENIED)
    await expect(put(a, b, share, owner, { time: w.clock.now() + 1 })).rejects.toMatchObject(DENIED)
    await expect(put(a, b, share, owner, { action: 'commit' })).rejects.toMatchObject(DENIED)
    await expect(put(a, b, { ...share, key: other.key }, owner, { key: share.key })).rejects.toMatchObject(
      DENIED,
    )
    await expect(put(a, b, { ...share, values: second.values }, owner)).rejects.toMatchObject(INVALID)
    await expect(put(a, b, { ...share, index: 2 }, owner)).rejects.toMatchObject(INVALID)
    await expect(put(a, b, { ...share, index: 0 }, owner)).rejects.toMatchObject(INVALID)
    await expect(put(a, b, { ...share, index: 4 }, owner)).rejects.toMatchObject(INVALID)
    await expect(put(a, b, { ...share, length: 2 }, owner)).rejects.toMatchObject(INVALID)
    expect(b.storage.records.usage().records).toBe(0)
  })

  it('keeps one share of a value, whatever the owner asks', async () => {
    w = world(2)
    const [a, b] = w.nodes as [TestNode, TestNode]
    const owner = account()
    const shares = deal(owner.owner, 3, 1)
    await put(a, b, shares[0]!, owner)
    await put(a, b, shares[1]!, owner)
    expect(b.storage.records.summary('share', shares[0]!.key)?.index).toBe(2)
    const placements = [{ index: 2, holder: b.id }]
    const authorization = await authorize(owner, {
      action: 'commit',
      kind: 'share',
      key: shares[0]!.key,
      content: placementDigest(contentDigest(shares[0]!), placements),
      time: w.clock.now(),
    })
    await a.transport.request(b.id, COMMIT, encodeCanonical({ authorization, placements }))
    await expect(put(a, b, shares[0]!, owner)).rejects.toMatchObject(INVALID)
    // Another list of holders under the same signature.
    const swapped = [{ index: 1, holder: b.id }]
    await expect(
      a.transport.request(b.id, COMMIT, encodeCanonical({ authorization, placements: swapped })),
    ).rejects.toMatchObject(DENIED)
  })

  it('releases nothing to replayed, redirected, stale or foreign requests', async () => {
    w = world(3)
    const [a, b, c] = w.nodes as [TestNode, TestNode, TestNode]
    const [owner, thief] = [account(), account()]
    w.chain.allowed.add(owner.owner)
    const shares = deal(owner.owner, 2, 1)
    const key = shares[0]!.key
    const prepared = await a.dht.client.prepareShares(shares, owner, { quorum: 2, exclude: [a.id] })
    await a.dht.client.commit(prepared, owner)
    const fields = { kind: 'share' as const, key, holder: b.id, via: a.id, purpose: 'x', time: w.clock.now() }
    const ask = (from: TestNode, to: TestNode, request: unknown) =>
      from.transport.request(to.id, GET, encodeCanonical({ request, kind: 'share', key, brief: false }))
    const request = await signRelease(owner, fields)
    await expect(ask(c, b, request)).rejects.toMatchObject(DENIED)
    await expect(ask(a, c, request)).rejects.toMatchObject(DENIED)
    await expect(ask(a, b, null)).rejects.toMatchObject(DENIED)
    await expect(ask(a, b, { ...request, purpose: 'y' })).rejects.toMatchObject(DENIED)
    await expect(ask(a, b, { ...request, requester: thief.signer })).rejects.toMatchObject(DENIED)
    await expect(ask(a, b, await signRelease(thief, fields))).rejects.toMatchObject(DENIED)
    await expect(ask(a, b, await signRelease(owner, { ...fields, time: 5 }))).rejects.toMatchObject(DENIED)
    const asked = w.chain.asked
    await ask(a, b, request)
    expect(w.chain.asked).toBe(asked + 1)
    await expect(ask(a, b, request)).rejects.toMatchObject(DENIED)
  })

  it('deletes for the owner only', async () => {
    w = world(2)
    const [a, b] = w.nodes as [TestNode, TestNode]
    const [owner, thief] = [account(), account()]
    const shares = deal(owner.owner, 1, 0)
    const key = shares[0]!.key
    const prepared = await a.dht.client.prepareShares(shares, owner, { quorum: 1, exclude: [a.id] })
    await a.dht.client.commit(prepared, owner)
    const base = {
      action: 'delete' as const,
      kind: 'share' as const,
      key,
      content: NO_CONTENT,
      time: w.clock.now(),
    }
    const forged = { ...(await authorize(thief, base)), owner: owner.owner, signer: owner.owner }
    for (const bad of [
      await authorize(thief, base),
      forged,
      { ...(await authorize(owner, { ...base, action: 'abort' })), action: 'delete' },
    ])
      await expect(a.transport.request(b.id, DELETE, encodeCanonical(bad))).rejects.toMatchObject(DENIED)
    expect(b.storage.records.summary('share', key)?.state).toBe('active')
  })

  it('takes no share and nothing unsigned over the repair path', async () => {
    w = world(2)
    const [a, b] = w.nodes as [TestNode, TestNode]
    const owner = account()
    const record = deal(owner.owner, 2, 1)[0]!
    const authorization = await authorize(owner, {
      action: 'put',
      kind: 'share',
      key: record.key,
      content: contentDigest(record),
      time: w.clock.now(),
    })
    const placements = [{ index: 2, holder: a.id }]
    const payload = encodeCanonical({ record, authorization, placements })
    await expect(a.transport.request(b.id, REPLICATE, payload)).rejects.toMatchObject(INVALID)
    // Without a live reference on the ledger no share is accepted, even locally.
    await expect(b.dht.holder.acceptRepaired(record, authorization, placements)).rejects.toMatchObject(DENIED)
  })

  it('survives thousands of mutated frames', async () => {
    w = world(2)
    const [a, b] = w.nodes as [TestNode, TestNode]
    const owner = account()
    const record = deal(owner.owner, 3, 1)[0]!
    const authorization = await authorize(owner, {
      action: 'put',
      kind: 'share',
      key: record.key,
      content: contentDigest(record),
      time: w.clock.now(),
    })
    const release = await signRelease(owner, {
      kind: 'share',
      key: record.key,
      holder: b.id,
      via: a.id,
      purpose: 'p',
      time: w.clock.now(),
    })
    const frames: [string, Uint8Array][] = [
      [PUT, encodeCanonical({ record, authorization })],
      [COMMIT, encodeCanonical({ authorization, placements: [{ index: 1, holder: b.id }] })],
      [GET, encodeCanonical({ request: release, kind: 'share', key: record.key, brief: true })],
      ['dht/locate/1', encodeCanonical({ kind: 'share', key: record.key })],
      ['dht/check/1', encodeCanonical({ records: [{ kind: 'share', key: record.key, index: 1 }] })],
      ['dht/abort/1', encodeCanonical(authorization)],
    ]
    let refused = 0
    const mutate = (bytes: Uint8Array): Uint8Array => {
      const out = Uint8Array.from(bytes)
      const roll = Math.random()
      if (roll < 0.15) return out.subarray(0, Math.floor(Math.random() * out.length))
      if (roll < 0.25)
        return new Uint8Array(Buffer.concat([out, randomBytes(1 + Math.floor(Math.random() * 8))]))
      for (let i = 0; i <= Math.random() * 3; i++)
        out[Math.floor(Math.random() * out.length)] = Math.floor(Math.random() * 256)
      return out
    }
    for (let i = 0; i < 3000; i++) {
      const [protocol, bytes] = frames[i % frames.length]!
      try {
        await a.transport.request(b.id, protocol, mutate(bytes))
      } catch (error) {
        refused++
        expect(['RECORD_INVALID', 'PERMISSION_DENIED', 'NOT_FOUND']).toContain(
          (error as { code: string }).code,
        )
      }
    }
    expect(refused).toBeGreaterThan(1500)
    await expect(put(a, b, record, owner)).resolves.toBeInstanceOf(Uint8Array)
  })
})

describe('receipts', () => {
  it('convince only as signed, by the holder, for the record', async () => {
    w = world(3)
    const owner = account()
    const shares = deal(owner.owner, 2, 1)
    const prepared = await w.nodes[0]!.dht.client.prepareShares(shares, owner, { quorum: 2 })
    const [r, other] = prepared.receipts as [Receipt, Receipt]
    verifyReceipt(r)
    const rejects = (receipt: Receipt, expected = {}) =>
      expect(() => verifyReceipt(receipt, expected)).toThrow(expect.objectContaining(INVALID))
    rejects({ ...r, time: r.time + 1 })
    rejects({ ...r, state: 'active' })
    rejects({ ...r, index: other.index })
    rejects({ ...r, digest: toHex(randomBytes(32)) as Hash })
    rejects({ ...r, holder: other.holder })
    rejects({ ...r, signature: other.signature })
    rejects(r, { key: toHex(randomBytes(32)) as Hash })
    const { signature: _, ...unsigned } = r
    rejects({ ...unsigned, signature: sign(new Uint8Array(randomBytes(32)), receiptDigest(unsigned)) })
    // The other root of the curve: s → n − s with v flipped is refused (EIP-2).
    const high = Uint8Array.from(r.signature)
    const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = n - BigInt(toHex(high.subarray(32, 64)))
    high.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex'), 32)
    high[64] = high[64] === 27 ? 28 : 27
    rejects({ ...r, signature: high })
  })

  it('of a lying holder do not count', async () => {
    w = world(4)
    const owner = account()
    const client = w.nodes[0]!.dht.client
    const shares = deal(owner.owner, 3, 1)
    const ranked = await client.rank(shares[0]!.key, [w.nodes[0]!.id])
    const liar = w.byId(ranked[0]!)
    const honest = w.byId(ranked[1]!)
    // Answers with a receipt of its own making for a record it does not keep.
    liar.transport.handle(PUT, async () => {
      const unsigned = {
        kind: 'share' as const,
        key: shares[0]!.key,
        index: 1,
        digest: toHex(randomBytes(32)) as Hash,
        owner: owner.owner,
        state: 'pending' as const,
        holder: honest.id,
        time: w.clock.now(),
      }
      return encodeCanonical({ ...unsigned, signature: sign(liar.key, receiptDigest(unsigned)) })
    })
    const prepared = await client.prepareShares(shares, owner, { quorum: 3 })
    expect(prepared.placements.map((p) => p.holder)).not.toContain(liar.id)
    expect(prepared.receipts).toHaveLength(3)
  })
})
