import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Predicate } from '../../core/ipc/index.ts'
import { openNodeStorage } from '../../core/storage/node-storage.ts'
import { PASSWORD, Person, TestNetwork, until } from './network.ts'

let network: TestNetwork
let alice: Person
let bob: Person
let carol: Person
let analyst: Person
let hashes: Record<string, string>

const rule = (
  over: Partial<{ functions: string[]; minimum: number; approval: boolean }> = {},
): Predicate => ({
  kind: 'and',
  of: [
    { kind: 'functions', functions: over.functions ?? [hashes.mean as string] },
    { kind: 'cohort', minimum: over.minimum ?? 2 },
    ...(over.approval === false ? [] : [{ kind: 'approval' } as const]),
  ],
})

/** Shares of a reference in the databases of all nodes: the node's number and the index. */
async function sharesOf(ref: string): Promise<{ peer: number; index: number }[]> {
  const shares: { peer: number; index: number }[] = []
  for (const peer of network.peers.keys()) {
    const storage = openNodeStorage(join(network.peerDir(peer), 'node.db'), { exclusive: false })
    try {
      const found = await storage.records.get('share', ref as `0x${string}`)
      if (found?.record.kind === 'share') shares.push({ peer, index: found.record.index })
    } finally {
      storage.close()
    }
  }
  return shares
}

beforeAll(async () => {
  network = await TestNetwork.start(5)
  ;[alice, bob, carol, analyst] = (await Promise.all(
    ['alice', 'bob', 'carol', 'analyst'].map((name) => network.person(name)),
  )) as [Person, Person, Person, Person]
  const { functions } = await analyst.call('compute.functions', {})
  hashes = Object.fromEntries(functions.map((f) => [f.id, f.codeHash]))
}, 120_000)

afterAll(() => network?.stop(), 60_000)

describe('share, authorise, compute, declassify, revoke (§5.7, Alg. 3 and 4)', () => {
  let refs: string[]

  it('gives every holder one share and no node more', async () => {
    refs = await Promise.all([
      alice.share('5230.50', rule()),
      bob.share('4100', rule()),
      carol.share('7004.25', rule()),
    ])
    for (const ref of refs) {
      const held = await sharesOf(ref)
      expect(held).toHaveLength(5)
      expect(new Set(held.map((h) => h.peer)).size).toBe(5)
      expect(new Set(held.map((h) => h.index)).size).toBe(5)
    }
  })

  it('computes the exact mean once every owner approved, for the requester alone', async () => {
    const id = await analyst.request({ function: 'mean', refs, label: 'pay' })
    await Promise.all([alice.approve(id), bob.approve(id), carol.approve(id)])
    // (5230.50 + 4100 + 7004.25) / 3
    expect(await analyst.result(id)).toEqual(['5444.916666666667'])
    await expect(alice.call('compute.result', { id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const { job } = await analyst.call('compute.get', { id })
    expect(job.committee).toHaveLength(3)
    expect(job.resultDigest).toMatch(/^0x[0-9a-f]{64}$/)
  })

  it('multiplies secrets among a committee of five', async () => {
    const open = rule({ functions: [hashes.variance as string], approval: false })
    const values = await Promise.all([alice.share('2', open), bob.share('4', open), carol.share('9', open)])
    const id = await analyst.request({ function: 'variance', refs: values, n: 5, t: 2 })
    // mean 5, deviations −3, −1, 4: 26 / 2, the sample variance
    expect(await analyst.result(id)).toEqual(['13'])
  })

  it('computes over a column of a table with many rows', async () => {
    const rows = Array.from({ length: 2000 }, (_, i) => [`d${i}`, String(i)])
    const { id: recordId } = await alice.call('data.add', {
      title: 'Steps',
      value: {
        type: 'table',
        columns: [
          { name: 'day', kind: 'text' },
          { name: 'steps', kind: 'number' },
        ],
        rows,
      },
    })
    const open: Predicate = { kind: 'functions', functions: [hashes.sum as string] }
    const ref = await alice.shareRecord(recordId, open)
    const id = await analyst.request({ function: 'sum', refs: [ref] })
    expect(await analyst.result(id)).toEqual([String((1999 * 2000) / 2)])
  })

  it('reveals to the owner only, exactly', async () => {
    const started = await alice.call('declassify.start', { ref: refs[0] as string })
    await alice.done(started)
    expect(await alice.call('declassify.result', started)).toMatchObject({
      values: ['5230.5'],
      badHolders: [],
    })
    await expect(bob.call('declassify.start', { ref: refs[0] as string })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(alice.asked).toContain('declassify.start')
  })

  it('lists who may use what, and erases on revocation', async () => {
    const ref = refs[1] as string
    const { grants } = await bob.call('access.list', {})
    expect(grants.find((g) => g.ref === ref)).toMatchObject({ state: 'active', computations: 1 })
    await bob.done(await bob.call('access.revoke', { ref }))
    expect(await sharesOf(ref)).toEqual([])
    await expect(analyst.request({ function: 'mean', refs })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    await expect(bob.call('declassify.start', { ref })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  })

  it('restores records and accounts from the phrase on an empty machine', async () => {
    const { account } = await alice.call('vault.status', {})
    const { records } = await alice.call('data.list', {})
    const machine = await Person.open('new-machine', join(network.dir, 'new-machine'), network.config)
    network.people.push(machine)
    // The backup in the network follows the last change after some seconds.
    await until(async () => {
      const stored = await network.chainValue(account as string)
      return stored === '0x' ? undefined : true
    })
    const restored = await machine.call('vault.restore', { phrase: alice.phrase, password: PASSWORD })
    expect(restored.account).toBe(account)
    expect(restored).toMatchObject({ references: 3, pending: false })
    expect((await machine.call('data.list', {})).records.map((r) => r.title).sort()).toEqual(
      records.map((r) => r.title).sort(),
    )
    const started = await machine.call('declassify.start', { ref: refs[0] as string })
    await machine.done(started)
    expect((await machine.call('declassify.result', started)).values).toEqual(['5230.5'])
  })

  it('lets members form a shared identity only with the consent of each', async () => {
    const { publicKey } = await bob.call('vault.status', {})
    const started = await carol.call('identity.create', {
      label: 'Team',
      members: [{ publicKey: publicKey as string, role: 'member' }],
    })
    const invitation = await until(async () => (await bob.call('identity.invitations', {})).invitations[0])
    await bob.call('identity.join', { address: invitation.address, accept: true })
    const job = await carol.done(started)
    const identity = await until(async () => {
      const found = await bob.call('identity.get', { address: job.result?.identity as string })
      return found.identity.state === 'active' ? found.identity : undefined
    })
    expect(identity).toMatchObject({ kind: 'shared', mine: true })
    expect(identity.members).toHaveLength(2)
  })
})
