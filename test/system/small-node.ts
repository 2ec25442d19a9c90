import { parseArgs } from 'node:util'
import type { LogLevel } from '../../core/base/log.ts'
import { bgvParameters } from '../../core/bgv/parameters.ts'
import { createNode } from '../../core/node/node.ts'
import type { FromNode, ToNode } from '../../main/process/messages.ts'
import { runNode } from '../../main/process/run-node.ts'

/** `main/headless.ts --linked` in a child process, with parameters of preprocessing that are small and without security. */
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    network: { type: 'string', default: '' },
    serve: { type: 'boolean', default: false },
    log: { type: 'string', default: 'warn' },
    linked: { type: 'boolean', default: false },
  },
})
const bgv = bgvParameters({ n: 256, levels: 15, replyLevels: 6, batch: 12, insecure: true })

await runNode(
  {
    dataDir: values.data,
    network: values.network,
    host: 'headless',
    serve: values.serve,
    logLevel: values.log as LogLevel,
  },
  (options) => createNode({ ...options, bgv }),
  (message: FromNode) => void process.send?.(message, () => undefined),
  {
    post: (message) => void process.send?.(message, () => undefined),
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToNode)),
  },
)
