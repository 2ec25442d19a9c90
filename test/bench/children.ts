import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Figure {
  name: string
  value: number
  unit: string
}

/** A party of a bench: a process of its own that answers commands one by one. */
export class Child<C extends { kind: string }, A extends { kind: string }> {
  readonly #process: ChildProcess
  #waiting: { resolve: (a: A) => void; reject: (e: Error) => void } | undefined
  readonly #early: A[] = []
  #gone: Error | undefined

  constructor(file: string) {
    this.#process = fork(fileURLToPath(new URL(`./${file}`, import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
    this.#process.on('message', (message) => {
      const a = message as A
      if (!this.#waiting) {
        this.#early.push(a)
        return
      }
      this.#waiting.resolve(a)
      this.#waiting = undefined
    })
    this.#process.on('exit', (code) => {
      this.#gone = new Error(`a party of the bench ended with status ${code}`)
      this.#waiting?.reject(this.#gone)
    })
  }

  async next<K extends A['kind']>(kind: K): Promise<Extract<A, { kind: K }>> {
    const a =
      this.#early.shift() ??
      (await new Promise<A>((resolve, reject) => {
        if (this.#gone) reject(this.#gone)
        this.#waiting = { resolve, reject }
      }))
    if (a.kind === 'failed') throw new Error((a as unknown as { message: string }).message)
    if (a.kind !== kind) throw new Error(`expected ${kind}, got ${a.kind}`)
    return a as Extract<A, { kind: K }>
  }

  send(command: C | { kind: 'stop' }): void {
    this.#process.send(command)
  }

  async stop(): Promise<void> {
    if (this.#gone) return
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()))
    if (this.#process.connected) this.send({ kind: 'stop' })
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }
}

/** Parties of a bench that are asked together. */
export class Children<C extends { kind: string }, A extends { kind: string }> {
  readonly #children: Child<C, A>[]

  constructor(file: string, n: number) {
    this.#children = Array.from({ length: n }, () => new Child<C, A>(file))
  }

  /** The next answer of each, in order. */
  next<K extends A['kind']>(kind: K): Promise<Extract<A, { kind: K }>[]> {
    return Promise.all(this.#children.map((child) => child.next(kind)))
  }

  /** Sends each its command and returns the answers. */
  askEach<K extends A['kind']>(command: (index: number) => C, kind: K): Promise<Extract<A, { kind: K }>[]> {
    for (const [index, child] of this.#children.entries()) child.send(command(index))
    return this.next(kind)
  }

  /** Sends all the same command and returns their answers. */
  ask<K extends A['kind']>(command: C, kind: K): Promise<Extract<A, { kind: K }>[]> {
    return this.askEach(() => command, kind)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()))
  }
}

/** The median over the repeats of the slowest party's time. */
export function slowest(results: readonly { seconds: readonly number[] }[]): number {
  const repeats = results[0]?.seconds.length ?? 0
  return median(Array.from({ length: repeats }, (_, i) => Math.max(...results.map((r) => r.seconds[i]!))))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
