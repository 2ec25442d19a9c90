import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../../core/base/clock.ts'
import type { VaultModules } from '../../../core/vault/types.ts'
import { Vault } from '../../../core/vault/vault.ts'

/** The floor that files are held to: the cheapest parameters a vault can be opened with. */
export const FAST_KDF = { memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 }
export const PASSWORD = 'correct horse battery staple'
export const OTHER_PASSWORD = 'quiet lantern orbit mustard'

export async function temporaryDir(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'enigma-vault-'))
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

export function vaultIn(dir: string, modules: VaultModules = {}): Vault {
  return new Vault({ dir }, { kdf: FAST_KDF, ...modules })
}

/** A clock that stands still until it is moved. */
export function manualClock(start = Date.UTC(2026, 0, 1)): Clock & { advance(ms: number): void } {
  let now = start
  return {
    now: () => now,
    advance: (ms) => {
      now += ms
    },
    sleep: async (_ms, signal) => {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 300)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      })
    },
  }
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}
