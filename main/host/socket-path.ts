import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { MAX_SOCKET_PATH } from './constants.ts'
import { privateDirectory } from './data-dir.ts'

const SOCKET = 'node.sock'
/** Says where the socket is when it cannot be in the data directory itself. */
const POINTER = 'node.sock.path'

/**
 * Chooses the socket's path for a host. In the data directory, unless that path is too long for a socket address
 * (then in a private directory under the system's temporary one) or the system has named pipes (then an
 * unguessable pipe name); both are written to a pointer file that only the owner can read.
 */
export function chooseSocketPath(dataDir: string, platform: NodeJS.Platform = process.platform): string {
  const pointer = join(dataDir, POINTER)
  rmSync(pointer, { force: true })
  let path = join(dataDir, SOCKET)
  if (platform === 'win32') {
    path = `\\\\.\\pipe\\enigma-${randomBytes(16).toString('hex')}`
  } else if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    const name = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 24)
    const folder = `enigma-${userInfo().uid}`
    path = join(tmpdir(), folder, `${name}.sock`)
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) path = join('/tmp', folder, `${name}.sock`)
    privateDirectory(dirname(path))
  } else {
    return path
  }
  writeFileSync(pointer, path, { mode: 0o600 })
  return path
}

/** Where a client finds the socket of the node on `dataDir`. The node need not run. */
export function findSocketPath(dataDir: string): string {
  const pointer = join(dataDir, POINTER)
  return existsSync(pointer) ? readFileSync(pointer, 'utf8').trim() : join(dataDir, SOCKET)
}

/** Removes what a host left behind. Only the holder of the instance lock may call it. */
export function removeSocket(dataDir: string, path: string): void {
  if (process.platform !== 'win32') rmSync(path, { force: true })
  rmSync(join(dataDir, POINTER), { force: true })
}
