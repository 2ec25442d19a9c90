import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../../core/base/bytes.ts'
import { ZERO_BYTES32 } from '../../../core/ledger/constants.ts'
import * as support from './support.ts'

type Answer = { id: number; result?: unknown; error?: unknown }
type Lie = (answer: Answer, method: string) => unknown

let chain: support.TestChain
const servers: Server[] = []
beforeAll(async () => {
  chain = await support.startChain()
})
afterAll(() => chain?.[Symbol.asyncDispose]())
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request) text += part
  return text
}

/** An endpoint between us and the chain that changes answers; `hang` never answers. */
async function liar(lie: Lie | 'hang' | 'html'): Promise<{ url: string; asked: () => number }> {
  let asked = 0
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    asked++
    const body = await read(request)
    if (lie === 'hang') return
    if (lie === 'html') {
      response.writeHead(503).end('<html>busy</html>')
      return
    }
    const honest = await fetch(chain.devnet.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    response.end(JSON.stringify(lie((await honest.json()) as Answer, JSON.parse(body).method)))
  }
  const server = createServer((request, response) => void answer(request, response))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}`, asked: () => asked }
}

const replace =
  (name: string, result: unknown): Lie =>
  (a, method) =>
    method === name ? { ...a, result } : a

describe('an endpoint that', () => {
  test.each<[string, Lie | 'hang' | 'html']>([
    ['is slow', 'hang'],
    ['answers in HTML', 'html'],
    ['serves another chain', replace('eth_chainId', '0x1')],
    ['answers with the wrong type', replace('eth_call', 7)],
    ['answers with odd hexadecimal', replace('eth_call', '0x123')],
    ['answers without a result', (a) => ({ id: a.id })],
    ['answers another request', (a) => ({ ...a, id: a.id + 1 })],
    ['has internal trouble', (a) => ({ id: a.id, error: { code: -32603, message: 'internal' } })],
    ['limits the rate', (a) => ({ id: a.id, error: { code: -32005, message: 'limit exceeded' } })],
  ])('%s is passed over', async (_, lie) => {
    const bad = await liar(lie)
    const ledger = await chain.client({ endpoints: [bad.url, chain.devnet.endpoint], requestTimeoutMs: 200 })
    const signer = await support.fundedSigner(ledger)
    await ledger.set(signer, ZERO_BYTES32, utf8('x'))
    expect(await ledger.get(signer.address, ZERO_BYTES32)).toEqual(utf8('x'))
    expect(bad.asked()).toBeGreaterThan(0)
    await ledger.stop()
  })

  test('refuses with a reason is believed, and no other is asked', async () => {
    const second = await liar((a) => a)
    const ledger = await chain.client({ endpoints: [chain.devnet.endpoint, second.url] })
    const signer = await support.fundedSigner(ledger)
    await expect(ledger.revoke(signer, support.randomWord())).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    expect(second.asked()).toBe(0)
  })

  test('is alone on another chain, or gone, is named for what it is', async () => {
    const other = await liar(replace('eth_chainId', '0x2'))
    await expect(chain.client({ endpoints: [other.url] })).rejects.toMatchObject({
      code: 'LEDGER_WRONG_CHAIN',
    })
    await expect(chain.client({ endpoints: ['http://127.0.0.1:1'] })).rejects.toMatchObject({
      code: 'LEDGER_UNREACHABLE',
    })
  })

  test('shows events of other contracts or other blocks is not believed', async () => {
    const signer = await support.fundedSigner(await chain.client())
    const forge: Lie = (a, method) => {
      if (method !== 'eth_getLogs' || !Array.isArray(a.result)) return a
      return { ...a, result: a.result.map((l) => ({ ...l, blockNumber: '0xffffff' })) }
    }
    const ledger = await chain.client({ endpoints: [(await liar(forge)).url] })
    await ledger.set(signer, ZERO_BYTES32, utf8('x'))
    const subscription = await ledger.subscribe('main', () => undefined)
    await expect(subscription.caughtUp()).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' })
  })

  test('answers with another predicate is not believed', async () => {
    const honest = await chain.client()
    const signer = await support.fundedSigner(honest)
    const id = await support.publish(honest, signer, { kind: 'owner' })
    const word = (n: number) => n.toString(16).padStart(64, '0')
    const anyone = `0x${word(32)}${word(2)}${'0109'.padEnd(64, '0')}`
    const ledger = await chain.client({ endpoints: [(await liar(replace('eth_call', anyone))).url] })
    await expect(ledger.predicate(id)).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' })
  })
})
