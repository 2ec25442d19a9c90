import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(import.meta.url)
const fromSource = here.endsWith('.ts')

/** The folder of package.json. */
export const ROOT = fromSource ? up(here, 3) : up(here, 4)

/** The file that a process of its own runs: the source in a checkout, the compiled one elsewhere. */
export function entryPath(name: 'headless' | 'cli'): string {
  return join(up(here, 2), `${name}${fromSource ? '.ts' : '.js'}`)
}

export function rendererRoot(): string {
  return join(ROOT, 'dist', 'renderer')
}

export function hasRenderer(): boolean {
  return existsSync(join(rendererRoot(), 'index.html'))
}

function up(path: string, levels: number): string {
  return levels === 0 ? path : up(dirname(path), levels - 1)
}
