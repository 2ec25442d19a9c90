import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../../core/base/log.ts'
import { ownOrigin, RENDERER_CSP, refuseActive, refuseRequest, securityHeaders } from './browser-policy.ts'
import { HANDSHAKE_MS, MAX_CLIENTS, MAX_FRAME_BYTES } from './constants.ts'
import { Credentials } from './credentials.ts'
import { serveFile } from './static-files.ts'

/** One page's way to the node: text frames in, and closing. */
export interface BrowserClient {
  receive(text: string): void
  close(): void
}

export interface BrowserHostOptions {
  log: Log
  /** Folder with the built renderer. */
  root: string
  /** Connects an admitted page to the node; undefined while the node is not there. */
  attach(page: { send(text: string): void; drop(reason: string): void }): BrowserClient | undefined
  /** Tests choose; by default any free port. */
  port?: number
}

export interface BrowserHost {
  readonly port: number
  /** A new address with a new one-time token. */
  issueUrl(): string
  close(): Promise<void>
}

/** The host closes with this code when it accepts neither token nor session (renderer/bridge.ts). */
const CLOSE_REFUSED = 4401

/**
 * The same renderer in the system browser: loopback only, random port, one-time token in the fragment of the
 * address, `Host` and `Origin` checked on every request and on the upgrade.
 */
export async function serveBrowser(options: BrowserHostOptions): Promise<BrowserHost> {
  const { log, root } = options
  const credentials = new Credentials()
  const headers = securityHeaders(RENDERER_CSP)
  let port = 0

  const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 30_000 }, (request, response) => {
    const reason = refuseRequest(request, port)
    if (reason !== undefined) {
      log.warn('browser.refused', { reason })
      response
        .writeHead(403, { ...headers, 'Content-Type': 'text/plain', Connection: 'close' })
        .end('Refused\n')
      return
    }
    serveFile(root, request, response, headers)
  })

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('enigma') ? 'enigma' : false),
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const reason =
      refuseActive(request, port, 'GET') ??
      (request.url === '/ws' ? undefined : 'target') ??
      (request.headers['sec-websocket-protocol'] === 'enigma' ? undefined : 'protocol') ??
      (sockets.clients.size < MAX_CLIENTS ? undefined : 'clients')
    if (reason !== undefined) {
      log.warn('browser.refused', { reason })
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) =>
      greet(ws, credentials, request.headers['user-agent'] ?? '', options),
    )
  })

  await listenOnLoopback(server, options.port ?? 0)
  port = portOf(server)
  return {
    port,
    issueUrl: () => `${ownOrigin(port)}/#token=${credentials.issueToken()}`,
    close: () => closeServer(server, sockets),
  }
}

function greet(
  ws: WebSocket,
  credentials: Credentials,
  userAgent: string,
  options: BrowserHostOptions,
): void {
  const late = setTimeout(() => ws.close(CLOSE_REFUSED, 'no credential'), HANDSHAKE_MS)
  ws.on('error', () => ws.terminate())
  ws.on('close', () => clearTimeout(late))
  ws.once('message', (data: Buffer, isBinary: boolean) => {
    clearTimeout(late)
    const session =
      isBinary || data.length > 1024 ? undefined : credentials.accept(parseJson(data), userAgent)
    if (session === undefined) {
      options.log.warn('browser.refused', { reason: 'credential' })
      ws.close(CLOSE_REFUSED, 'refused')
      return
    }
    ws.send(JSON.stringify({ session }))
    join(ws, options.attach)
  })
}

function join(ws: WebSocket, attach: BrowserHostOptions['attach']): void {
  const client = attach({
    send: (text) => ws.send(text, () => undefined),
    drop: (reason) => ws.close(1008, reason),
  })
  if (client === undefined) {
    ws.close(1013, 'the node is not there')
    return
  }
  ws.on('close', () => client.close())
  ws.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) ws.close(1003, 'text only')
    else client.receive(data.toString('utf8'))
  })
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

/** Listens on 127.0.0.1 and nowhere else. */
export async function listenOnLoopback(server: Server, port = 0): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

export function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

export async function closeServer(server: Server, sockets?: WebSocketServer): Promise<void> {
  for (const ws of sockets?.clients ?? []) ws.terminate()
  sockets?.close()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
