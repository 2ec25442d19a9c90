import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { second } from '../../core/base/units.ts'
import { openNodeStorage } from '../../core/storage/node-storage.ts'
import { type Person, TestNetwork, until } from './network.ts'

let network: TestNetwork
let alice: Person

beforeAll(async () => {
  network = await TestNetwork.start(6, { maintenance: { graceMs: 2 * second, intervalMs: 1 * second } })
  alice = await network.person('alice')
}, 120_000)

afterAll(() => network?.stop(), 60_000)

/** Share index by peer, for the peers that run. */
async function holders(ref: string, except?: number): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  for (const peer of network.peers.keys()) {
    if (peer === except) continue
    const storage = openNodeStorage(join(network.peerDir(peer), 'node.db'), { exclusive: false })
    try {
      const stored = await storage.records.get('share', ref as `0x${string}`)
      if (stored?.state === 'active' && stored.record.kind === 'share') found.set(peer, stored.record.index)
    } finally {
      storage.close()
    }
  }
  return found
}

it('rebuilds the share of a holder that is gone on a node that had none', async () => {
  const ref = await alice.share('77.5', { kind: 'owner' }, { n: 5, t: 2 })
  const before = await holders(ref)
  expect(before.size).toBe(5)
  const [lost, index] = [...before][0] as [number, number]
  await network.peers[lost]?.stop()

  const spare = [...network.peers.keys()].find((peer) => !before.has(peer)) as number
  await until(async () => ((await holders(ref, lost)).get(spare) === index ? true : undefined))

  // Every index once, among the living; the value is unchanged, the rebuilt share among those that make it.
  const after = await holders(ref, lost)
  expect([...after.values()].sort()).toEqual([1, 2, 3, 4, 5])
  const others = [...after.keys()].filter((peer) => peer !== spare).slice(0, 2)
  for (const peer of others) await network.peers[peer]?.stop()
  const started = await alice.call('declassify.start', { ref })
  await alice.done(started)
  expect((await alice.call('declassify.result', started)).values).toEqual(['77.5'])

  // The one that was away comes back: two nodes with one index are no danger, two indices at one node would be.
  await network.addPeer(lost)
  expect([...(await holders(ref)).values()].every((i) => i >= 1 && i <= 5)).toBe(true)
}, 180_000)
