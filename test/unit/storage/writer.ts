import { writeSync } from 'node:fs'
import { openNodeStorage } from '../../../core/storage/node-storage.ts'

/** Writes rows for ever and acknowledges each on standard output after it is durable. Made to be killed. */
const storage = openNodeStorage(process.argv[2]!)
let next = storage.kv.list('crash', '', 100_000).length + 1
for (;;) {
  const key = String(next).padStart(8, '0')
  storage.database.transaction(() => {
    storage.kv.set('crash', key, new Uint8Array(3000))
    storage.kv.set('crash-twin', key, new Uint8Array(3000))
  })
  writeSync(1, `${next}\n`)
  next++
}
