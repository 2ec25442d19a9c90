import { type ChildProcess, fork } from 'node:child_process'
import type { Log } from '../../core/base/log.ts'
import { minute, second } from '../../core/base/units.ts'
import { entryPath } from './entry.ts'
import { STOP_MS } from './lifecycle.ts'
import type { FromNode, ToNode } from './messages.ts'

/** A started node process, whichever way it was started. */
export interface NodeProcess {
  readonly pid: number | undefined
  post(message: ToNode, ports?: unknown[]): void
  onMessage(listener: (message: FromNode) => void): void
  onExit(listener: (code: number | null) => void): void
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

export type Launcher = (args: string[]) => NodeProcess

/** Starts a node's entry file in a Node process that ends when this one does. */
export const launch =
  (file: string): Launcher =>
  (args) => {
    const child: ChildProcess = fork(file, ['--linked', ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      // Signals from the terminal go to this process, which ends its children in order.
      detached: process.platform !== 'win32',
    })
    child.on('error', () => undefined)
    return {
      pid: child.pid,
      post: (message) => {
        if (child.connected) child.send(message, () => undefined)
      },
      onMessage: (listener) => void child.on('message', (message) => listener(message as FromNode)),
      onExit: (listener) => void child.once('exit', (code) => listener(code)),
      kill: (signal) => void child.kill(signal),
    }
  }

export const launchNode: Launcher = launch(entryPath('headless'))

const FIRST_DELAY_MS = second / 4
const LAST_DELAY_MS = 30 * second
/** A child that ran this long had started well: the next back-off begins anew. */
const STABLE_MS = minute

/** Keeps a node process running: starts it again, with growing delay, when it ends without being told to. */
export class SupervisedNode {
  readonly #launch: Launcher
  readonly #args: string[]
  readonly #log: Log
  readonly #listeners = new Set<(message: FromNode) => void>()
  readonly #exitListeners = new Set<(code: number | null) => void>()
  #process: NodeProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #stopping = false

  constructor(launch: Launcher, args: string[], log: Log) {
    this.#launch = launch
    this.#args = args
    this.#log = log
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  start(): void {
    if (this.#process !== undefined || this.#stopping) return
    const startedAt = Date.now()
    const child = this.#launch(this.#args)
    this.#process = child
    child.onMessage((message) => {
      for (const listener of [...this.#listeners]) listener(message)
    })
    child.onExit((code) => {
      this.#process = undefined
      for (const listener of [...this.#exitListeners]) listener(code)
      if (this.#stopping) return
      this.#failures = Date.now() - startedAt > STABLE_MS ? 0 : this.#failures + 1
      const delayMs = backoff(this.#failures)
      this.#log.warn('node.ended', { code: code ?? -1, restartMs: delayMs })
      this.#timer = setTimeout(() => this.start(), delayMs)
    })
  }

  post(message: ToNode, ports?: unknown[]): void {
    this.#process?.post(message, ports)
  }

  onMessage(listener: (message: FromNode) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onExit(listener: (code: number | null) => void): () => void {
    this.#exitListeners.add(listener)
    return () => this.#exitListeners.delete(listener)
  }

  /** Resolves at the next `ready`; rejects with the ErrorObject of the next `failed`. */
  ready(): Promise<Extract<FromNode, { type: 'ready' }>> {
    return new Promise((resolve, reject) => {
      const off = this.onMessage((message) => {
        if (message.type === 'ready') {
          off()
          resolve(message)
        } else if (message.type === 'failed') {
          off()
          reject(message.error)
        }
      })
    })
  }

  /** Ends it: politely, then after `STOP_MS` by force. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    const child = this.#process
    if (child === undefined) return
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS + second)
      this.onExit(() => {
        clearTimeout(force)
        resolve()
      })
      child.post({ type: 'stop' })
    })
  }
}

/** Milliseconds to wait after the given number of failures in a row. */
export function backoff(failures: number): number {
  return Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, failures - 1))
}
