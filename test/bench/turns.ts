import type { Figure } from './children.ts'

/** Milliseconds between two looks at the clock; each look is a turn of the event loop. */
const LOOK_MS = 2

/**
 * How long the event loop of this thread is held: the most milliseconds of processor time that it spends between two turns.
 * Time that other threads and processes take does not count.
 */
export class TurnWatch {
  #longest = 0
  #last = process.threadCpuUsage()
  #timer: NodeJS.Timeout | undefined
  readonly #report: ((ms: number) => void) | undefined

  /** `report` is told of every turn. */
  constructor(report?: (ms: number) => void) {
    this.#report = report
  }

  start(): void {
    this.#longest = 0
    this.#last = process.threadCpuUsage()
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** The longest turn since the start. */
  stop(): number {
    this.#look()
    clearInterval(this.#timer)
    this.#timer = undefined
    return this.#longest
  }

  #look(): void {
    const { user, system } = process.threadCpuUsage(this.#last)
    const ms = (user + system) / 1000
    this.#longest = Math.max(this.#longest, ms)
    this.#report?.(ms)
    this.#last = process.threadCpuUsage()
  }
}

/** The figure for what several processes measured. */
export function loopFigure(what: string, results: readonly { readonly turnMs: number }[]): Figure {
  const value = Math.round(10 * Math.max(...results.map((r) => r.turnMs))) / 10
  return { name: `loop.${what}.ms`, value, unit: 'ms' }
}
