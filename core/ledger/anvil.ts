import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { EnigmaError } from '../base/errors.ts'

const PLATFORMS: Record<string, string> = { linux: 'linux', darwin: 'darwin', win32: 'win32' }
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' }

/** Path of the anvil binary that npm installed for this machine. Throws UNSUPPORTED where there is none. */
export function anvilBinary(): string {
  const name = `@foundry-rs/anvil-${PLATFORMS[process.platform]}-${ARCHITECTURES[process.arch]}`
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    return join(manifest, '..', 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
  } catch (cause) {
    throw new EnigmaError('UNSUPPORTED', `there is no local chain (${name}) for this machine`, {
      remedy: 'Run npm ci again, or configure an existing chain as the ledger.',
      cause,
    })
  }
}

export interface AnvilProcess {
  pid: number
  /** Resolves when anvil has ended, however. */
  exited: Promise<void>
  /** kill -9; resolves when it has ended. */
  kill(): Promise<void>
}

/**
 * The shell starts anvil and prints its pid; its second child reads from our pipe, which ends when we end in
 * whatever way, and then kills anvil.
 */
const WATCHDOG = `exec 3<&0
"$@" </dev/null 3<&- >/dev/null 2>&1 &
child=$!
echo $child
( cat <&3 >/dev/null 2>&1; kill -9 $child 2>/dev/null ) >/dev/null 2>&1 &
exec 3<&-
wait $child`

/** Starts anvil so that it cannot outlive this process. (On Windows it can, until the next start.) */
export async function spawnAnvil(args: string[]): Promise<AnvilProcess> {
  const binary = anvilBinary()
  const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', RUST_LOG: 'off' }
  const child: ChildProcess =
    process.platform === 'win32'
      ? spawn(binary, args, { stdio: 'ignore', windowsHide: true })
      : spawn('/bin/sh', ['-c', WATCHDOG, 'sh', binary, ...args], {
          stdio: ['pipe', 'pipe', 'ignore'],
          env: environment,
        })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  }).then(() => {
    child.stdin?.destroy()
  })
  const pid = process.platform === 'win32' ? child.pid : await readPid(child)
  if (pid === undefined) throw new EnigmaError('INTERNAL', 'the local chain could not be started')
  child.unref()
  const stdin = child.stdin as (typeof child.stdin & { unref?(): void }) | null
  stdin?.unref?.()
  return {
    pid,
    exited,
    kill: async () => {
      child.ref()
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone already.
      }
      await exited
    },
  }
}

function readPid(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = ''
    child.stdout!.on('data', (data: Buffer) => {
      text += data.toString()
      if (!text.includes('\n')) return
      const pid = Number.parseInt(text, 10)
      child.stdout!.destroy()
      resolve(Number.isInteger(pid) && pid > 0 ? pid : undefined)
    })
    child.once('exit', () => resolve(undefined))
    child.once('error', () => resolve(undefined))
  })
}

/** A free loopback port; `preferred` if it is free. */
export async function freePort(preferred = 0): Promise<number> {
  const attempt = (port: number) =>
    new Promise<number | undefined>((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(undefined))
      server.listen(port, '127.0.0.1', () => {
        const address = server.address()
        const got = typeof address === 'object' && address ? address.port : undefined
        server.close(() => resolve(got))
      })
    })
  const port = (await attempt(preferred)) ?? (await attempt(0))
  if (port === undefined) throw new EnigmaError('INTERNAL', 'no free port for the local chain')
  return port
}
