import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ClientFrame, hasCode, type NodeEvent } from '../../../core/ipc/index.ts'

interface Handlers {
  ready(send: (frame: ClientFrame) => void): void
  frame(raw: unknown): void
  closed(refused: boolean): void
}
interface Bridge {
  readonly state: string
  call(method: string, input: unknown): Promise<unknown>
  subscribe(listener: (event: NodeEvent) => void): () => void
  retry(): void
}

// The bridge is typed for a page; this test needs only its core, which runs anywhere.
const path = '../../../renderer/bridge.ts'
const { createBridge } = (await import(path)) as {
  createBridge(transport: { open(handlers: Handlers): () => void }): Bridge
}

function host() {
  const attempts: Handlers[] = []
  const sent: ClientFrame[] = []
  const bridge = createBridge({
    open(handlers) {
      attempts.push(handlers)
      return () => undefined
    },
  })
  const connect = () => attempts.at(-1)!.ready((frame) => sent.push(frame))
  return { bridge, attempts, sent, connect, reply: (raw: unknown) => attempts.at(-1)!.frame(raw) }
}
const request = (frame: ClientFrame | undefined) => frame as { id: number; method: string; input: unknown }
const codeOf = (call: Promise<unknown>) => call.then(() => 'resolved').catch((e: { code: string }) => e.code)

describe('bridge', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('sends what was asked before the channel opened, and matches answers to calls in any order', async () => {
    const { bridge, sent, connect, reply } = host()
    const first = bridge.call('wallet.faucet', {})
    connect()
    const second = bridge.call('vault.lock', {})
    expect(sent.map((f) => request(f).method)).toEqual(['wallet.faucet', 'vault.lock'])
    reply({ id: request(sent[1]).id, output: {} })
    reply({ id: request(sent[0]).id, output: { balanceWei: '7', surplus: 'gone' } })
    expect(await second).toEqual({})
    expect(await first).toEqual({ balanceWei: '7' })
  })

  it('hands on errors of the host and refuses answers outside the contract', async () => {
    const { bridge, sent, connect, reply } = host()
    connect()
    const refused = bridge.call('vault.lock', {})
    reply({ id: request(sent[0]).id, error: { code: 'NOT_CONFIRMED', message: 'no' } })
    expect(await codeOf(refused)).toBe('NOT_CONFIRMED')
    const wrong = bridge.call('wallet.faucet', {})
    reply({ id: request(sent[1]).id, output: { balanceWei: 7 } })
    expect(await codeOf(wrong)).toBe('RESPONSE_INVALID')
    for (const raw of [null, 'x', { id: 'a' }, { id: 99, output: {} }, { event: 3 }])
      expect(() => reply(raw)).not.toThrow()
  })

  it('passes events on until the listener leaves', () => {
    const { bridge, connect, reply } = host()
    connect()
    const seen: NodeEvent[] = []
    const stop = bridge.subscribe((event) => seen.push(event))
    reply({ event: { type: 'job', id: 'j' } })
    stop()
    reply({ event: { type: 'node' } })
    expect(seen).toEqual([{ type: 'job', id: 'j' }])
  })

  it('fails what was under way when the channel is lost, keeps the rest for the next one', async () => {
    const { bridge, attempts, sent, connect, reply } = host()
    connect()
    const lost = bridge.call('vault.lock', {})
    attempts.at(-1)!.closed(false)
    expect(bridge.state).toBe('offline')
    expect(await codeOf(lost)).toBe('HOST_GONE')
    const kept = bridge.call('node.pause', {})
    await vi.advanceTimersByTimeAsync(400)
    expect(attempts).toHaveLength(2)
    connect()
    expect(bridge.state).toBe('ready')
    expect(sent.map((f) => request(f).method)).toEqual(['vault.lock', 'node.pause'])
    reply({ id: request(sent[1]).id, output: {} })
    expect(await kept).toEqual({})
  })

  it('gives up on a channel that does not open, backs off, and then fails calls at once', async () => {
    const { bridge, attempts } = host()
    const first = codeOf(bridge.call('node.pause', {}))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bridge.state).toBe('offline')
    await vi.advanceTimersByTimeAsync(400)
    expect(attempts).toHaveLength(2)
    attempts.at(-1)!.closed(false)
    expect(await first).toBe('HOST_GONE')
    expect(await codeOf(bridge.call('node.pause', {}))).toBe('HOST_GONE')
    const before = attempts.length
    bridge.retry()
    expect(attempts).toHaveLength(before + 1)
  })

  it('never sets a limit to a call', async () => {
    const { bridge, sent, connect, reply } = host()
    connect()
    const slow = bridge.call('node.pause', {})
    await vi.advanceTimersByTimeAsync(3_600_000)
    reply({ id: request(sent[0]).id, output: {} })
    expect(await slow).toEqual({})
  })

  it('ignores a channel that was given up, and stops for good when it is refused', async () => {
    const { bridge, attempts, connect } = host()
    const old = attempts[0]!
    await vi.advanceTimersByTimeAsync(10_400)
    connect()
    old.closed(true)
    expect(bridge.state).toBe('ready')
    attempts.at(-1)!.closed(true)
    expect(bridge.state).toBe('refused')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(attempts).toHaveLength(2)
    await expect(bridge.call('node.pause', {})).rejects.toSatisfy((e) => hasCode(e, 'HOST_GONE'))
  })
})
