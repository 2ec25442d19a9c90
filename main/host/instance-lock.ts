import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { EnigmaError } from '../../core/ipc/index.ts'

export interface InstanceLock {
  release(): void
}

/**
 * One node per data directory. The lock is the operating system's own lock on an SQLite file, which it gives up
 * when the process ends in whatever way (kill -9, power): no stale lock, no guessing from a recycled pid. The
 * pid beside it only serves the message. Throws INVALID_ARGUMENT, naming the other process.
 */
export function lockInstance(dataDir: string): InstanceLock {
  const pidFile = join(dataDir, 'node.pid')
  const db = new Database(join(dataDir, 'node.lock'), { timeout: 0 })
  try {
    // Without a journal file nothing is left to clean up after a kill.
    db.pragma('journal_mode = memory')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    const code = (error as { code?: string }).code ?? ''
    if (!code.startsWith('SQLITE_BUSY'))
      throw new EnigmaError('INTERNAL', `cannot lock ${dataDir}: ${code || 'unknown reason'}`)
    const pid = readPid(pidFile)
    throw new EnigmaError(
      'INVALID_ARGUMENT',
      `a node already runs on ${dataDir}${pid === undefined ? '' : ` (process ${pid})`}`,
      { remedy: 'Use that one, stop it first, or choose another directory with --data.' },
    )
  }
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })
  return {
    release() {
      if (!db.open) return
      rmSync(pidFile, { force: true })
      db.exec('ROLLBACK')
      db.close()
    },
  }
}

/** The pid of the node on this directory as it wrote it, for messages. */
export function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}
