import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Log } from '../../core/base/log.ts'
import type { NodeService } from '../../core/ipc/index.ts'
import { jsonInTurns } from '../../core/ipc/turned.ts'
import { HostConnection } from './connection.ts'
import { MAX_CLIENTS } from './constants.ts'
import { LineDecoder } from './framing.ts'
import { chooseSocketPath, removeSocket } from './socket-path.ts'

export interface SocketHost {
  readonly path: string
  close(): Promise<void>
}

/**
 * Serves a NodeService on the local socket of its data directory (a Unix domain socket that only the owner can
 * open, or a named pipe). The caller holds the instance lock, so whatever socket is there is a dead node's.
 */
export async function serveSocket(dataDir: string, service: NodeService, log: Log): Promise<SocketHost> {
  const path = chooseSocketPath(dataDir)
  if (process.platform !== 'win32') rmSync(path, { force: true })
  const clients = new Set<Socket>()
  const server = createServer((socket) => {
    if (clients.size >= MAX_CLIENTS) {
      socket.destroy()
      return
    }
    clients.add(socket)
    socket.on('close', () => clients.delete(socket))
    serveClient(socket, service, log)
  })
  await listen(server, path)
  return {
    path,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of clients) socket.destroySoon()
      const timer = setTimeout(() => {
        for (const socket of clients) socket.destroy()
      }, 1000)
      await closed
      clearTimeout(timer)
      removeSocket(dataDir, path)
    },
  }
}

function serveClient(socket: Socket, service: NodeService, log: Log): void {
  const decoder = new LineDecoder()
  const drop = (reason: string) => {
    log.warn('client.dropped', { reason })
    connection.close()
    socket.destroySoon()
  }
  const connection = new HostConnection({
    service,
    log,
    client: { principal: 'local' },
    send: async (frame) => {
      // Written at once, when all is there: other frames may be ready before.
      const pieces: Buffer[] = []
      for await (const piece of jsonInTurns(frame)) pieces.push(Buffer.from(piece))
      if (!socket.writable) return
      socket.cork()
      for (const piece of pieces) socket.write(piece)
      socket.write('\n')
      socket.uncork()
    },
    drop,
  })
  socket.on('error', () => connection.close())
  socket.on('close', () => connection.close())
  socket.on('data', (chunk) => {
    for (const decoded of decoder.push(chunk)) {
      if (!('value' in decoded)) {
        drop(decoded.problem)
        return
      }
      void connection.receive(decoded.value)
      if (socket.writableEnded) return
    }
  })
}

async function listen(server: Server, path: string): Promise<void> {
  // The socket must not be open to others even between bind and chmod.
  const mask = process.platform === 'win32' ? undefined : process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } finally {
    if (mask !== undefined) process.umask(mask)
  }
  if (process.platform !== 'win32') chmodSync(path, 0o600)
}
