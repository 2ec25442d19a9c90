import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { bgvParameters } from '../../../core/bgv/parameters.ts'
import type { Predicate } from '../../../core/ipc/index.ts'
import { STEP } from '../../../core/preprocessing/channel.ts'
import { Libp2pTransport } from '../../../core/transport/libp2p.ts'
import type { NodeId, Session } from '../../../core/transport/types.ts'
import { type Person, TestNetwork } from '../../system/network.ts'

let network: TestNetwork
let alice: Person
let bob: Person
let analyst: Person
let rule: Predicate

beforeAll(async () => {
  const bgv = bgvParameters({ n: 256, levels: 15, replyLevels: 6, batch: 12, insecure: true })
  network = await TestNetwork.start(6, { bgv })
  ;[alice, bob, analyst] = (await Promise.all(
    ['alice', 'bob', 'analyst'].map((name) => network.person(name)),
  )) as [Person, Person, Person]
  const { functions } = await analyst.call('compute.functions', {})
  rule = { kind: 'functions', functions: functions.map((f) => f.codeHash) }
}, 120_000)

afterAll(() => network?.stop(), 60_000)
afterEach(() => vi.restoreAllMocks())

/**
 * One node, the first member of a committee that does not lead it, changes each message of one step in the sessions whose
 * name ends so. Returns who it is, once it has cheated.
 */
function cheat(suffix: string, step: number, at: number): { node?: NodeId } {
  const cheater: { node?: NodeId } = {}
  const open = Libp2pTransport.prototype.openSession
  vi.spyOn(Libp2pTransport.prototype, 'openSession').mockImplementation(async function (
    this: Libp2pTransport,
    id,
    peers,
    options,
  ) {
    const session = await open.call(this, id, peers, options)
    const leader = id.split('/').at(-2)
    if (!id.endsWith(suffix) || leader === this.self) return session
    cheater.node ??= this.self
    if (cheater.node !== this.self) return session
    return {
      id: session.id,
      self: session.self,
      peers: session.peers,
      receive: session.receive.bind(session),
      onPeerLost: session.onPeerLost.bind(session),
      close: session.close.bind(session),
      send: (to, message) => {
        const changed = message.slice()
        if (message[1] === step) changed[at]! ^= 1
        return session.send(to, changed)
      },
    } satisfies Session
  })
  return cheater
}

describe('a member that cheats (§5.1.2)', () => {
  it.each([
    ['in a proof of preprocessing', '/gear', STEP.proof, 4000, 'BAD_PROOF'],
    ['in what it had committed to', '/spdz', STEP.reveal, 20, 'BAD_OPENING'],
    // Told to the others only: that somebody lied is certain, who it was is not.
    ['in what it puts in for an owner', '/spdz', STEP.input, 16, undefined],
  ])('%s is replaced, and the result is right', async (_, suffix, step, at, reason) => {
    const refs = await Promise.all([alice.share('5230.50', rule), bob.share('4100', rule)])
    const cheater = cheat(suffix, step, at)
    const id = await analyst.request({ function: 'mean', refs, protocol: 'spdz', n: 3 })
    expect(await analyst.result(id)).toEqual(['4665.25'])
    const { job } = await analyst.call('compute.get', { id })
    expect(cheater.node).toBeDefined()
    expect(job.attempt).toBeGreaterThan(1)
    expect(job.committee).not.toContain(cheater.node)
    expect(job.excluded).toEqual(reason === undefined ? [] : [{ node: cheater.node, reason }])
  })
})
