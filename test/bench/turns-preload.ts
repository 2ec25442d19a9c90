/**
 * Loaded before a node process (`--import`): writes the turns of its event loop that took long, from when the node is ready, to
 * a file of its own in the directory BENCH_TURNS, a line each: when it ended (ms since 1970), how long it was.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { TurnWatch } from './turns.ts'

const LONG_MS = 5

const dir = process.env.BENCH_TURNS
const { send } = process
if (isMainThread && send !== undefined && dir !== undefined) {
  const file = join(dir, `${process.pid}.txt`)
  let lines = ''
  const write = () => {
    if (lines !== '') appendFileSync(file, lines)
    lines = ''
  }
  const watch = new TurnWatch((ms) => {
    if (ms >= LONG_MS) lines += `${Date.now()} ${ms}\n`
  })
  process.send = ((message: { type?: string }, ...rest: unknown[]) => {
    // Loading modules comes before.
    if (message?.type === 'ready') setImmediate(() => watch.start())
    return Reflect.apply(send, process, [message, ...rest])
  }) as typeof send
  process.on('exit', write)
}
