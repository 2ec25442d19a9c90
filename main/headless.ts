import { parseArgs } from 'node:util'
import type { LogLevel } from '../core/base/log.ts'
import { createNode } from '../core/node/node.ts'
import { defaultDataDir } from './host/data-dir.ts'
import type { FromNode, ToNode } from './process/messages.ts'
import { runNode } from './process/run-node.ts'

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

const linked = values.linked && process.send !== undefined
const post = (message: FromNode) => void process.send?.(message, () => undefined)
const print = ({ type, ...rest }: FromNode) =>
  void process.stdout.write(`${JSON.stringify({ event: type, ...rest })}\n`)

await runNode(
  {
    dataDir: values.data ?? defaultDataDir(),
    host: values.host === 'browser' ? 'browser' : 'headless',
    serve: values.serve,
    logLevel: values.log as LogLevel,
    ...(values.network === undefined ? {} : { network: values.network }),
    ...(values.listen === undefined ? {} : { listen: values.listen }),
  },
  createNode,
  linked ? post : print,
  linked
    ? { post, onMessage: (listener) => void process.on('message', (m) => listener(m as ToNode)) }
    : undefined,
)
