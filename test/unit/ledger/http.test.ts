import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { HttpEndpoint } from '../../../core/ledger/http.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => unknown

const servers: Server[] = []
const endpoints: HttpEndpoint[] = []
afterEach(() => {
  for (const endpoint of endpoints.splice(0)) endpoint.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(handler: Handler) {
  let connections = 0
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    for await (const part of request) body += part
    await handler(request, response, body)
  }
  const server = createServer((request, response) => void answer(request, response))
  server.on('connection', () => connections++)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = new HttpEndpoint(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  endpoints.push(endpoint)
  return { endpoint, connections: () => connections }
}

describe('an address that JSON is posted to', () => {
  test('is asked a few things at once, over connections that are kept', async () => {
    let now = 0
    let most = 0
    const { endpoint, connections } = await serve(async (_, response, body) => {
      most = Math.max(most, ++now)
      await sleep(5)
      now--
      response.end(`{"got":${body}}`)
    })
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => endpoint.post(`${i}`, 5000)))
    expect(answers.map((a) => a.text)).toEqual(answers.map((_, i) => `{"got":${i}}`))
    expect(most).toBe(8)
    expect(connections()).toBe(8)
  })

  test('is asked again when it ends a kept connection in the moment of its use', async () => {
    const asked: string[] = []
    const { endpoint, connections } = await serve((request, response, body) => {
      asked.push(body)
      if (asked.length === 2) request.socket.destroy()
      else response.end('{}')
    })
    await endpoint.post('1', 5000)
    expect(await endpoint.post('2', 5000)).toEqual({ status: 200, text: '{}' })
    expect(asked).toEqual(['1', '2', '2'])
    expect(connections()).toBe(2)
  })

  test('is not asked again when it ends a fresh connection', async () => {
    let asked = 0
    const { endpoint } = await serve((request) => {
      asked++
      request.socket.destroy()
    })
    await expect(endpoint.post('1', 5000)).rejects.toThrow('socket hang up')
    expect(asked).toBe(1)
  })

  test('is not followed elsewhere', async () => {
    const { endpoint } = await serve((_, response) =>
      response.writeHead(307, { location: '/other' }).end('gone'),
    )
    expect(await endpoint.post('1', 5000)).toEqual({ status: 307, text: 'gone' })
  })

  test('may keep silent for some time only', async () => {
    const { endpoint } = await serve(() => undefined)
    await expect(endpoint.post('1', 50)).rejects.toThrow('no answer in 50 ms')
  })

  test('may break off', async () => {
    const { endpoint } = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{')
      setTimeout(() => request.socket.destroy(), 20)
    })
    await expect(endpoint.post('1', 5000)).rejects.toThrow('aborted')
  })

  test('is left alone once it was closed', async () => {
    const { endpoint } = await serve(() => undefined)
    const hanging = endpoint.post('1', 5000)
    const waiting = expect(hanging).rejects.toThrow('closed')
    await sleep(20)
    endpoint.close()
    await waiting
    await expect(endpoint.post('2', 5000)).rejects.toThrow('closed')
  })
})
