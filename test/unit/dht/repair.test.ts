import { randomBytes } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { publicKey } from '../../../core/dht/records.ts'
import { account, deal, type World, world } from './harness.ts'

let w: World
afterEach(() => w.stop())

const live = () => w.nodes.filter((n) => w.network.nodes.has(n.id))
async function pass(): Promise<number> {
  let repaired = 0
  for (const n of live()) repaired += (await n.dht.maintenance.run()).repaired
  return repaired
}

it('replaces a lost holder of shares exactly once, after the grace period', async () => {
  w = world(8)
  const owner = account()
  const shares = deal(owner.owner, 5, 2)
  const key = shares[0]!.key
  const prepared = await w.nodes[0]!.dht.client.prepareShares(shares, owner, { quorum: 5 })
  await w.nodes[0]!.dht.client.commit(prepared, owner)
  w.chain.opinions.set(key, 'active')
  const lost = prepared.placements[2]!
  w.network.kill(lost.holder)
  expect(await pass()).toBe(0)
  w.clock.time += 999
  expect(await pass()).toBe(0)
  w.clock.time += 2
  expect(await pass()).toBe(1)
  expect(w.repairs.map((r) => r.index)).toEqual([lost.index])
  const replacement = w.repairs[0]!.replacement
  expect(prepared.placements.map((p) => p.holder)).not.toContain(replacement)
  w.clock.time += 5000
  expect(await pass()).toBe(0)
  const located = await live()[0]!.dht.client.locate('share', key)
  expect(located.map((r) => r.index).sort()).toEqual([1, 2, 3, 4, 5])
  expect(located.find((r) => r.index === lost.index)?.holder).toBe(replacement)
  // Everyone agrees who holds what.
  const lists = located.map((r) =>
    [...w.byId(r.holder).storage.records.summary('share', key)!.placements].sort((a, b) => a.index - b.index),
  )
  for (const list of lists) expect(list).toEqual(lists[0])
})

it('survives the loss of holders one after the other', async () => {
  w = world(10)
  const owner = account()
  const shares = deal(owner.owner, 5, 2)
  const key = shares[0]!.key
  const client = w.nodes[0]!.dht.client
  const prepared = await client.prepareShares(shares, owner, { quorum: 5, exclude: [w.nodes[0]!.id] })
  await client.commit(prepared, owner)
  w.chain.opinions.set(key, 'active')
  for (let round = 0; round < 4; round++) {
    const victim = (await client.locate('share', key)).map((r) => r.holder).find((h) => h !== w.nodes[0]!.id)!
    w.network.kill(victim)
    await pass()
    w.clock.time += 1001
    await pass()
    const located = await client.locate('share', key)
    expect(located.map((r) => r.index).sort()).toEqual([1, 2, 3, 4, 5])
  }
})

it('copies public data to a new holder and ignores forged moves', async () => {
  w = world(6)
  const owner = account()
  const data = new Uint8Array(randomBytes(5000))
  const key = publicKey(data)
  const client = w.nodes[0]!.dht.client
  const prepared = await client.putPublic({ kind: 'public', key, owner: owner.owner, data }, owner, {
    replicas: 3,
    quorum: 3,
    exclude: [w.nodes[0]!.id],
  })
  w.network.kill(prepared.placements[0]!.holder)
  await pass()
  w.clock.time += 1001
  expect(await pass()).toBe(1)
  expect(await client.locate('public', key)).toHaveLength(3)
  expect(Buffer.compare(await client.getPublic(key), data)).toBe(0)
})

it('lets a replaced holder that returns drop its share', async () => {
  w = world(7)
  const owner = account()
  const shares = deal(owner.owner, 4, 1)
  const key = shares[0]!.key
  const client = w.nodes[0]!.dht.client
  const prepared = await client.prepareShares(shares, owner, { quorum: 4, exclude: [w.nodes[0]!.id] })
  await client.commit(prepared, owner)
  w.chain.opinions.set(key, 'active')
  const away = prepared.placements[1]!
  for (const n of w.nodes) if (n.id !== away.holder) w.network.cut(n.id, away.holder)
  const rest = w.nodes.filter((n) => n.id !== away.holder)
  const runRest = async () => {
    for (const n of rest) await n.dht.maintenance.run()
  }
  await runRest()
  w.clock.time += 1001
  await runRest()
  expect(w.repairs).toHaveLength(1)
  for (const n of rest) w.network.mend(n.id, away.holder)
  await w.byId(away.holder).dht.maintenance.run()
  expect(w.byId(away.holder).storage.records.summary('share', key)).toBeUndefined()
  expect((await client.locate('share', key)).map((r) => r.index).sort()).toEqual([1, 2, 3, 4])
})

it('finds holders later for shares that found none at first', async () => {
  w = world(6)
  const owner = account()
  const shares = deal(owner.owner, 5, 2)
  const key = shares[0]!.key
  const client = w.nodes[0]!.dht.client
  for (const n of w.nodes.slice(4)) w.chain.preference.set(n.id, 0)
  const prepared = await client.prepareShares(shares, owner, { quorum: 4 })
  expect(prepared.missing).toHaveLength(1)
  await client.commit(prepared, owner)
  w.chain.opinions.set(key, 'active')
  await pass()
  for (const n of w.nodes.slice(4)) w.chain.preference.set(n.id, 1)
  w.clock.time += 1001
  expect(await pass()).toBe(1)
  expect(w.repairs.map((r) => r.index)).toEqual(prepared.missing)
  w.clock.time += 5000
  expect(await pass()).toBe(0)
  expect((await client.locate('share', key)).map((r) => r.index).sort()).toEqual([1, 2, 3, 4, 5])
})

it('brings holders together again after a crash before the commit', async () => {
  w = world(6)
  const owner = account()
  const shares = deal(owner.owner, 4, 1)
  const key = shares[0]!.key
  await w.nodes[0]!.dht.client.prepareShares(shares, owner, { quorum: 4 })
  w.chain.opinions.set(key, 'active')
  w.clock.time += 2 * 3600_000
  await pass()
  w.clock.time += 5000
  expect(await pass()).toBe(0)
  expect(w.repairs).toEqual([])
  const holders = w.nodes.flatMap((n) => n.storage.records.summary('share', key) ?? [])
  expect(holders.map((h) => h.placements.length)).toEqual([4, 4, 4, 4])
})
