import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EnigmaError } from '../../core/base/errors.ts'
import { KiB, MiB } from '../../core/base/units.ts'
import type { Limits } from '../../core/transport/constants.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import { MemoryNetwork } from '../../core/transport/memory.ts'
import { nodeIdFromPrivateKey } from '../../core/transport/node-id.ts'
import { RelayedSession, relaySession } from '../../core/transport/relay.ts'
import type { NodeId, Transport } from '../../core/transport/types.ts'

interface Network {
  nodes: Transport[]
  /** The node disappears without closing its sessions. */
  kill(node: Transport): Promise<void>
  stop(): Promise<void>
}

interface Options {
  size: number
  refused?: number[]
  limits?: Partial<Limits>
}

async function memory({ size, refused = [], limits }: Options): Promise<Network> {
  const ids = Array.from({ length: size }, () => nodeIdFromPrivateKey(randomBytes(32)))
  const out = new Set(refused.map((i) => ids[i]!))
  const network = new MemoryNetwork({
    isAdmitted: async (id) => !out.has(id),
    ...(limits ? { limits } : {}),
  })
  const nodes = ids.map((id) => network.join(id))
  return {
    nodes,
    kill: async (node) => network.kill(node.self),
    stop: async () => void (await Promise.all(nodes.map((n) => n.stop()))),
  }
}

async function libp2p({ size, refused = [], limits }: Options): Promise<Network> {
  const keys = Array.from({ length: size }, () => new Uint8Array(randomBytes(32)))
  const out = new Set(refused.map((i) => nodeIdFromPrivateKey(keys[i]!)))
  const isAdmitted = async (id: NodeId) => !out.has(id)
  const nodes: Libp2pTransport[] = []
  for (const privateKey of keys)
    nodes.push(await Libp2pTransport.create({ privateKey, ...(limits ? { limits } : {}) }, { isAdmitted }))
  for (const a of nodes) for (const b of nodes) if (a !== b) a.addPeer(b.addresses)
  return {
    nodes,
    kill: (node) => (node as Libp2pTransport).abandon(),
    stop: async () => void (await Promise.all(nodes.map((n) => n.stop()))),
  }
}

/** Sessions that are lent to another thread, in this one. */
function lending(transport: Transport, maxMessageBytes?: number): Transport {
  const openSession: Transport['openSession'] = async (id, peers, options) => {
    const session = await transport.openSession(id, peers, options)
    const { port1, port2 } = new MessageChannel()
    relaySession(session, port1)
    return new RelayedSession(id, transport.self, peers, port2, maxMessageBytes)
  }
  return new Proxy(transport, {
    get: (target, key) => {
      if (key === 'openSession') return openSession
      const value = target[key as keyof Transport]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function lent(options: Options): Promise<Network> {
  const network = await memory(options)
  return { ...network, nodes: network.nodes.map((node) => lending(node, options.limits?.maxMessageBytes)) }
}

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe.each([
  ['memory', memory],
  ['libp2p', libp2p],
  ['memory, sessions lent to another thread', lent],
] as const)('transport: %s', (_, create) => {
  let network: Network
  const open = async (options: Options) => {
    network = await create(options)
    return network.nodes as [Transport, Transport, Transport]
  }
  afterEach(() => network.stop())

  it('answers requests, with the caller’s authenticated id', async () => {
    const [a, b] = await open({ size: 2 })
    b.handle('echo/1', async (from, payload) => utf8(`${from} ${text(payload)}`))
    expect(text(await a.request(b.self, 'echo/1', utf8('hello')))).toBe(`${a.self} hello`)
    expect(a.connectedPeers()).toEqual([b.self])
    expect(b.connectedPeers()).toEqual([a.self])
  })

  it('carries empty and large payloads, many at a time', async () => {
    const [a, b] = await open({ size: 2 })
    b.handle('echo/1', async (_from, payload) => payload)
    const sizes = [0, 1, 255, 64 * KiB, 5 * MiB, ...Array.from({ length: 100 }, (_v, i) => i * 97)]
    await Promise.all(
      sizes.map(async (n) => {
        const payload = randomBytes(n)
        expect(Buffer.compare(await a.request(b.self, 'echo/1', payload), payload)).toBe(0)
      }),
    )
  })

  it('carries the handler’s EnigmaError, and hides any other', async () => {
    const [a, b] = await open({ size: 2 })
    b.handle('refuse/1', async () => {
      throw new EnigmaError('QUOTA_EXCEEDED', 'full', { remedy: 'wait', details: { used: 3 } })
    })
    b.handle('break/1', async () => {
      throw new Error('secret inside')
    })
    await expect(a.request(b.self, 'refuse/1', utf8(''))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: 'full',
      remedy: 'wait',
      details: { used: 3 },
    })
    const error = await a.request(b.self, 'break/1', utf8('')).catch((e: EnigmaError) => e)
    expect(error).toMatchObject({ code: 'INTERNAL' })
    expect(String((error as Error).message)).not.toContain('secret')
    await expect(a.request(b.self, 'nothing/1', utf8(''))).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('gives up on time and when told to', async () => {
    const [a, b] = await open({ size: 2 })
    b.handle('hang/1', () => new Promise(() => {}))
    await expect(a.request(b.self, 'hang/1', utf8(''), { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    const stop = new AbortController()
    const asking = a.request(b.self, 'hang/1', utf8(''), { signal: stop.signal })
    setTimeout(() => stop.abort(), 20)
    await expect(asking).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('refuses frames that are too large', async () => {
    const [a, b] = await open({ size: 2, limits: { maxFrameBytes: 1000, maxMessageBytes: 2000 } })
    b.handle('grow/1', async () => new Uint8Array(1001))
    await expect(a.request(b.self, 'grow/1', new Uint8Array(1001))).rejects.toMatchObject({
      code: 'FRAME_TOO_LARGE',
    })
    await expect(a.request(b.self, 'grow/1', new Uint8Array(1))).rejects.toMatchObject({
      code: 'FRAME_TOO_LARGE',
    })
    const session = await a.openSession('s', [b.self])
    await expect(session.send(b.self, new Uint8Array(2001))).rejects.toMatchObject({
      code: 'FRAME_TOO_LARGE',
    })
  })

  it('does not reach who is not there', async () => {
    const [a] = await open({ size: 1 })
    const nobody = nodeIdFromPrivateKey(randomBytes(32))
    await expect(a.request(nobody, 'echo/1', utf8(''))).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await expect(a.openSession('s', [nobody])).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  it('lets nobody in or out who is not admitted', async () => {
    const [a, stranger] = await open({ size: 2, refused: [1] })
    const served = vi.fn(async () => utf8(''))
    a.handle('echo/1', served)
    stranger.handle('echo/1', served)
    await expect(a.request(stranger.self, 'echo/1', utf8(''))).rejects.toMatchObject({
      code: 'PEER_NOT_ADMITTED',
    })
    // The stranger's own node admits everybody it likes: the other side refuses.
    const error = await stranger.request(a.self, 'echo/1', utf8('')).catch((e: EnigmaError) => e)
    expect(['PEER_NOT_ADMITTED', 'PEER_UNREACHABLE', 'CHANNEL_CLOSED']).toContain((error as EnigmaError).code)
    expect(served).not.toHaveBeenCalled()
    expect(a.connectedPeers()).toEqual([])
  })

  it('delivers session messages in order, from all to all', async () => {
    const nodes = await open({ size: 3 })
    const sessions = await Promise.all(
      nodes.map((n) =>
        n.openSession(
          'job-1',
          nodes.map((m) => m.self).filter((id) => id !== n.self),
        ),
      ),
    )
    const count = 200
    await Promise.all(
      sessions.flatMap((s) =>
        s.peers.flatMap((peer) => [
          (async () => {
            for (let i = 0; i < count; i++) await s.send(peer, utf8(`${s.self}:${i}`))
          })(),
          (async () => {
            for (let i = 0; i < count; i++) expect(text(await s.receive(peer))).toBe(`${peer}:${i}`)
          })(),
        ]),
      ),
    )
    await Promise.all(sessions.map((s) => s.close()))
  })

  it('carries messages larger than any window, both ways at once', async () => {
    const [a, b] = await open({ size: 2 })
    const [x, y] = await Promise.all([a.openSession('big', [b.self]), b.openSession('big', [a.self])])
    const message = randomBytes(20 * MiB)
    const [, , atB, atA] = await Promise.all([
      x.send(b.self, message),
      y.send(a.self, message),
      y.receive(a.self),
      x.receive(b.self),
    ])
    expect(Buffer.compare(atA, message)).toBe(0)
    expect(Buffer.compare(atB, message)).toBe(0)
  })

  it('keeps messages that arrive before the session is open', async () => {
    const [a, b] = await open({ size: 2 })
    const early = await a.openSession('early', [b.self])
    for (let i = 0; i < 10; i++) await early.send(b.self, utf8(String(i)))
    await sleep(50)
    const late = await b.openSession('early', [a.self])
    for (let i = 0; i < 10; i++) expect(text(await late.receive(a.self))).toBe(String(i))
  })

  it('does not keep whoever opens a session waiting for one who never does', async () => {
    const [a, b] = await open({ size: 2, limits: { waitingSessionMs: 100 } })
    const alone = await a.openSession('alone', [b.self])
    await alone.send(b.self, utf8('anybody there?'))
    await expect(alone.receive(b.self, { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'CHANNEL_CLOSED',
    })
  })

  it('holds the sender back when the receiver does not read', async () => {
    const [a, b] = await open({
      size: 2,
      limits: { inboxBytes: 256 * KiB, waitingInboxBytes: 128 * KiB },
    })
    const session = await a.openSession('slow', [b.self])
    let sent = 0
    const sending = (async () => {
      for (let i = 0; i < 500; i++) {
        await session.send(b.self, new Uint8Array(256 * KiB))
        sent++
      }
    })()
    await sleep(300)
    const before = sent
    await sleep(200)
    expect(sent).toBe(before)
    expect(sent).toBeLessThan(250)
    const reader = await b.openSession('slow', [a.self])
    for (let i = 0; i < 500; i++) expect((await reader.receive(a.self)).length).toBe(256 * KiB)
    await sending
  })

  it('rejects a receive with TIMEOUT or CANCELLED and loses nothing by it', async () => {
    const [a, b] = await open({ size: 2 })
    const [x, y] = await Promise.all([a.openSession('t', [b.self]), b.openSession('t', [a.self])])
    await expect(x.receive(b.self, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    const stop = new AbortController()
    const waiting = x.receive(b.self, { signal: stop.signal })
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    await y.send(a.self, utf8('kept'))
    expect(text(await x.receive(b.self))).toBe('kept')
  })

  it('says promptly that a peer was lost', async () => {
    const [a, b, c] = await open({ size: 3 })
    const ids = [a.self, b.self, c.self]
    const [x] = await Promise.all(
      [a, b, c].map((n) =>
        n.openSession(
          'loss',
          ids.filter((id) => id !== n.self),
        ),
      ),
    )
    const lost: NodeId[] = []
    const disconnected: NodeId[] = []
    x!.onPeerLost((peer) => lost.push(peer))
    a.onPeer((peer, connected) => {
      if (!connected) disconnected.push(peer)
    })
    // Heard of before the kill returns.
    const told = expect(x!.receive(c.self)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })
    await network.kill(c)
    await told
    await vi.waitFor(() => expect(disconnected).toEqual([c.self]), { timeout: 5000 })
    expect(lost).toEqual([c.self])
    await expect(x!.send(c.self, utf8('x'))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })
    // The others go on, and who listens late hears of the loss.
    await x!.send(b.self, utf8('still here'))
    const late: NodeId[] = []
    x!.onPeerLost((peer) => late.push(peer))
    await sleep(10)
    expect(late).toEqual([c.self])
  })

  it('opens a session with those who can be reached', async () => {
    const [a, b, c] = await open({ size: 3 })
    await network.kill(c)
    const session = await a.openSession('rest', [b.self, c.self], { timeoutMs: 2000 })
    const lost: NodeId[] = []
    session.onPeerLost((peer) => lost.push(peer))
    await sleep(10)
    expect(lost).toEqual([c.self])
    const other = await b.openSession('rest', [a.self])
    await session.send(b.self, utf8('hi'))
    expect(text(await other.receive(a.self))).toBe('hi')
  })

  it('delivers what was sent before a graceful close, which is no loss', async () => {
    const [a, b] = await open({ size: 2 })
    const [x, y] = await Promise.all([a.openSession('bye', [b.self]), b.openSession('bye', [a.self])])
    const lost = vi.fn()
    y.onPeerLost(lost)
    for (let i = 0; i < 50; i++) await x.send(b.self, utf8(String(i)))
    await x.close()
    for (let i = 0; i < 50; i++) expect(text(await y.receive(a.self))).toBe(String(i))
    await expect(y.receive(a.self)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })
    expect(lost).not.toHaveBeenCalled()
    await expect(x.send(b.self, utf8(''))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })
    await expect(x.receive(b.self)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })
  })

  it('keeps sessions apart and refuses outsiders and doubles', async () => {
    const [a, b, c] = await open({ size: 3 })
    const [x1, x2] = await Promise.all([a.openSession('one', [b.self]), a.openSession('two', [b.self])])
    const y2 = await b.openSession('two', [a.self])
    const y1 = await b.openSession('one', [a.self])
    await x1.send(b.self, utf8('1'))
    await x2.send(b.self, utf8('2'))
    expect(text(await y2.receive(a.self))).toBe('2')
    expect(text(await y1.receive(a.self))).toBe('1')
    await expect(a.openSession('one', [b.self])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(x1.send(c.self, utf8(''))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(x1.receive(c.self)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const intruder = await c.openSession('one', [b.self]).catch(() => undefined)
    await intruder?.send(b.self, utf8('forged')).catch(() => undefined)
    await expect(y1.receive(a.self, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('fails a request whose peer disappears', async () => {
    const [a, b] = await open({ size: 2 })
    let reached = () => {}
    const arrived = new Promise<void>((resolve) => {
      reached = resolve
    })
    b.handle('hang/1', () => {
      reached()
      return new Promise(() => {})
    })
    const asking = a.request(b.self, 'hang/1', utf8(''))
    asking.catch(() => undefined)
    await arrived
    await network.kill(b)
    const error = await asking.catch((e: EnigmaError) => e)
    expect(['CHANNEL_CLOSED', 'PEER_UNREACHABLE']).toContain((error as EnigmaError).code)
  })
})
