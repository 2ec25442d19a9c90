import { setTimeout as wait } from 'node:timers/promises'
import { turn } from '../base/turns.ts'

/** Milliseconds that the next waits for one who takes long, which may be a peer that does not answer. */
const PATIENCE_MS = 50

/**
 * Work with many peers that want it at the same time, begun one after the other, each in a turn of its own: what a peer asks
 * for in one go is short, what all of them ask for is not.
 */
export class Spacing {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const begun = this.#last.then(turn)
    const result = begun.then(work)
    this.#last = begun.then(() => settledOr(result, PATIENCE_MS))
    return result
  }
}

async function settledOr(work: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController()
  const settled = work.then(
    () => undefined,
    () => undefined,
  )
  await Promise.race([settled, wait(ms, undefined, { signal: over.signal }).catch(() => undefined)])
  over.abort()
}
