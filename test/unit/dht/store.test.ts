import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { encryptedKey } from '../../../core/dht/records.ts'
import { seal, unseal } from '../../../core/dht/seal.ts'
import { verifyReceipt } from '../../../core/dht/signatures.ts'
import type { EncryptedRecord, PreparedStore } from '../../../core/dht/types.ts'
import { account, deal, type World, world } from './harness.ts'

let w: World
afterEach(() => w.stop())

const holding = (key: `0x${string}`, kind: 'share' | 'encrypted' = 'share') =>
  w.nodes.flatMap((n) => n.storage.records.summary(kind, key) ?? [])

describe('storing shares', () => {
  it('gives each holder one share, invisible until it is committed', async () => {
    w = world(8)
    const owner = account()
    const client = w.nodes[0]!.dht.client
    const shares = deal(owner.owner, 5, 2)
    const key = shares[0]!.key
    const prepared = await client.prepareShares(shares, owner, { quorum: 4 })
    expect(prepared.receipts).toHaveLength(5)
    expect(prepared.missing).toEqual([])
    for (const r of prepared.receipts) verifyReceipt(r, { state: 'pending', key, owner: owner.owner })
    expect(new Set(prepared.placements.map((p) => p.holder)).size).toBe(5)
    expect(prepared.placements.map((p) => p.index).sort()).toEqual([1, 2, 3, 4, 5])
    expect(await client.locate('share', key)).toEqual([])
    w.chain.allowed.add(owner.owner)
    const early = await client.load('share', key, {
      signer: owner,
      purpose: 'declassify',
      holders: prepared.placements.map((p) => p.holder),
    })
    expect(early.records).toEqual([])
    expect(early.failures.every((f) => f.error.code === 'NOT_FOUND')).toBe(true)

    await client.commit(prepared, owner)
    const located = await client.locate('share', key)
    expect(located.map((r) => r.index).sort()).toEqual([1, 2, 3, 4, 5])
    const { records, failures } = await w.nodes[7]!.dht.client.load('share', key, {
      signer: owner,
      purpose: 'declassify',
      holders: located.map((r) => r.holder),
    })
    expect(failures).toEqual([])
    for (const { record } of records) {
      expect(Buffer.compare(record.values, shares[record.index - 1]!.values)).toBe(0)
      expect(record.commitments.length).toBe(160)
    }
    for (const s of holding(key)) expect(s.placements).toHaveLength(5)
  })

  it('replaces holders that are away by the next candidates', async () => {
    w = world(8)
    const owner = account()
    const client = w.nodes[0]!.dht.client
    const shares = deal(owner.owner, 5, 2)
    const ranked = (await client.rank(shares[0]!.key)).filter((id) => id !== w.nodes[0]!.id)
    w.network.kill(ranked[0]!)
    w.network.kill(ranked[1]!)
    const prepared = await client.prepareShares(shares, owner, { quorum: 5 })
    expect(prepared.placements.map((p) => p.holder)).not.toContain(ranked[0])
    expect(prepared.receipts).toHaveLength(5)
  })

  it('leaves nothing behind without a quorum', async () => {
    w = world(5)
    const owner = account()
    const shares = deal(owner.owner, 5, 2)
    w.network.kill(w.nodes[4]!.id)
    w.network.kill(w.nodes[3]!.id)
    const storing = w.nodes[0]!.dht.client.prepareShares(shares, owner, { quorum: 4 })
    await expect(storing).rejects.toMatchObject({ code: 'QUORUM_NOT_REACHED' })
    expect(holding(shares[0]!.key)).toEqual([])
    await expect(
      w.nodes[0]!.dht.client.prepareShares(deal(owner.owner, 6, 2), owner, { quorum: 6 }),
    ).rejects.toMatchObject({ code: 'HOLDERS_TOO_FEW' })
  })

  it('is repeatable after a crash between the phases', async () => {
    w = world(6)
    const owner = account()
    const client = w.nodes[0]!.dht.client
    const shares = deal(owner.owner, 4, 1)
    const first = await client.prepareShares(shares, owner, { quorum: 4 })
    const again: PreparedStore = await w.nodes[5]!.dht.client.prepareShares(shares, owner, {
      quorum: 4,
      prefer: first.placements,
    })
    const sorted = (p: PreparedStore) => [...p.placements].sort((a, b) => a.index - b.index)
    expect(sorted(again)).toEqual(sorted(first))
    expect(holding(shares[0]!.key)).toHaveLength(4)
    await client.commit(again, owner)
    await client.commit(again, owner)
    // A committed store can be repeated too, and an abort does not touch it.
    await client.prepareShares(shares, owner, { quorum: 4, prefer: first.placements })
    expect(await client.abort(again, owner)).toBe(0)
    expect(await client.locate('share', shares[0]!.key)).toHaveLength(4)
  })

  it('expires what was never committed, and recovers it when the ledger has the reference', async () => {
    w = world(4)
    const owner = account()
    const [lost, kept] = [deal(owner.owner, 3, 1), deal(owner.owner, 3, 1)]
    for (const s of [lost, kept]) await w.nodes[0]!.dht.client.prepareShares(s, owner, { quorum: 3 })
    w.chain.opinions.set(kept[0]!.key, 'active')
    w.clock.time += 2 * 3600_000
    for (const n of w.nodes) await n.dht.maintenance.run()
    expect(holding(lost[0]!.key)).toEqual([])
    expect(holding(kept[0]!.key).map((s) => s.state)).toEqual(['active', 'active', 'active'])
  })

  it('erases a revoked record and refuses older authorizations for it', async () => {
    w = world(5)
    const owner = account()
    const client = w.nodes[0]!.dht.client
    const shares = deal(owner.owner, 3, 1)
    const key = shares[0]!.key
    const prepared = await client.prepareShares(shares, owner, { quorum: 3 })
    await client.commit(prepared, owner)
    const holder = w.byId(prepared.placements[0]!.holder)
    const old = (await holder.storage.records.get('share', key))!
    w.clock.time += 1000
    expect(await client.delete('share', key, owner)).toBe(3)
    expect(holding(key)).toEqual([])
    await expect(holder.dht.holder.put(old.record, old.authorization)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
  })

  it('erases what the ledger revoked, without being told by the owner', async () => {
    w = world(4)
    const owner = account()
    const shares = deal(owner.owner, 3, 1)
    const prepared = await w.nodes[0]!.dht.client.prepareShares(shares, owner, { quorum: 3 })
    await w.nodes[0]!.dht.client.commit(prepared, owner)
    w.chain.opinions.set(shares[0]!.key, 'revoked')
    for (const n of w.nodes) await n.dht.maintenance.run()
    expect(holding(shares[0]!.key)).toEqual([])
  })
})

describe('encrypted records', () => {
  it('are sealed by the client, copied, and released by permission only', async () => {
    w = world(6)
    const owner = account()
    const friend = account()
    const client = w.nodes[0]!.dht.client
    const secret = new Uint8Array(randomBytes(32))
    const ciphertext = seal(secret, owner.owner, new TextEncoder().encode('diary'))
    const record: EncryptedRecord = {
      kind: 'encrypted',
      key: encryptedKey(owner.owner, ciphertext),
      owner: owner.owner,
      ciphertext,
    }
    const prepared = await client.prepareEncrypted(record, owner, { replicas: 3, quorum: 2 })
    await client.commit(prepared, owner)
    const holders = (await client.locate('encrypted', record.key)).map((r) => r.holder)
    expect(holders).toHaveLength(3)
    const ask = () =>
      client.load('encrypted', record.key, { signer: friend, purpose: 'load', holders, enough: 1 })
    const refused = await ask()
    expect(refused.records).toEqual([])
    expect(refused.failures.map((f) => f.error.code)).toEqual(Array(3).fill('PERMISSION_DENIED'))
    w.chain.allowed.add(friend.signer)
    const { records } = await ask()
    expect(records).toHaveLength(1)
    expect(new TextDecoder().decode(unseal(secret, owner.owner, records[0]!.record.ciphertext))).toBe('diary')
    expect(() => unseal(secret, friend.owner, ciphertext)).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    )
    const flipped = new Uint8Array(ciphertext)
    flipped[20]! ^= 1
    expect(() => unseal(secret, owner.owner, flipped)).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    )
  })
})

describe('quotas', () => {
  it('bound owner and node', async () => {
    w = world(2, { ownerBytes: 20_000, ownerRecords: 3, totalBytes: 30_000 })
    const [one, two] = [account(), account()]
    const node = w.nodes[0]!
    const put = async (who: typeof one, bytes: number) => {
      const ciphertext = new Uint8Array(randomBytes(bytes))
      const record: EncryptedRecord = {
        kind: 'encrypted',
        key: encryptedKey(who.owner, ciphertext),
        owner: who.owner,
        ciphertext,
      }
      return node.dht.client.prepareEncrypted(record, who, {
        replicas: 1,
        quorum: 1,
        exclude: [w.nodes[1]!.id],
      })
    }
    await put(one, 10_000)
    await expect(put(one, 10_000)).rejects.toMatchObject({ cause: { code: 'QUOTA_EXCEEDED' } })
    await put(one, 10)
    await put(one, 10)
    await expect(put(one, 10)).rejects.toMatchObject({ cause: { code: 'QUOTA_EXCEEDED' } })
    await expect(put(two, 19_000)).rejects.toMatchObject({ cause: { code: 'QUOTA_EXCEEDED' } })
    await put(two, 1000)
    expect(node.storage.records.usage(one.owner).records).toBe(3)
    expect(node.storage.records.usage().records).toBe(4)
  })
})
