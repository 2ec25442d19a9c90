import { createLog, type LogLevel } from '../../core/base/log.ts'
import { weighBuffersWithHeap } from '../../core/base/memory.ts'
import { EnigmaError } from '../../core/ipc/index.ts'
import type { EnigmaNode, NodeOptions } from '../../core/node/types.ts'
import { privateDirectory } from '../host/data-dir.ts'
import { lockInstance } from '../host/instance-lock.ts'
import { networkFile, readNetwork } from '../host/network.ts'
import { serveSocket } from '../host/socket-host.ts'
import { endCleanly } from './lifecycle.ts'
import { NodeLink, type RendererPort } from './link.ts'
import type { FromNode, ToNode } from './messages.ts'

export interface RunOptions {
  dataDir: string
  /** Network settings; by default `network.json` in the data directory. */
  network?: string
  host: NodeOptions['host']
  serve: boolean
  listen?: string[]
  logLevel?: LogLevel
}

/** The supervisor's channel: a child process's IPC, or Electron's parentPort. */
export interface SupervisorChannel {
  post(message: FromNode): void
  onMessage(listener: (message: ToNode, port?: RendererPort) => void): void
}

/**
 * Runs one node in this process until it is told to stop: lock, node, local socket, and the link to its
 * supervisor if it has one. Announces `listening` (calls are answered), then `ready` or `failed`.
 */
export async function runNode(
  options: RunOptions,
  createNode: (options: NodeOptions) => Promise<EnigmaNode>,
  announce: (message: FromNode) => void,
  supervisor?: SupervisorChannel,
): Promise<void> {
  weighBuffersWithHeap()
  const log = createLog(options.logLevel ?? 'info').child('host')
  const closers: (() => Promise<void> | void)[] = []
  const end = endCleanly(
    async () => {
      for (const close of closers.reverse()) await close()
    },
    supervisor && process.send ? 'ipc' : 'none',
  )
  process.on('uncaughtException', (error) => {
    log.error('uncaught', { error: nameOf(error) })
    end(1)
  })
  process.on('unhandledRejection', (error) => {
    log.error('unhandled', { error: nameOf(error) })
    end(1)
  })
  try {
    const dataDir = privateDirectory(options.dataDir)
    const lock = lockInstance(dataDir)
    closers.push(() => lock.release())
    const { network, logLevel, listen, ...rest } = options
    const node = await createNode({
      dataDir,
      host: rest.host,
      serve: rest.serve,
      network: readNetwork(network ?? networkFile(dataDir)),
      ...(listen === undefined ? {} : { listen }),
      ...(logLevel === undefined ? {} : { logLevel }),
    })
    closers.push(() => node.stop())
    if (supervisor) {
      const link = new NodeLink(node.service, log, supervisor.post)
      closers.push(() => link.close())
      supervisor.onMessage((message, port) => {
        if (message.type === 'stop') end(0)
        else link.receive(message, port)
      })
    }
    const socket = await serveSocket(dataDir, node.service, log)
    closers.push(() => socket.close())
    announce({ type: 'listening', socket: socket.path, nodeId: node.nodeId, addresses: node.addresses() })
    await node.start()
    announce({ type: 'ready', nodeId: node.nodeId, addresses: node.addresses() })
  } catch (error) {
    const known = EnigmaError.from(error)
    log.error('start.failed', { code: known.code })
    announce({ type: 'failed', error: known.toObject() })
    end(1)
  }
}

/** Names and places only: the message of an unexpected error may quote what it worked on. */
function nameOf(error: unknown): string {
  if (error instanceof EnigmaError) return error.code
  if (!(error instanceof Error)) return typeof error
  const place = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '))
  return `${error.name}${place === undefined ? '' : ` ${place.trim()}`}`
}
