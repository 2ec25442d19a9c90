import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../core/base/clock.ts'
import { EnigmaError } from '../../../core/base/errors.ts'
import { silentLog } from '../../../core/base/log.ts'
import { NetworkBackup } from '../../../core/node/backup.ts'
import type { NodeContext } from '../../../core/node/context.ts'

const KEY = new Uint8Array(32).fill(7)

describe('the backup in the network', () => {
  let dir: string
  let writes: number
  let merged: number
  /** Exports under way, and the most of them at once. */
  let exporting: number
  let most: number
  let reachable: boolean
  let settings: Map<string, unknown>
  let backup: NetworkBackup

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'enigma-backup-'))
    writes = 0
    merged = 0
    exporting = 0
    most = 0
    reachable = true
    settings = new Map()
    const address = `0x${'11'.repeat(20)}`
    const context = {
      options: { dataDir: dir },
      clock: systemClock,
      log: silentLog,
      settings,
      events: { emit: () => undefined },
      index: { caughtUp: async () => undefined },
      vault: {
        status: async () => ({ unlocked: true }),
        exportTo: async (path: string) => {
          exporting += 1
          most = Math.max(most, exporting)
          await writeFile(path, 'sealed')
          exporting -= 1
        },
        importFrom: async () => ({ added: ++merged }),
        wallet: () => ({ signer: () => ({ address, signDigest: () => new Uint8Array(65) }) }),
      },
      ledger: {
        get: async () => KEY,
        set: async () => {
          writes += 1
        },
      },
      dht: {
        client: {
          locate: async () => [],
          load: async () => {
            if (!reachable) throw new EnigmaError('PEER_UNREACHABLE', 'nobody answers')
            return { records: [{ record: { ciphertext: new Uint8Array(4) } }] }
          },
          prepareEncrypted: async () => ({}),
          commit: async () => undefined,
          delete: async () => undefined,
        },
      },
    }
    backup = new NetworkBackup(context as unknown as NodeContext)
  })

  afterEach(async () => {
    backup.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('is written when nothing waits to be restored', async () => {
    await backup.flush()
    expect({ writes, merged }).toEqual({ writes: 1, merged: 0 })
  })

  it('is written once at a time, whoever asks while it is', async () => {
    await Promise.all([backup.flush(), backup.flush(), backup.flush()])
    expect({ writes, most }).toEqual({ writes: 3, most: 1 })
  })

  it('is not overwritten before a restore has merged it, however often the vault changes', async () => {
    NetworkBackup.expectRestore({ settings } as unknown as NodeContext)
    reachable = false
    await backup.flush()
    await backup.flush()
    expect({ writes, merged, pending: backup.restorePending }).toEqual({
      writes: 0,
      merged: 0,
      pending: true,
    })
    reachable = true
    await backup.flush()
    expect({ writes, merged, pending: backup.restorePending }).toEqual({
      writes: 0,
      merged: 1,
      pending: false,
    })
    await backup.flush()
    expect({ writes, merged }).toEqual({ writes: 1, merged: 1 })
  })
})
