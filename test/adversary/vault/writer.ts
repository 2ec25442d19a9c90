/** Adds records one after another and prints each id once it is acknowledged, until it is killed. */
import { Vault } from '../../../core/vault/vault.ts'

const [dir, password] = process.argv.slice(2) as [string, string]
const vault = new Vault({ dir }, { kdf: { memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 } })
await vault.unlock(password)
process.stdout.write('ready\n')
for (let i = 0; ; i++) {
  const large = i % 3 === 0
  const { id } = await vault.add({
    title: `n${i}`,
    value: { type: 'text', text: `${i} `.repeat(large ? 5000 : 5) },
  })
  if (i % 4 === 3) await vault.update(id, { tags: ['t'] })
  await vault.logActivity('writer.wrote', { record: id })
  process.stdout.write(`${id}\n`)
}
