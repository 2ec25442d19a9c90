import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import type { Pace } from './types.ts'

/** Runs `work` on [from, to) slices of 0…total, letting the event loop turn in between. Throws CANCELLED. */
export async function inSlices(
  total: number,
  size: number,
  pace: Pace,
  work: (from: number, to: number) => void,
): Promise<void> {
  const { signal, onProgress } = pace
  for (let from = 0; from < total; from += size) {
    if (signal?.aborted) throw new EnigmaError('CANCELLED', 'cancelled')
    await turn()
    if (signal?.aborted) throw new EnigmaError('CANCELLED', 'cancelled')
    const to = Math.min(total, from + size)
    work(from, to)
    onProgress?.(to, total)
  }
}
