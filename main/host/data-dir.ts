import { chmodSync, existsSync, lstatSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { EnigmaError } from '../../core/ipc/index.ts'

/** The data directory of this person on this system, or ENIGMA_DATA; always absolute. */
export function defaultDataDir(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (env.ENIGMA_DATA) return resolve(env.ENIGMA_DATA)
  if (platform === 'win32') return join(env.APPDATA ?? join(home, 'AppData', 'Roaming'), 'Enigma Vault')
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Enigma Vault')
  const xdg = env.XDG_DATA_HOME
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, '.local', 'share'), 'enigma-vault')
}

/**
 * Makes `dir` a directory that only this user can enter. Throws INVALID_ARGUMENT for anything else at that
 * path, and for a directory of another user.
 */
export function privateDirectory(dir: string): string {
  const path = resolve(dir)
  try {
    if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 })
    const found = lstatSync(path)
    const target = found.isSymbolicLink() ? undefined : found
    if (!target?.isDirectory()) throw new EnigmaError('INVALID_ARGUMENT', `${path} is not a directory`)
    const uid = process.getuid?.()
    if (uid !== undefined && target.uid !== uid)
      throw new EnigmaError('INVALID_ARGUMENT', `${path} belongs to another user`)
    if (process.platform !== 'win32' && (target.mode & 0o077) !== 0) chmodSync(path, 0o700)
  } catch (error) {
    if (error instanceof EnigmaError) throw error
    throw new EnigmaError(
      'INVALID_ARGUMENT',
      `cannot use ${path}: ${(error as NodeJS.ErrnoException).code}`,
      {
        remedy: 'Choose another directory with --data.',
      },
    )
  }
  return path
}
