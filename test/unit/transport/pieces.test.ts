import { describe, expect, it, vi } from 'vitest'
import { fromHex } from '../../../core/base/bytes.ts'
import { EnigmaError } from '../../../core/base/errors.ts'
import { AddressBook } from '../../../core/transport/address-book.ts'
import { Admission } from '../../../core/transport/admission.ts'
import { decodeError, encodeError, FrameReader } from '../../../core/transport/frames.ts'
import { Inbox } from '../../../core/transport/inbox.ts'
import { nodeIdFromPrivateKey, nodeIdFromPublicKey, parseNodeId } from '../../../core/transport/node-id.ts'
import { Reconnector } from '../../../core/transport/reconnect.ts'
import { PeerQueue } from '../../../core/transport/requests.ts'
import type { NodeId } from '../../../core/transport/types.ts'

const A = `0x${'aa'.repeat(20)}` as NodeId

describe('node id', () => {
  it('is the Ethereum address of the key', () => {
    // The first account of anvil and hardhat ("test test … junk").
    const key = fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
    expect(nodeIdFromPrivateKey(key)).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266')
    expect(parseNodeId('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266')).toBe(nodeIdFromPrivateKey(key))
  })

  it('refuses what is no key', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    expect(() => nodeIdFromPrivateKey(new Uint8Array(32))).toThrow(invalid)
    expect(() => nodeIdFromPrivateKey(new Uint8Array(31).fill(1))).toThrow(invalid)
    // x = 5 is on no point of the curve.
    expect(() => nodeIdFromPublicKey(Uint8Array.of(2, ...new Uint8Array(31), 5))).toThrow(invalid)
    expect(() => parseNodeId('0x12')).toThrow(invalid)
  })
})

describe('admission', () => {
  const clock = { time: 0, now: () => clock.time, sleep: async () => {} }

  it('remembers answers for a while and asks once at a time', async () => {
    const ask = vi.fn(async () => true)
    const admission = new Admission(ask, clock, 1000)
    await Promise.all([admission.admits(A), admission.admits(A)])
    expect(ask).toHaveBeenCalledTimes(1)
    clock.time += 999
    await admission.admits(A)
    expect(ask).toHaveBeenCalledTimes(1)
    clock.time += 2
    await admission.admits(A)
    expect(ask).toHaveBeenCalledTimes(2)
  })

  it('fails closed for strangers and keeps members when the registry is silent', async () => {
    let up = false
    const admission = new Admission(
      async () => {
        if (!up) throw new Error('no chain')
        return true
      },
      clock,
      1000,
    )
    expect(await admission.admits(A)).toBe(false)
    up = true
    expect(await admission.admits(A)).toBe(true)
    up = false
    clock.time += 5000
    expect(await admission.admits(A)).toBe(true)
    admission.expire()
    expect(await admission.admits(A)).toBe(true)
  })

  it('asks again about those it knows when told to', async () => {
    let registered = true
    const admission = new Admission(async () => registered, clock, 1000)
    expect(await admission.admits(A)).toBe(true)
    registered = false
    expect(await admission.admits(A)).toBe(true)
    admission.expire()
    expect(await admission.admits(A)).toBe(false)
  })
})

describe('inbox', () => {
  it('gives each waiting receiver its message, in order', async () => {
    const inbox = new Inbox(10)
    const [one, two] = [inbox.receive(), inbox.receive()]
    inbox.push(Uint8Array.of(1))
    inbox.push(Uint8Array.of(2))
    inbox.push(Uint8Array.of(3))
    expect([(await one)[0], (await two)[0], (await inbox.receive())[0]]).toEqual([1, 2, 3])
  })

  it('asks the channel to wait while it is full', async () => {
    const inbox = new Inbox(10)
    inbox.push(new Uint8Array(10))
    expect(inbox.full).toBe(true)
    let free = false
    void inbox.space().then(() => {
      free = true
    })
    await Promise.resolve()
    expect(free).toBe(false)
    await inbox.receive()
    await inbox.space()
    expect(free).toBe(true)
  })

  it('hands out what is queued after a close, and nothing after a drop', async () => {
    const closed = new EnigmaError('CHANNEL_CLOSED', 'over')
    const kept = new Inbox(10)
    kept.push(Uint8Array.of(1))
    kept.close(closed)
    expect((await kept.receive())[0]).toBe(1)
    await expect(kept.receive()).rejects.toBe(closed)
    const dropped = new Inbox(10)
    dropped.push(Uint8Array.of(1))
    dropped.close(closed, true)
    await expect(dropped.receive()).rejects.toBe(closed)
  })
})

describe('errors on the wire', () => {
  it('keep code, text, remedy and details', () => {
    const error = new EnigmaError('QUOTA_EXCEEDED', 'full', { remedy: 'wait', details: { n: 1, ok: true } })
    expect(decodeError(encodeError(error)).toObject()).toEqual(error.toObject())
  })

  it('are bounded and survive anything', () => {
    const long = new EnigmaError('INTERNAL', 'x'.repeat(100_000), { remedy: 'y'.repeat(100_000) })
    expect(encodeError(long).length).toBeLessThan(16 * 1024)
    for (const bytes of [[], [0xff], [0xf6], [0xa0], [0x80], [0x1b, 1, 2]])
      expect(decodeError(Uint8Array.from(bytes))).toBeInstanceOf(EnigmaError)
  })
})

describe('frame reader', () => {
  it('rejects what waits when the stream ends, and gives what has come', async () => {
    const reader = new FrameReader()
    reader.push(Uint8Array.of(1, 2, 3))
    const over = new EnigmaError('CHANNEL_CLOSED', 'over')
    expect([...(await reader.read(2))]).toEqual([1, 2])
    const waiting = reader.read(5)
    reader.end(over)
    await expect(waiting).rejects.toBe(over)
    await expect(reader.read(1)).rejects.toBe(over)
    await expect(new FrameReader().read(0)).resolves.toHaveLength(0)
  })
})

describe('queue per peer', () => {
  it('runs so many at a time, and lets a caller leave the line', async () => {
    const queue = new PeerQueue(2)
    let running = 0
    let most = 0
    const gates: (() => void)[] = []
    const task = async () => {
      running++
      most = Math.max(most, running)
      await new Promise<void>((resolve) => gates.push(resolve))
      running--
    }
    const stop = new AbortController()
    const first = [queue.run(A, task), queue.run(A, task)]
    const left = queue.run(A, task, stop.signal)
    const last = queue.run(A, task)
    stop.abort()
    await expect(left).rejects.toMatchObject({ code: 'CANCELLED' })
    gates.shift()!()
    gates.shift()!()
    await Promise.all(first)
    await vi.waitFor(() => expect(gates.length).toBe(1))
    gates.shift()!()
    await last
    expect(most).toBe(2)
    const again = queue.run(A, task)
    gates.shift()!()
    await again
  })
})

describe('reconnector', () => {
  it('tries again with growing pauses until it succeeds', async () => {
    const pauses: number[] = []
    const clock = {
      now: () => 0,
      sleep: async (ms: number) => {
        pauses.push(ms)
      },
    }
    let tries = 0
    const done = new Promise<void>((resolve) => {
      const r = new Reconnector(async () => {
        if (++tries < 12) throw new Error('away')
        resolve()
      }, clock)
      r.keep(A)
    })
    await done
    expect(tries).toBe(12)
    expect(pauses[1]).toBeLessThan(1000)
    expect(pauses[5]!).toBeGreaterThan(pauses[2]!)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(75_000)
  })
})

describe('address book', () => {
  it('refuses addresses that name another node or none', () => {
    const book = new AddressBook()
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    expect(() => book.add(['/ip4/127.0.0.1/tcp/1'])).toThrow(invalid)
    expect(() => book.add(['nonsense'], A)).toThrow(invalid)
    // An Ed25519 peer id: no node has such a key.
    expect(() =>
      book.add(['/ip4/1.2.3.4/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA']),
    ).toThrow(invalid)
    book.add(['/ip4/127.0.0.1/tcp/1'], A)
    for (let i = 2; i < 20; i++) book.add([`/ip4/127.0.0.1/tcp/${i}`], A)
    expect(book.addresses(A).length).toBe(8)
    expect(String(book.addresses(A)[0])).toBe('/ip4/127.0.0.1/tcp/19')
  })
})
