import { channel } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Predicate } from '../../core/ipc/index.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import type { Person, TestNetwork } from './network.ts'
import { startSpdzNetwork } from './spdz-network.ts'

let network: TestNetwork
let alice: Person
let bob: Person
let analyst: Person
let rule: Predicate

/** The receiving ends of all connections between nodes. */
const sockets = new Set<Socket>()
const collect = (message: unknown) => {
  const { socket } = message as { socket: Socket }
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
}

beforeAll(async () => {
  channel('net.server.socket').subscribe(collect)
  ;({ network, alice, bob, analyst, rule } = await startSpdzNetwork(4))
}, 120_000)

afterAll(async () => {
  channel('net.server.socket').unsubscribe(collect)
  vi.restoreAllMocks()
  await network?.stop()
}, 60_000)

it('a job under SPDZ goes on in the same attempt when every connection is lost in the middle', {
  timeout: 120_000,
}, async () => {
  const names = new Set<string>()
  let count = 0
  const open = Libp2pTransport.prototype.openSession
  vi.spyOn(Libp2pTransport.prototype, 'openSession').mockImplementation(async function (
    this: Libp2pTransport,
    id,
    peers,
    options,
  ) {
    const session = await open.call(this, id, peers, options)
    const [, , , ...name] = id.split('/')
    names.add(name.join('/'))
    if (name.join('/') !== 'spdz') return session
    const send = session.send.bind(session)
    session.send = async (to, ...parts) => {
      // In the products, before anything is opened.
      if (++count === 120) for (const socket of sockets) socket.destroy()
      await send(to, ...parts)
    }
    return session
  })
  const refs = await Promise.all([alice.share('5230.50', rule), bob.share('-4100', rule)])
  const id = await analyst.request({ function: 'max', refs, protocol: 'spdz', n: 3 })
  expect(await analyst.result(id)).toEqual(['5230.5'])
  const { job } = await analyst.call('compute.get', { id })
  // It was struck; whether anything else is sent before the loss is noticed is up to the threads.
  expect(count).toBeGreaterThanOrEqual(120)
  expect(names).toContain('1/spdz')
  expect(job).toMatchObject({ attempt: 1 })
})
