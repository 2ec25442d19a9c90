import type { Figure } from './children.ts'

/** Milliseconds between two looks at the clock; each look is a turn of the event loop. */
const LOOK_MS = 2

/**
 * Runs `work` and measures how long it holds the event loop: the most milliseconds of processor time that this thread
 * spends between two turns. Time that other processes take does not count.
 */
export async function longestTurn<T>(work: () => Promise<T>): Promise<{ value: T; turnMs: number }> {
  let longest = 0
  let last = process.threadCpuUsage()
  const look = () => {
    const { user, system } = process.threadCpuUsage(last)
    longest = Math.max(longest, (user + system) / 1000)
    last = process.threadCpuUsage()
  }
  const timer = setInterval(look, LOOK_MS)
  try {
    return { value: await work(), turnMs: longest }
  } finally {
    look()
    clearInterval(timer)
  }
}

/** The figure for what several processes measured. */
export function loopFigure(what: string, results: readonly { readonly turnMs: number }[]): Figure {
  const value = Math.round(10 * Math.max(...results.map((r) => r.turnMs))) / 10
  return { name: `loop.${what}.ms`, value, unit: 'ms' }
}
