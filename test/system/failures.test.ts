import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Predicate } from '../../core/ipc/index.ts'
import { PASSWORD, Person, TestNetwork, until } from './network.ts'

let network: TestNetwork
let alice: Person
let analyst: Person
const anyone: Predicate = { kind: 'cohort', minimum: 2 }

beforeAll(async () => {
  network = await TestNetwork.start(6)
  ;[alice, analyst] = (await Promise.all([network.person('alice'), network.person('analyst')])) as [
    Person,
    Person,
  ]
}, 120_000)

afterAll(() => network?.stop(), 60_000)

/** Two owners' numbers, so that a cohort of two is met. */
async function twoValues(): Promise<string[]> {
  const bob = network.people.find((p) => p.name === 'bob') ?? (await network.person('bob'))
  return Promise.all([alice.share('3', anyone), bob.share('5', anyone)])
}

describe('a node that falls silent (§5.1.1: liveness needs a majority)', () => {
  it('is replaced when it is the coordinator of a job that multiplies', async () => {
    const refs = await twoValues()
    const id = await analyst.request({ function: 'variance', refs })
    const leader = await until(async () => {
      const { job } = await analyst.call('compute.get', { id })
      return job.committee[0] ?? (job.state === 'done' ? 'done' : undefined)
    })
    const index = network.peers.findIndex((p) => p.nodeId === leader)
    if (index >= 0) await network.peers[index]?.stop()
    // (3 − 4)² + (5 − 4)², over n − 1
    expect(await analyst.result(id)).toEqual(['2'])
    if (index >= 0) await network.addPeer(index)
  }, 180_000)

  it('does not keep a share from being stored, if enough others are there', async () => {
    await network.peers[0]?.stop()
    const ref = await alice.share('8', anyone)
    const started = await alice.call('declassify.start', { ref })
    await alice.done(started)
    expect((await alice.call('declassify.result', started)).values).toEqual(['8'])
    await network.addPeer(0)
  }, 120_000)

  it('makes a share fail with a reason when too few are left, and leaves nothing behind', async () => {
    for (const index of [0, 1, 2, 3]) await network.peers[index]?.stop()
    const before = (await alice.call('share.list', {})).shares.length
    await expect(alice.share('9', anyone, { n: 5, t: 2 })).rejects.toMatchObject({
      code: expect.stringMatching(/QUORUM_NOT_REACHED|HOLDERS_TOO_FEW/),
    })
    expect((await alice.call('share.list', {})).shares).toHaveLength(before)
    for (const index of [0, 1, 2, 3]) await network.addPeer(index)
  }, 180_000)
})

describe('a requester that restarts', () => {
  it('goes on to the result', async () => {
    const refs = await twoValues()
    const dir = join(network.dir, 'restarting')
    let rita = await Person.open('rita', dir, network.config)
    await rita.call('vault.create', { password: PASSWORD })
    const id = await rita.request({ function: 'mean', refs })
    await rita.node.stop()
    rita = await Person.open('rita', dir, network.config)
    network.people.push(rita)
    await rita.call('vault.unlock', { password: PASSWORD })
    expect(await rita.result(id)).toEqual(['4'])
  }, 120_000)
})

describe('cancellation', () => {
  it('ends a request that waits for approval, on the ledger too', async () => {
    const bob = network.people.find((p) => p.name === 'bob') as Person
    const rule: Predicate = { kind: 'and', of: [anyone, { kind: 'approval' }] }
    const refs = await Promise.all([alice.share('1', rule), bob.share('2', rule)])
    const id = await analyst.request({ function: 'mean', refs })
    await analyst.call('compute.cancel', { id })
    await until(async () => {
      const { job } = await analyst.call('compute.get', { id })
      return job.state === 'cancelled' || undefined
    })
    await until(async () => {
      const { approvals } = await alice.call('approvals.list', {})
      return approvals.find((a) => a.id === id)?.state === 'closed' || undefined
    })
  }, 60_000)
})
