import { setImmediate } from 'node:timers/promises'

/** Milliseconds of work in one turn of the event loop. */
const TURN_MS = 8

/**
 * For long work in a thread that has other things to do: the returned function, called between pieces of the work, lets the
 * event loop turn when it has been held for a while. The pieces themselves should take no longer.
 */
export function turns(): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < TURN_MS) return
    await setImmediate()
    since = performance.now()
  }
}
