/**
 * One party of the SPDZ benches, a process of its own; started by spdz.ts, speaks over process IPC. As in a node, a thread
 * computes (spdz-thread.ts), and the event loop hands its messages on.
 */
import { Worker } from 'node:worker_threads'
import { weighBuffersWithHeap } from '../../core/base/memory.ts'
import { randomBytes } from '../../core/base/random.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import { relaySession } from '../../core/transport/relay.ts'
import type { NodeId } from '../../core/transport/types.ts'
import type { Command, Answer as FromThread, Opening } from './spdz-thread.ts'
import { TurnWatch } from './turns.ts'

export type { Command } from './spdz-thread.ts'
/** `turnMs`: the longest turn of the event loop since the command. */
export type Answer =
  | { kind: 'ready'; id: NodeId; addresses: string[] }
  | (Exclude<FromThread, { kind: 'stopped' }> & { turnMs: number })

weighBuffersWithHeap()
const answer = (a: Answer) => process.send?.(a)
const failed = (error: unknown) =>
  answer({ kind: 'failed', message: String((error as Error).stack ?? error), turnMs: 0 })
const privateKey = randomBytes(32)
const transport = await Libp2pTransport.create(
  { privateKey: privateKey.slice() },
  { isAdmitted: async () => true },
)
const watch = new TurnWatch()
const thread = new Worker(new URL('./spdz-thread.ts', import.meta.url), {
  workerData: { self: transport.self, privateKey },
})

async function hear(message: FromThread | Opening): Promise<void> {
  try {
    if (message.kind === 'open')
      relaySession(await transport.openSession(message.id, message.peers), message.port)
    else if (message.kind === 'stopped') {
      await thread.terminate()
      await transport.stop()
      process.disconnect?.()
    } else answer({ ...message, turnMs: watch.stop() })
  } catch (error) {
    failed(error)
  }
}

thread.on('message', (message: FromThread | Opening) => void hear(message))
thread.on('error', failed)
process.on('message', (message) => {
  const command = message as Command
  if (command.kind === 'meet')
    for (const [i, node] of command.ids.entries())
      if (node !== transport.self) transport.addPeer(command.addresses[i]!, { node })
  thread.postMessage(command)
  watch.start()
})
process.on('disconnect', () => process.exit())
answer({ kind: 'ready', id: transport.self, addresses: transport.addresses })
