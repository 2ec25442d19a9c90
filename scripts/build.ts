import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as esbuild, type Plugin } from 'esbuild'
import { build as vite } from 'vite'
import { requireRuntime } from './runtime.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

const RENDERER_SOURCES = ['renderer/**/*', 'core/ipc/*', 'core/base/*', 'assets/icons/*', 'package-lock.json']
const APP_SOURCES = ['core/**/*.ts', 'main/**/*.ts', 'package.json']

/** True when `built` is missing or older than a source. */
export function isStale(built: string, patterns: string[]): boolean {
  if (!existsSync(built)) return true
  const at = statSync(built).mtimeMs
  return globSync(patterns, { cwd: root }).some((file) => statSync(join(root, file)).mtimeMs > at)
}

/** The interface: dist/renderer. */
export async function buildRenderer(): Promise<void> {
  await vite({ configFile: join(root, 'renderer', 'vite.config.ts'), logLevel: 'warn' })
}

export function rendererIsStale(): boolean {
  return isStale(join(dist, 'renderer', 'index.html'), RENDERER_SOURCES)
}

export function appIsStale(): boolean {
  return isStale(join(dist, 'main', 'index.js'), APP_SOURCES)
}

/** Imports and URLs name the file that runs. */
const compiledNames: Plugin = {
  name: 'compiled-names',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replace(/(['"])(\.{1,2}\/[^'"\n]*)\.ts\1/g, '$1$2.js$1'),
    }))
  },
}

/**
 * Node and Electron cannot strip types from an installed package: compiles core and main file by file to
 * dist/core and dist/main (so that relative places stay what they are), and bundles the sandboxed preload.
 */
export async function buildApp(): Promise<void> {
  for (const folder of ['core', 'main']) rmSync(join(dist, folder), { recursive: true, force: true })
  const entryPoints = globSync('{core,main}/**/*.ts', {
    cwd: root,
    exclude: (name) => name === 'assembly' || name === 'preload',
  }).filter((file) => !file.endsWith('.d.ts') && !/core\/kernel\/assembly|main\/preload/.test(file))
  const shared = { absWorkingDir: root, target: 'node24', logLevel: 'warning' } as const
  await esbuild({
    ...shared,
    entryPoints,
    outdir: 'dist',
    outbase: '.',
    format: 'esm',
    platform: 'node',
    plugins: [compiledNames],
  })
  await esbuild({
    ...shared,
    entryPoints: ['main/preload/index.ts'],
    outfile: 'dist/main/preload/index.cjs',
    bundle: true,
    format: 'cjs',
    platform: 'node',
    external: ['electron'],
  })
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  mkdirSync(dist, { recursive: true })
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`)
  cpSync(join(root, 'assets'), join(dist, 'assets'), { recursive: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  requireRuntime()
  await buildRenderer()
  await buildApp()
}
