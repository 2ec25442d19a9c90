import { setImmediate } from 'node:timers/promises'
import { TURN_MS } from './constants.ts'

/** Lets other events in when arithmetic has held the event loop for TURN_MS. */
export class Turns {
  #since = performance.now()

  async yield(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return
    await setImmediate()
    this.#since = performance.now()
  }

  /** Call after anything that waited by itself. */
  fresh(): void {
    this.#since = performance.now()
  }
}
