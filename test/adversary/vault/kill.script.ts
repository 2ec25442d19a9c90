/**
 * kill -9 of a process that writes, at a random moment; then every acknowledged record must be there and whole.
 * `node test/adversary/vault/kill.script.ts [runs]` runs 1,000 by default.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Vault } from '../../../core/vault/vault.ts'

const KDF = { memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 }
const PASSWORD = 'correct horse battery staple'
const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url))

/** Problems found over `runs` kills of writers on one vault; `acknowledged` says how much was at stake. */
export async function killRuns(runs: number): Promise<{ problems: string[]; acknowledged: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'enigma-kill-'))
  const problems: string[] = []
  const acknowledged = new Set<string>()
  let total = 0
  try {
    const first = new Vault({ dir }, { kdf: KDF })
    await first.create(PASSWORD)
    await first.lock()
    for (let run = 0; run < runs; run++) {
      const child = spawn(process.execPath, [WRITER, dir, PASSWORD], { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = new Promise((resolve) => child.once('exit', resolve))
      let output = ''
      // At once, or after some acknowledgements: on a slow disk something must be at stake too.
      const lines = 1 + (run % 3)
      const ready = new Promise<void>((resolve, reject) => {
        child.stdout.on('data', (data: Buffer) => {
          output += data
          if (output.split('\n').length > lines) resolve()
        })
        child.once('exit', () => reject(new Error('the writer ended by itself')))
      })
      await ready
      await sleep(Math.random() * 120)
      child.kill('SIGKILL')
      await exited
      // Only whole lines were acknowledged.
      for (const id of output.split('\n').slice(1, -1)) {
        acknowledged.add(id)
        total += 1
      }

      const vault = new Vault({ dir }, { kdf: KDF })
      await vault.unlock(PASSWORD)
      const ids = new Set((await vault.list()).map((record) => record.id))
      for (const id of acknowledged) if (!ids.has(id)) problems.push(`run ${run}: record ${id} is lost`)
      for (const id of ids)
        await vault.get(id).catch((error) => problems.push(`run ${run}: ${id}: ${error.code}`))
      const verdict = await vault.verifyActivity()
      if (!verdict.ok) problems.push(`run ${run}: log: ${verdict.problem}`)
      const temporary = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.tmp'))
      if (temporary.length > 0) problems.push(`run ${run}: ${temporary.length} temporary files`)
      // Keep the vault small, so that many runs stay quick.
      if (ids.size > 60)
        for (const id of ids) {
          await vault.remove(id)
          await vault.purge(id)
          acknowledged.delete(id)
        }
      await vault.lock()
    }
    return { problems, acknowledged: total }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const runs = Number(process.argv[2] ?? 1_000)
  const result = await killRuns(runs)
  process.stdout.write(`${JSON.stringify({ runs, ...result })}\n`)
  process.exitCode = result.problems.length === 0 ? 0 : 1
}
