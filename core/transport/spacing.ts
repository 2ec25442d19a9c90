import { setTimeout as wait } from 'node:timers/promises'
import { turn } from '../base/turns.ts'

/**
 * How long the next waits for one who takes long, which may be a peer that does not answer: looks, each in a later round of the
 * event loop. On a busy machine, where rounds are long, so are the answers of peers.
 */
const LOOKS = 20
const APART_MS = 2.5
/** Also then no longer than this. */
const MOST_MS = 1000

/**
 * Work with many peers that want it at the same time, begun one after the other, each in a turn of its own: what a peer asks
 * for in one go is short, what all of them ask for is not.
 */
export class Spacing {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const begun = this.#last.then(turn)
    const result = begun.then(work)
    this.#last = begun.then(() => settledOrLate(result))
    return result
  }
}

async function settledOrLate(work: Promise<unknown>): Promise<void> {
  let settled = false
  const done = () => {
    settled = true
  }
  work.then(done, done)
  const until = performance.now() + MOST_MS
  for (let look = 0; look < LOOKS && !settled && performance.now() < until; look++) await wait(APART_MS)
}
