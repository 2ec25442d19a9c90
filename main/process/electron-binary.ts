import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { second } from '../../core/base/units.ts'
import { ROOT } from './entry.ts'

export type ElectronBinary = { path: string } | { reason: string }

/**
 * The Electron executable, fetched on first start where it is missing and `fetch` allows it; otherwise why there
 * is none to open a window with.
 */
export function findElectron(fetch: boolean, env: NodeJS.ProcessEnv = process.env): ElectronBinary {
  if (env.ENIGMA_HOST === 'browser') return { reason: 'ENIGMA_HOST=browser asks for the browser' }
  if (process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY)
    return { reason: 'there is no graphical session (neither DISPLAY nor WAYLAND_DISPLAY is set)' }
  const folder = join(ROOT, 'node_modules', 'electron')
  if (!existsSync(join(folder, 'package.json'))) return { reason: 'the package electron is not installed' }
  const present = installed(folder)
  if (present !== undefined) return { path: present }
  if (!fetch || env.CI) return { reason: "Electron's binary is not installed" }
  process.stderr.write("Fetching Electron's binary (first start) …\n")
  const run = spawnSync(process.execPath, [join(folder, 'install.js')], {
    timeout: 180 * second,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  const path = installed(folder)
  if (path !== undefined) return { path }
  const why = run.error?.message ?? /Error: .*/.exec(run.stderr)?.[0] ?? 'unknown reason'
  return { reason: `Electron's binary is not installed and cannot be downloaded (${why.slice(0, 200)})` }
}

function installed(folder: string): string | undefined {
  try {
    const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim())
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}
