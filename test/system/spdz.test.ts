import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { EnigmaError } from '../../core/base/errors.ts'
import type { Predicate } from '../../core/ipc/index.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import type { Person, TestNetwork } from './network.ts'
import { startSpdzNetwork } from './spdz-network.ts'

let network: TestNetwork
let alice: Person
let bob: Person
let analyst: Person
let rule: Predicate

beforeAll(async () => {
  ;({ network, alice, bob, analyst, rule } = await startSpdzNetwork(5))
}, 120_000)

afterAll(() => network?.stop(), 60_000)
afterEach(() => vi.restoreAllMocks())

describe('a job against malicious nodes (§5.1.2)', () => {
  it.each([2, 3])('gives the exact statistics with %i nodes, all but one of which may cheat', async (n) => {
    const refs = await Promise.all([alice.share('5230.50', rule), bob.share('-4100', rule)])
    for (const [name, expected] of [
      ['mean', '565.25'],
      // (5230.50 + 4100)² / 2
      ['variance', '43529115.125'],
    ] as const) {
      const id = await analyst.request({ function: name, refs, protocol: 'spdz', n })
      expect(await analyst.result(id)).toEqual([expected])
      const { job } = await analyst.call('compute.get', { id })
      expect(job).toMatchObject({ protocol: 'spdz', threshold: n - 1, attempt: 1 })
      expect(job.committee).toHaveLength(n)
    }
  })

  it('can be audited by anybody, from the ledger and the transcript in the network', async () => {
    const refs = await Promise.all([alice.share('12', rule), bob.share('30.5', rule)])
    const id = await analyst.request({ function: 'variance', refs, protocol: 'spdz-audited', n: 3 })
    expect(await analyst.result(id)).toEqual(['171.125'])
    const mine = await analyst.call('compute.audit', { id })
    expect(mine).toMatchObject({ valid: true, mine: true })
    expect(mine.parties).toHaveLength(3)
    // Somebody who had no part in it, and knows no result.
    expect(await alice.call('compute.audit', { id })).toMatchObject({ valid: true, parties: mine.parties })
    expect((await alice.call('compute.audit', { id })).mine).toBeUndefined()
    const path = join(network.dir, 'transcript.cbor')
    const { bytes } = await alice.call('compute.transcript', { id, path })
    expect((await readFile(path)).length).toBe(bytes)
    await expect(alice.call('compute.transcript', { id, path })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it('compares secrets, under either protocol', async () => {
    const refs = await Promise.all([alice.share('3', rule), alice.share('-2.5', rule), bob.share('7', rule)])
    for (const protocol of ['spdz', 'honest-majority'] as const) {
      const id = await analyst.request({ function: 'median', refs, protocol, n: 3 })
      expect(await analyst.result(id)).toEqual(['3'])
    }
    const id = await analyst.request({
      function: 'relativePosition',
      refs,
      params: { subject: refs[2] as string },
      protocol: 'spdz',
      n: 2,
    })
    expect(await analyst.result(id)).toEqual(['100'])
  })

  it('counts by range, and tells the ranges with the counts', async () => {
    const refs = await Promise.all([alice.share('3', rule), alice.share('10', rule), bob.share('70', rule)])
    const params = { edges: ['5.0', '10', '20'] }
    const id = await analyst.request({ function: 'histogram', refs, params, protocol: 'spdz', n: 2 })
    expect(await analyst.result(id)).toEqual(['1', '0', '1', '1'])
    expect(await analyst.call('compute.result', { id })).toMatchObject({ edges: ['5', '10', '20'] })
  })

  it('gives the mean of logistic scores, and no score', async () => {
    const refs = await Promise.all([alice.share('3', rule), bob.share('-1.5', rule)])
    for (const protocol of ['spdz', 'honest-majority'] as const) {
      const params = { weights: ['0.8'], bias: '-1' }
      const n = protocol === 'spdz' ? 2 : 3
      const id = await analyst.request({ function: 'logisticMean', refs, params, protocol, n })
      // (σ(1.4) + σ(−2.2))/2
      expect(Math.abs(Number((await analyst.result(id))[0]) - 0.450967189)).toBeLessThan(1e-6)
    }
  })

  it('tells how far it is, phase after phase, and is led by one node', async () => {
    const refs = await Promise.all([alice.share('1.5', rule), bob.share('-3', rule)])
    const params = { weights: ['0.8'], bias: '-1' }
    const id = await analyst.request({ function: 'logisticMean', refs, params, protocol: 'spdz', n: 3 })
    const seen: string[] = []
    const attempts = new Set<number>()
    for (let state = ''; state !== 'done'; await sleep(50)) {
      const { job } = await analyst.call('compute.get', { id })
      expect(job.state).not.toBe('failed')
      state = job.state
      if (seen.at(-1) !== state) seen.push(state)
      attempts.add(job.attempt)
    }
    const order = ['approvals', 'committee', 'inputs', 'preparing', 'computing', 'output', 'done']
    expect(seen).toEqual(order.filter((state) => seen.includes(state)))
    expect(attempts).toContain(1)
    expect(Math.max(...attempts)).toBe(1)
  })

  it.each(['spdz', 'spdz-audited'] as const)(
    'begins anew when a member has ended without a word (%s)',
    async (protocol) => {
      const refs = await Promise.all([alice.share('12', rule), bob.share('30.5', rule)])
      const open = Libp2pTransport.prototype.openSession
      let ended = 0
      vi.spyOn(Libp2pTransport.prototype, 'openSession').mockImplementation(async function (
        this: Libp2pTransport,
        id,
        ...rest
      ) {
        // The others wait for it for two minutes.
        if (id.endsWith('/stock') && id.split('/').at(-2) !== this.self && ended++ === 0)
          throw new EnigmaError('PEER_UNREACHABLE', 'cut off')
        return open.call(this, id, ...rest)
      })
      const id = await analyst.request({ function: 'variance', refs, protocol, n: 3 })
      expect(await analyst.result(id)).toEqual(['171.125'])
      const { job } = await analyst.call('compute.get', { id })
      expect(job).toMatchObject({ attempt: 2, excluded: [] })
    },
  )

  it('refuses a threshold or size that SPDZ does not have', async () => {
    const refs = [await alice.share('1', rule)]
    for (const wrong of [{ n: 6 }, { n: 3, t: 1 }])
      await expect(
        analyst.call('compute.request', { function: 'sum', refs, protocol: 'spdz', ...wrong }),
      ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
