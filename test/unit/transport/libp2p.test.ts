import { randomBytes } from 'node:crypto'
import { afterEach, expect, it, vi } from 'vitest'
import { Libp2pTransport } from '../../../core/transport/libp2p.ts'
import { createNode } from '../../../core/transport/libp2p-node.ts'
import { nodeIdFromPrivateKey } from '../../../core/transport/node-id.ts'
import type { NodeId } from '../../../core/transport/types.ts'

const started: Libp2pTransport[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((t) => t.stop()))
})

async function node(
  options: Partial<Parameters<typeof Libp2pTransport.create>[0]> = {},
  modules: Partial<Parameters<typeof Libp2pTransport.create>[1]> = {},
): Promise<Libp2pTransport> {
  const t = await Libp2pTransport.create(
    { privateKey: new Uint8Array(randomBytes(32)), ...options },
    { isAdmitted: async () => true, ...modules },
  )
  t.handle('echo/1', async (_from, payload) => payload)
  started.push(t)
  return t
}

const echo = async (from: Libp2pTransport, to: NodeId) =>
  expect([...(await from.request(to, 'echo/1', Uint8Array.of(1)))]).toEqual([1])

it('has the node key as its identity', async () => {
  const privateKey = new Uint8Array(randomBytes(32))
  const t = await node({ privateKey })
  expect(t.self).toBe(nodeIdFromPrivateKey(privateKey))
  expect((await node()).addPeer(t.addresses)).toBe(t.self)
})

it('finds a node through the registry’s hint, with or without its peer id', async () => {
  const target = await node()
  const bare = target.addresses[0]!.replace(/\/p2p\/.*/, '')
  for (const hint of [target.addresses[0]!, bare]) {
    const seeker = await node({}, { resolve: async () => [hint] })
    await echo(seeker, target.self)
  }
})

it('does not take another node for the one it looks for', async () => {
  const impostor = await node()
  const absent = nodeIdFromPrivateKey(new Uint8Array(randomBytes(32)))
  const bare = impostor.addresses[0]!.replace(/\/p2p\/.*/, '')
  const seeker = await node({}, { resolve: async () => [bare, impostor.addresses[0]!] })
  await expect(seeker.request(absent, 'echo/1', new Uint8Array(1))).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
  })
})

it('finds a node through a common acquaintance', async () => {
  const hub = await node()
  const [a, b] = [await node({ bootstrap: hub.addresses }), await node({ bootstrap: hub.addresses })]
  await Promise.all([a.connect(hub.self), b.connect(hub.self)])
  await vi.waitFor(() => echo(a, b.self), { timeout: 10_000 })
})

it('comes back to a kept peer after its restart', async () => {
  const key = new Uint8Array(randomBytes(32))
  const first = await node({ privateKey: key })
  const address = first.addresses[0]!
  const keeper = await node()
  keeper.addPeer([address], { keep: true })
  await vi.waitFor(() => expect(keeper.connectedPeers()).toEqual([first.self]), { timeout: 10_000 })
  await first.stop()
  await vi.waitFor(() => expect(keeper.connectedPeers()).toEqual([]), { timeout: 10_000 })
  await node({ privateKey: key, listen: [address.replace(/\/p2p\/.*/, '')] })
  await vi.waitFor(() => expect(keeper.connectedPeers()).toEqual([first.self]), { timeout: 20_000 })
})

it('drops a node that the registry expels', async () => {
  const expelled = new Set<NodeId>()
  const a = await node({}, { isAdmitted: async (id) => !expelled.has(id) })
  const b = await node()
  b.addPeer(a.addresses)
  await echo(b, a.self)
  expelled.add(b.self)
  await a.recheckAdmission()
  await vi.waitFor(() => expect(a.connectedPeers()).toEqual([]))
  const error = await b.request(a.self, 'echo/1', new Uint8Array(1)).catch((e: unknown) => e)
  expect(['PEER_UNREACHABLE', 'CHANNEL_CLOSED']).toContain((error as { code: string }).code)
})

it('keeps its peers while the registry does not answer', async () => {
  let silent = false
  const a = await node(
    {},
    {
      isAdmitted: async () => {
        if (silent) throw new Error('no chain')
        return true
      },
    },
  )
  const b = await node()
  b.addPeer(a.addresses)
  await echo(b, a.self)
  silent = true
  await a.recheckAdmission()
  expect(a.connectedPeers()).toEqual([b.self])
  await echo(b, a.self)
})

it('may be pinged by several at once: a monitor that cannot ping drops the connection', async () => {
  const [a, b] = await Promise.all([0, 1].map(() => createNode({ privateKey: randomBytes(32) }, {})))
  try {
    const connection = await a!.dial(b!.getMultiaddrs())
    const pings = await Promise.all([0, 1, 2].map(() => connection.newStream('/enigma/ping/1.0.0')))
    expect(pings.map((stream) => stream.status)).toEqual(['open', 'open', 'open'])
  } finally {
    await Promise.all([a!.stop(), b!.stop()])
  }
})

it('starts with what the internet needs', async () => {
  const a = await node({ internet: true, relay: true })
  const b = await node({ internet: true })
  b.addPeer(a.addresses)
  await echo(b, a.self)
})
