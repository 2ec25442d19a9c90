import { setImmediate } from 'node:timers'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds of work in one turn of the event loop. */
const TURN_MS = 8

/** When work in this turn of the event loop began, as far as anybody asked. */
let began: number | undefined

/** Who asked last whether to turn: whoever asks next is answered when that one has done its piece. */
let last = Promise.resolve()

/**
 * Called at the beginning of long work, and between its pieces, in a thread that has other things to do: lets the event loop
 * turn when all that calls this has held it for a while. The pieces themselves should take no longer.
 */
export function turn(): Promise<void> {
  last = last.then(waitWhenLate)
  return last
}

async function waitWhenLate(): Promise<void> {
  if (!isLate()) return
  // The first may come in this round of the loop, after the input that was being read.
  await nextTurn()
  await nextTurn()
  isLate()
}

/** Whether this turn has lasted as long as one should; for work that comes in callbacks. */
export function isLate(): boolean {
  return performance.now() - sinceWhen() >= TURN_MS
}

function sinceWhen(): number {
  if (began === undefined) {
    began = performance.now()
    // Comes when this turn is over, whoever ends it.
    setImmediate(() => {
      began = undefined
    })
  }
  return began
}
