import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']
const FIXED = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** The Chromium or Chrome that is installed on this machine; undefined where only Playwright's own can serve. */
export function findBrowser(
  exists: (path: string) => boolean,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (env.ENIGMA_CHROMIUM) return env.ENIGMA_CHROMIUM
  const folders = (env.PATH ?? '').split(process.platform === 'win32' ? ';' : ':').filter(Boolean)
  const candidates = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...FIXED]
  return candidates.find((path) => exists(path))
}

/**
 * Makes sure that there is a browser for the end-to-end tests, and as root on Debian a font for Chinese
 * screenshots: the installed one, else Playwright's download, else Debian's package. Returns a problem in words.
 */
export function ensureBrowser(): string | undefined {
  if (isRootOnDebian() && spawnSync('fc-list', [':lang=zh']).stdout?.length === 0)
    aptInstall('fonts-noto-cjk')
  if (findBrowser(existsSync) !== undefined) return undefined
  const playwright = join(import.meta.dirname, '..', 'node_modules', '@playwright', 'test', 'cli.js')
  console.error('No Chromium or Chrome on this machine: fetching the one of Playwright …')
  const fetched = spawnSync(process.execPath, [playwright, 'install', 'chromium'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 600_000,
  })
  if (fetched.status === 0) return undefined
  if (isRootOnDebian() && aptInstall('chromium') && findBrowser(existsSync) !== undefined) return undefined
  return 'there is no Chromium or Chrome, and none could be installed: install one, or set ENIGMA_CHROMIUM to its path'
}

function isRootOnDebian(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version')
}

function aptInstall(name: string): boolean {
  console.error(`Installing ${name} …`)
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qy', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 600_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  apt('update')
  const run = apt('install', '--no-install-recommends', name)
  if (run.status !== 0) console.error(`apt-get could not install ${name}`)
  return run.status === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = ensureBrowser()
  if (problem !== undefined) {
    console.error(problem)
    process.exit(1)
  }
  console.log(findBrowser(existsSync) ?? "Playwright's own")
}
