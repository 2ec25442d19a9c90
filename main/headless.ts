import { parseArgs } from 'node:util'
import type { LogLevel } from '../core/base/log.ts'
import { createNode } from '../core/node/node.ts'
import { defaultDataDir } from './host/data-dir.ts'
import type { RendererPort } from './process/link.ts'
import type { FromNode, ToNode } from './process/messages.ts'
import { runNode, type SupervisorChannel } from './process/run-node.ts'

/**
 * A node without a window. `--linked`: a supervisor started it and talks to it over the IPC channel; without
 * it, what it announces goes to standard output as JSON lines.
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    network: { type: 'string' },
    host: { type: 'string', default: 'headless' },
    serve: { type: 'boolean', default: false },
    listen: { type: 'string', multiple: true },
    log: { type: 'string', default: 'warn' },
    linked: { type: 'boolean', default: false },
  },
})

/** Electron gives a utility process this port in place of a child process's IPC channel. */
interface ParentPort {
  postMessage(message: FromNode): void
  on(event: 'message', listener: (event: { data: ToNode; ports: RendererPort[] }) => void): void
}
const { parentPort } = process as { parentPort?: ParentPort }

function findSupervisor(): SupervisorChannel | undefined {
  if (!values.linked) return undefined
  if (parentPort)
    return {
      post: (message) => parentPort.postMessage(message),
      onMessage: (listener) => parentPort.on('message', ({ data, ports }) => listener(data, ports[0])),
    }
  if (!process.send) return undefined
  return {
    post: (message) => void process.send?.(message, () => undefined),
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToNode)),
  }
}

const supervisor = findSupervisor()
const print = ({ type, ...rest }: FromNode) =>
  void process.stdout.write(`${JSON.stringify({ event: type, ...rest })}\n`)

await runNode(
  {
    dataDir: values.data ?? defaultDataDir(),
    host: values.host === 'browser' || values.host === 'electron' ? values.host : 'headless',
    serve: values.serve,
    logLevel: values.log as LogLevel,
    ...(values.network === undefined ? {} : { network: values.network }),
    ...(values.listen === undefined ? {} : { listen: values.listen }),
  },
  createNode,
  supervisor?.post ?? print,
  supervisor,
)
