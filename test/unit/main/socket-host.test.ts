import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NodeClient } from '../../../main/host/client.ts'
import { privateDirectory } from '../../../main/host/data-dir.ts'
import { lockInstance } from '../../../main/host/instance-lock.ts'
import { type SocketHost, serveSocket } from '../../../main/host/socket-host.ts'
import { DoubleService, HASH, testLog } from './double.ts'

let dir: string
let service: DoubleService
let host: SocketHost | undefined
const clients: NodeClient[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'enigma-socket-'))
  service = new DoubleService()
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await host?.close()
  host = undefined
  rmSync(dir, { recursive: true, force: true })
})

async function connect(confirm?: () => Promise<boolean>): Promise<NodeClient> {
  const client = await NodeClient.connect(dir, confirm ? { confirm } : {})
  clients.push(client)
  return client
}

describe('socket host', () => {
  it('answers calls and passes events on, as principal local', async () => {
    host = await serveSocket(dir, service, testLog().log)
    const client = await connect()
    const events: string[] = []
    client.subscribe((event) => events.push(event.type))
    expect(await client.call('vault.status', {})).toEqual({ state: 'locked' })
    expect(service.calls[0]?.context.principal).toBe('local')
    service.emit({ type: 'job', id: 'j' })
    await client.call('vault.status', {})
    expect(events).toEqual(['job'])
  })

  it('lets a local client decide its own confirmations, and declines without an answer', async () => {
    host = await serveSocket(dir, service, testLog().log)
    const yes = await connect(() => Promise.resolve(true))
    expect(await yes.call('access.revoke', { ref: HASH })).toEqual({ jobId: 'job-1' })
    const silent = await connect()
    await expect(silent.call('access.revoke', { ref: HASH })).rejects.toMatchObject({ code: 'NOT_CONFIRMED' })
  })

  it('counts a confirmation as declined when its client is gone', async () => {
    host = await serveSocket(dir, service, testLog().log)
    let decided: boolean | undefined
    let asked = () => {}
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    service.handlers['access.revoke'] = async (_input, context) => {
      const answer = context.confirm({ kind: 'revoke', method: 'access.revoke', facts: {} })
      asked()
      decided = await answer
      return { jobId: 'x' }
    }
    const client = await connect(() => new Promise(() => {}))
    const call = client.call('access.revoke', { ref: HASH })
    await wasAsked
    client.close()
    await expect(call).rejects.toMatchObject({ code: 'HOST_GONE' })
    await expect.poll(() => decided).toBe(false)
  })

  it('rejects inputs and outputs that do not fit the contract', async () => {
    host = await serveSocket(dir, service, testLog().log)
    const client = await connect()
    await expect(client.call('access.revoke', { ref: 'no' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
    await expect(client.call('no.such' as never, {} as never)).rejects.toMatchObject({
      code: 'METHOD_UNKNOWN',
    })
    expect(service.calls).toEqual([])
    service.handlers['vault.status'] = () => ({ state: 'nonsense' })
    await expect(client.call('vault.status', {})).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
  })

  it('keeps the text of unexpected failures to itself', async () => {
    const { log, lines } = testLog()
    host = await serveSocket(dir, service, log)
    service.handlers['vault.status'] = () => {
      throw new Error('key 0x1234 leaked')
    }
    const client = await connect()
    const error = await client.call('vault.status', {}).catch((e: unknown) => e)
    expect(JSON.stringify([error, String(error), ...lines])).not.toContain('1234')
    expect(error).toMatchObject({ code: 'INTERNAL' })
  })

  it('is closed to other users, replaces a stale socket, and goes away', async () => {
    writeFileSync(join(dir, 'node.sock'), '')
    host = await serveSocket(dir, service, testLog().log)
    expect(statSync(host.path).mode & 0o777).toBe(0o600)
    privateDirectory(dir)
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    await host.close()
    host = undefined
    await expect(NodeClient.connect(dir)).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  })

  it('works where the path is too long for a socket address', async () => {
    dir = join(dir, 'x'.repeat(120))
    mkdirSync(dir)
    host = await serveSocket(dir, service, testLog().log)
    expect(host.path.length).toBeLessThanOrEqual(100)
    const client = await connect()
    expect(await client.call('vault.status', {})).toEqual({ state: 'locked' })
  })

  it('ends calls under way with HOST_GONE', async () => {
    host = await serveSocket(dir, service, testLog().log)
    service.handlers['data.list'] = () => new Promise(() => {})
    const client = await connect()
    const call = client.call('data.list', {})
    await client.call('vault.status', {})
    const rejected = expect(call).rejects.toMatchObject({ code: 'HOST_GONE' })
    await host.close()
    host = undefined
    await rejected
  })

  it('locks a data directory for one node', () => {
    const lock = lockInstance(dir)
    expect(() => lockInstance(dir)).toThrow(`(process ${process.pid})`)
    lock.release()
    lockInstance(dir).release()
  })
})

describe('frames from a hostile local client', () => {
  /** Everything the host writes until it has been silent for a call, or closed. */
  async function exchange(payload: (string | Buffer)[]): Promise<{ text: string; closed: boolean }> {
    const socket: Socket = createConnection(host?.path ?? '')
    let text = ''
    let closed = false
    socket.on('data', (d) => {
      text += d.toString()
    })
    socket.on('error', () => {})
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    void ended.then(() => {
      closed = true
    })
    for (const part of payload) socket.write(part)
    socket.write(`\n${JSON.stringify({ id: 999_999, method: 'settings.get', input: {} })}\n`)
    await expect.poll(() => closed || text.includes('999999'), { timeout: 20_000 }).toBe(true)
    socket.destroy()
    return { text, closed }
  }

  it.each([
    ['wrong types', '{"id":"1","method":5}'],
    ['an array', '[1,2,3]'],
    ['null', 'null'],
    ['a prototype in the frame', '{"__proto__":{"id":1},"id":1,"method":"vault.lock","input":{}}'],
    ['a prototype in the input', '{"id":1,"method":"vault.lock","input":{"__proto__":{"a":1}}}'],
    ['a method of Object', '{"id":1,"method":"constructor","input":{}}'],
    ['__proto__ as method', '{"id":1,"method":"__proto__","input":{}}'],
    ['a surplus field', '{"id":1,"method":"vault.lock","input":{"x":1}}'],
    ['a surplus frame field', '{"id":1,"method":"vault.lock","input":{},"principal":"renderer"}'],
    ['a negative id', '{"id":-5,"method":"vault.lock","input":{}}'],
    ['a decision nobody asked for', '{"confirmation":1,"accept":true}'],
    ['a decision that is not yes or no', '{"confirmation":1,"accept":"yes"}'],
    ['deep nesting', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ])('%s: refused without effect', async (_name, line) => {
    host = await serveSocket(dir, service, testLog().log)
    const { text } = await exchange([line])
    expect(text).toContain('"error"')
    expect(service.effects).toEqual([])
    expect(({} as { a?: unknown }).a).toBeUndefined()
  })

  it('drops a client that sends what is not JSON', async () => {
    host = await serveSocket(dir, service, testLog().log)
    expect((await exchange(['{"id":1,'])).closed).toBe(true)
    expect((await exchange([Buffer.from([0xff, 0xfe, 0x00, 0x0a])])).closed).toBe(true)
  })

  it('drops a client whose frame is too large, without keeping it', async () => {
    host = await serveSocket(dir, service, testLog().log)
    const before = process.memoryUsage().arrayBuffers
    const chunk = Buffer.alloc(4 * 1024 * 1024, 0x20)
    const { closed } = await exchange(Array.from({ length: 20 }, () => chunk))
    expect(closed).toBe(true)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 1024 * 1024)
    const client = await connect()
    expect(await client.call('vault.status', {})).toEqual({ state: 'locked' })
  })
})
