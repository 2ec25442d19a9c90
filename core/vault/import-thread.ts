import { type Async, ServiceThread } from '../base/thread.ts'
import { KiB } from '../base/units.ts'
import { type Importer, importer } from './import.ts'

/** Bytes of a file that is parsed at once: sooner than a thread starts, and too short to hold up others. */
const IN_PLACE = 8 * KiB

/** Gives `work` what parses `content`: for a file of any length in a thread of its own, which ends with the work. */
export async function importing<T>(
  content: readonly Uint8Array[],
  work: (importer: Async<Importer>) => Promise<T>,
): Promise<T> {
  if (content.reduce((sum, piece) => sum + piece.length, 0) <= IN_PLACE)
    return work({
      preview: async (...args) => importer.preview(...args),
      value: (...args) => importer.value(...args),
    })
  const thread = new ServiceThread<Importer>({
    url: new URL('./import-worker.ts', import.meta.url),
    name: 'import',
    calls: 1,
  })
  try {
    return await work(thread.service)
  } finally {
    await thread.close()
  }
}
