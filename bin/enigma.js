#!/usr/bin/env node
// Plain JavaScript for any Node: finds the Node this program is made for and hands over to it.
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE = 24
const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))))

function fail(message, remedy) {
  if (process.argv.includes('--json'))
    process.stderr.write(`${JSON.stringify({ error: { code: 'UNSUPPORTED', message, remedy } })}\n`)
  else process.stderr.write(`enigma: ${message}\n  ${remedy}\n`)
  process.exit(1)
}

function findNode() {
  const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(pinned)) return pinned
  if (Number(process.versions.node.split('.')[0]) >= NODE) return process.execPath
  return fail(
    `Node ${NODE} or newer is needed; this is ${process.version}`,
    'Install it, or run npm ci here.',
  )
}

function findProgram() {
  const source = join(root, 'main', 'cli.ts')
  const built = join(root, 'dist', 'main', 'cli.js')
  // Node does not strip types below node_modules.
  if (existsSync(source) && !root.split(sep).includes('node_modules')) return source
  if (existsSync(built)) return built
  return fail('this copy of the program is not complete', 'Install it again.')
}

// The channel tells the child when this process is gone, even by kill -9.
const child = spawn(findNode(), [findProgram(), ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
})
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
for (const signal of signals)
  process.on(signal, () => {
    // The terminal sends Ctrl-C to the whole group; only what came to this process alone is passed on.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  })
child.on('error', (error) => fail(`cannot start Node: ${error.message}`, 'Run npm ci here.'))
child.on('exit', (code, signal) => {
  if (signal !== null) {
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  } else process.exit(code ?? 1)
})
