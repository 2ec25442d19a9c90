import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { LogLevel } from '../../core/base/log.ts'
import { createNode } from '../../core/node/node.ts'
import { WorkAhead } from '../../core/node/work-ahead.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import type { FromNode, ToNode } from '../../main/process/messages.ts'
import { runNode } from '../../main/process/run-node.ts'
import { SMALL_BGV } from './spdz-network.ts'

/** How long a message between parties takes: preprocessing and computing last long enough to strike in them. */
const LATENCY_MS = 30

/**
 * `main/headless.ts --linked` in a child process, with parameters of preprocessing that are small and without security,
 * slow messages between the parties of a computation, and no work ahead.
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    network: { type: 'string', default: '' },
    serve: { type: 'boolean', default: false },
    log: { type: 'string', default: 'warn' },
    linked: { type: 'boolean', default: false },
  },
})

// Material that grows belongs to the job whose members are struck.
WorkAhead.prototype.start = () => undefined

const open = Libp2pTransport.prototype.openSession
Libp2pTransport.prototype.openSession = async function (id, peers, options) {
  const session = await open.call(this, id, peers, options)
  const send = session.send.bind(session)
  // All wait equally long, so they stay in order.
  session.send = (to, ...parts) => sleep(LATENCY_MS).then(() => send(to, ...parts))
  return session
}

await runNode(
  {
    dataDir: values.data,
    network: values.network,
    host: 'headless',
    serve: values.serve,
    logLevel: values.log as LogLevel,
  },
  (options) => createNode({ ...options, bgv: SMALL_BGV }),
  (message: FromNode) => void process.send?.(message, () => undefined),
  {
    post: (message) => void process.send?.(message, () => undefined),
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToNode)),
  },
)
