import type { Settings } from '../../../core/ipc/index.ts'
import { call } from './client.ts'
import { query } from './query.ts'

export const settings = query('settings.get', { on: ['settings'], whileLocked: true })

/** Shows the change at once and takes it back when the node refuses. */
export async function saveSettings(change: Partial<Settings>): Promise<Settings> {
  const before = settings.peek({})
  settings.patch({}, (s) => ({ ...s, ...change }))
  try {
    const saved = await call('settings.set', change)
    settings.patch({}, () => saved)
    return saved
  } catch (error) {
    if (before !== undefined) settings.patch({}, () => before)
    throw error
  }
}
