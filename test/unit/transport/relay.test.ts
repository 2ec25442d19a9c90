import { setTimeout as sleep } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KiB, MiB } from '../../../core/base/units.ts'
import { MemoryNetwork } from '../../../core/transport/memory.ts'
import { RelayedSession, relaySession } from '../../../core/transport/relay.ts'
import type { NodeId, Session } from '../../../core/transport/types.ts'

const [a, b] = ['a', 'b'].map((c) => `0x${c.repeat(40)}` as NodeId) as [NodeId, NodeId]
const closed = { code: 'CHANNEL_CLOSED' }

describe('a session that another thread has', () => {
  let lent: RelayedSession
  let port: MessagePort
  let peer: Session
  let slow: boolean

  beforeEach(async () => {
    const network = new MemoryNetwork()
    const [left, right] = [network.join(a), network.join(b)]
    const [session, other] = await Promise.all([left.openSession('s', [b]), right.openSession('s', [a])])
    const { port1, port2 } = new MessageChannel()
    slow = false
    const send = session.send.bind(session)
    session.send = async (...message) => {
      if (slow) await sleep(30)
      await send(...message)
    }
    relaySession(session, port1)
    lent = new RelayedSession('s', a, [b], port2)
    port = port2
    peer = other
  })
  afterEach(() => Promise.all([lent.close(), peer.close()]))

  it('leaves the caller what it sends, also while memory is used again', async () => {
    const message = new Uint8Array(300 * KiB)
    for (let k = 0; k < 40; k++) {
      message.fill(k)
      const receiving = peer.receive(a)
      await lent.send(b, Uint8Array.of(7), message)
      const received = await receiving
      expect([received.length, received[0], received[1], received.at(-1)]).toEqual([
        message.length + 1,
        7,
        k,
        k,
      ])
    }
    expect(message.every((byte) => byte === 39)).toBe(true)
  })

  it('holds back who sends faster than the other side reads', async () => {
    const sending: Promise<void>[] = []
    let sent = 0
    const send = async () => {
      await lent.send(b, new Uint8Array(MiB))
      sent += 1
    }
    for (let k = 0; k < 200; k++) sending.push(send())
    await expect.poll(() => sent).toBeGreaterThan(0)
    const before = sent
    await sleep(200)
    expect(sent).toBe(before)
    expect(sent).toBeLessThan(100)
    for (let k = 0; k < 200; k++) await peer.receive(a)
    await Promise.all(sending)
    expect(sent).toBe(200)
  })

  it('hands on no more than the thread has room for, and nothing is lost', async () => {
    const sending = Promise.all(
      Array.from({ length: 60 }, (_, k) => peer.send(a, new Uint8Array(MiB).fill(k))),
    )
    for (let k = 0; k < 60; k++) expect((await lent.receive(b))[5]).toBe(k)
    await sending
  })

  it('sends all that was sent before it was closed, however slow the channel is', async () => {
    slow = true
    for (let k = 0; k < 3; k++) await lent.send(b, Uint8Array.of(k))
    await lent.close()
    for (let k = 0; k < 3; k++) expect(await peer.receive(a)).toEqual(Uint8Array.of(k))
    await expect(peer.receive(a)).rejects.toMatchObject(closed)
  })

  it('is closed when the thread is gone', async () => {
    const receiving = peer.receive(a)
    port.close()
    await expect(receiving).rejects.toMatchObject(closed)
    await expect(lent.receive(b)).rejects.toMatchObject(closed)
    await expect(lent.send(b, new Uint8Array(1))).rejects.toMatchObject(closed)
  })
})
