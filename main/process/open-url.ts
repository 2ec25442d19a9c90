import { spawn } from 'node:child_process'

/** How addresses reach the person: the system browser, JSON lines on standard output, or not at all. */
export type OpenMode = 'browser' | 'print' | 'none'

export function openMode(env: NodeJS.ProcessEnv = process.env): OpenMode {
  if (env.ENIGMA_OPEN === 'print' || env.ENIGMA_OPEN === 'none') return env.ENIGMA_OPEN
  return env.CI ? 'none' : 'browser'
}

/** Opens a loopback address in the system browser. Anything else is refused: nothing here comes from a page. */
export function openInBrowser(url: string): void {
  if (!/^http:\/\/127\.0\.0\.1:\d+\//.test(url)) return
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url]
  const child = spawn(command as string, args, { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
