import { run } from './cli/program.ts'

// bin/enigma.js keeps a channel open: when it is gone in whatever way, this process ends as if told to.
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel.unref()
}
await run(process.argv.slice(2))
// Sockets and timers of a command that has said its last word must not keep it alive.
process.exit()
