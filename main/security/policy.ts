import { sep } from 'node:path'
import { type FoundFile, findFile } from '../host/static-files.ts'

/** The origin of the interface inside the desktop app. */
export const APP_SCHEME = 'app'
export const APP_ORIGIN = 'app://enigma'
export const APP_URL = `${APP_ORIGIN}/index.html`

/** Pages of the project that the app may open in the system browser, and nothing else. */
const EXTERNAL_HOSTS = new Set(['enigma.co', 'www.enigma.co', 'eprint.iacr.org', 'arxiv.org'])

/** True for an address of the interface itself. */
export function isAppUrl(url: string): boolean {
  try {
    const { protocol, host, username, password, port } = new URL(url)
    return protocol === 'app:' && host === 'enigma' && !username && !password && !port
  } catch {
    return false
  }
}

/** What `shell.openExternal` may be given: https, a known host, no credentials, the usual port. */
export function isAllowedExternal(url: string): boolean {
  try {
    const { protocol, hostname, username, password, port } = new URL(url)
    return protocol === 'https:' && EXTERNAL_HOSTS.has(hostname) && !username && !password && !port
  } catch {
    return false
  }
}

/** A page's own frame may write text to the clipboard after a click; no page gets anything else. */
export function isAllowedPermission(permission: string, requestingUrl: string): boolean {
  return permission === 'clipboard-sanitized-write' && isAppUrl(requestingUrl)
}

/** Who sends a message to the main process: only the top frame of the interface is listened to. */
export function isTrustedFrame(frame: { url: string; parent: unknown } | null | undefined): boolean {
  return frame != null && frame.parent === null && isAppUrl(frame.url)
}

/** The built file that an address of the interface names; undefined for anything else. */
export function appFile(root: string, url: string): FoundFile | undefined {
  if (!isAppUrl(url)) return undefined
  const found = findFile(root, new URL(url).pathname)
  return found?.path.startsWith(root + sep) ? found : undefined
}
