import { randomBytes } from 'node:crypto'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RPC_PROTOCOL, SESSION_PROTOCOL } from '../../../core/transport/constants.ts'
import { messageHeader, requestHeader, sessionHeader } from '../../../core/transport/frames.ts'
import { Libp2pTransport } from '../../../core/transport/libp2p.ts'
import { createNode } from '../../../core/transport/libp2p-node.ts'
import { nodeIdFromPrivateKey } from '../../../core/transport/node-id.ts'

let victim: Libp2pTransport
let attacker: Libp2p
let friend: Libp2pTransport
const attackerKey = new Uint8Array(randomBytes(32))

beforeEach(async () => {
  const modules = { isAdmitted: async () => true }
  const limits = {
    maxFrameBytes: 1 << 20,
    maxMessageBytes: 1 << 20,
    waitingSessions: 8,
    waitingInboxBytes: 1 << 16,
  }
  victim = await Libp2pTransport.create({ privateKey: new Uint8Array(randomBytes(32)), limits }, modules)
  friend = await Libp2pTransport.create({ privateKey: new Uint8Array(randomBytes(32)) }, modules)
  victim.handle('echo/1', async (_from, payload) => payload)
  friend.addPeer(victim.addresses)
  // A node that speaks the stack below, and whatever it likes above.
  attacker = await createNode({ privateKey: attackerKey }, {})
})
afterEach(async () => {
  await Promise.all([victim.stop(), friend.stop(), attacker.stop()])
})

async function shout(protocol: string, bytes: Uint8Array, finish = true): Promise<'ended'> {
  const stream = await attacker.dialProtocol(multiaddr(victim.addresses[0]!), protocol)
  const ended = new Promise<'ended'>((resolve) => {
    stream.addEventListener('close', () => resolve('ended'))
    stream.addEventListener('end', () => resolve('ended'))
    stream.addEventListener('message', () => {})
  })
  try {
    stream.send(bytes)
    if (finish) await stream.close()
  } catch {
    // Reset while writing: as good.
  }
  return ended
}

const alive = async () =>
  expect([...(await friend.request(victim.self, 'echo/1', Uint8Array.of(7)))]).toEqual([7])

it('closes the channel on malformed requests and goes on', async () => {
  expect(privateKeyFromRaw(attackerKey).type).toBe('secp256k1')
  const good = Buffer.concat([requestHeader('echo/1', 1, 4), Buffer.from([1, 2, 3, 4])])
  const cases = [
    Buffer.alloc(0),
    Buffer.from([0]),
    Buffer.from([255]),
    good.subarray(0, 5),
    good.subarray(0, good.length - 1),
    requestHeader('echo/1', 1, 0xffffffff),
    Buffer.concat([Buffer.from([4]), Buffer.from([0, 10, 13, 255]), Buffer.alloc(8)]),
    Buffer.concat([Buffer.from([6]), Buffer.from('../etc'), Buffer.alloc(8)]),
  ]
  for (const bytes of cases) expect(await shout(RPC_PROTOCOL, bytes)).toBe('ended')
  await alive()
})

it('closes the channel at once when a claimed length is too large', async () => {
  expect(await shout(RPC_PROTOCOL, requestHeader('echo/1', 1, (1 << 20) + 1), false)).toBe('ended')
  const session = Buffer.concat([sessionHeader('s', 128), messageHeader((1 << 20) + 1)])
  expect(await shout(SESSION_PROTOCOL, session, false)).toBe('ended')
  await alive()
})

it('keeps only so many sessions that nobody opened', async () => {
  const connection = await attacker.dial(multiaddr(victim.addresses[0]!))
  const streams: Stream[] = []
  for (let i = 0; i < 40; i++) {
    const stream = await connection.newStream(SESSION_PROTOCOL)
    stream.addEventListener('message', () => {})
    stream.send(sessionHeader(`flood-${i}`, 128))
    streams.push(stream)
  }
  await vi.waitFor(() => expect(streams.filter((s) => s.status === 'open').length).toBe(8), { timeout: 5000 })
  await alive()
})

it('lets nobody into a session of others', async () => {
  await friend.connect(victim.self)
  const own = await friend.openSession('private', [victim.self])
  const joined = await victim.openSession('private', [friend.self])
  expect(
    await shout(
      SESSION_PROTOCOL,
      Buffer.concat([sessionHeader('private', 128), messageHeader(1), Buffer.from([9])]),
      false,
    ),
  ).toBe('ended')
  await own.send(victim.self, Uint8Array.of(5))
  expect([...(await joined.receive(friend.self))]).toEqual([5])
  expect(joined.peers).not.toContain(nodeIdFromPrivateKey(attackerKey))
})

it('survives thousands of mutated frames', async () => {
  const request = Buffer.concat([requestHeader('echo/1', 1, 32), randomBytes(32)])
  const session = Buffer.concat([
    sessionHeader('fuzz', 128),
    messageHeader(16),
    randomBytes(16),
    messageHeader(0xffffffff),
  ])
  const connection = await attacker.dial(multiaddr(victim.addresses[0]!))
  const before = process.memoryUsage().rss
  const one = async (i: number) => {
    const base = i % 2 === 0 ? request : session
    const bytes = Uint8Array.from(base)
    for (let k = 0; k <= i % 3; k++)
      bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256)
    const cut = Math.random() < 0.2 ? bytes.subarray(0, Math.floor(Math.random() * bytes.length)) : bytes
    const stream = await connection.newStream(i % 2 === 0 ? RPC_PROTOCOL : SESSION_PROTOCOL)
    stream.addEventListener('message', () => {})
    if (cut.length > 0) stream.send(cut)
    if (i % 4 < 2) stream.abort(new Error('next'))
    else await stream.close()
  }
  for (let i = 0; i < 2000; i += 20)
    await Promise.allSettled(Array.from({ length: 20 }, (_, k) => one(i + k)))
  await alive()
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20)
}, 60_000)
