import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureBrowser } from './browser.ts'
import { requireRuntime } from './runtime.ts'

/** What a stage counted; taken from the runner's own report. */
interface Count {
  passed: number
  failed: number
  skipped?: number
  /** Why a stage did not run at all: it then counts as neither. */
  notRun?: string
}
type Stage = () => Promise<Count>

const root = join(import.meta.dirname, '..')
const require = createRequire(import.meta.url)
const reports = join(root, '.cache', 'reports')
/** Fewer modules than this, and dependency-cruiser has not read the sources. */
const MODULES_AT_LEAST = 150

function module(...path: string[]): string {
  return join(root, 'node_modules', ...path)
}

/** Runs a Node program with its output passed through, or collected. */
function node(
  args: string[],
  collect = false,
  env: NodeJS.ProcessEnv = {},
): Promise<{ status: number; stdout: string }> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', collect ? 'pipe' : 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  let stdout = ''
  child.stdout?.on('data', (part) => {
    stdout += String(part)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status: status ?? 1, stdout }))
  })
}

/** A check that passes or fails as a whole. */
async function check(...args: string[]): Promise<Count> {
  const { status } = await node(args)
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

function sum(...counts: Count[]): Count {
  return {
    passed: counts.reduce((n, c) => n + c.passed, 0),
    failed: counts.reduce((n, c) => n + c.failed, 0),
  }
}

function report(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

const typecheck: Stage = async () => {
  const tsc = module('@typescript', 'native', 'bin', 'tsc')
  return sum(
    await check(tsc, '-p', 'tsconfig.json', '--noEmit'),
    await check(tsc, '-p', join('renderer', 'tsconfig.json'), '--noEmit'),
    await check(tsc, '-p', join('test', 'e2e', 'tsconfig.json'), '--noEmit'),
  )
}

const biome: Stage = () => check(module('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings')

const oxlint: Stage = () =>
  check(module('oxlint', 'bin', 'oxlint'), '--type-aware', 'core', 'main', 'renderer', 'scripts', 'test')

/** The order of imports, that modules were read at all, and that every folder of core has its place. */
const imports: Stage = async () => {
  const cruise = [
    module('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
    '--config',
    '.dependency-cruiser.cjs',
  ]
  const { stdout } = await node(
    [...cruise, '--output-type', 'json', 'core', 'main', 'renderer', 'scripts'],
    true,
  )
  const { summary } = JSON.parse(stdout || '{}') as {
    summary?: { totalCruised: number; violations: { from: string; to: string; rule: { name: string } }[] }
  }
  for (const { from, to, rule } of summary?.violations ?? []) console.error(`${rule.name}: ${from} → ${to}`)
  const cruised = summary?.totalCruised ?? 0
  const enough = cruised > MODULES_AT_LEAST
  if (!enough) console.error(`only ${cruised} modules were cruised`)
  const { places } = require(join(root, '.dependency-cruiser.cjs')) as { places: string[] }
  const strangers = readdirSync(join(root, 'core')).filter((name) => !places.includes(name))
  if (strangers.length > 0)
    console.error(`core folders without a place in the order: ${strangers.join(', ')}`)
  console.log(`${cruised} modules cruised`)
  const results = [summary?.violations.length === 0, enough, strangers.length === 0]
  return { passed: results.filter(Boolean).length, failed: results.filter((ok) => !ok).length }
}

const knip: Stage = () => check(module('knip', 'bin', 'knip.js'))

const solidity: Stage = async () =>
  existsSync(join(root, '.solhint.json'))
    ? check(module('solhint', 'solhint.js'), '--disc', 'core/ledger/solidity/*.sol')
    : { passed: 0, failed: 0, notRun: 'no .solhint.json' }

const unit: Stage = async () => {
  const file = join(reports, 'vitest.json')
  rmSync(file, { force: true })
  const { status } = await node([
    ...[module('vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json'],
    `--outputFile.json=${file}`,
  ])
  const result = report(file) as
    | { numPassedTests: number; numFailedTests: number; numPendingTests: number; numFailedTestSuites: number }
    | undefined
  if (result === undefined) return { passed: 0, failed: 1 }
  const { numPassedTests: passed, numPendingTests: skipped } = result
  // A file that does not load has no tests to fail; the exit status still says so.
  return { passed, skipped, failed: Math.max(result.numFailedTests, status === 0 ? 0 : 1) }
}

async function playwright(config: string[], name: string): Promise<Count> {
  const file = join(reports, `${name}.json`)
  rmSync(file, { force: true })
  const cli = module('@playwright', 'test', 'cli.js')
  const { status } = await node([cli, 'test', ...config, '--reporter=list,json'], false, {
    PLAYWRIGHT_JSON_OUTPUT_FILE: file,
  })
  const stats = (
    report(file) as { stats?: Record<'expected' | 'unexpected' | 'flaky' | 'skipped', number> } | undefined
  )?.stats
  if (stats === undefined) return { passed: 0, failed: 1 }
  return {
    passed: stats.expected,
    skipped: stats.skipped,
    failed: Math.max(stats.unexpected + stats.flaky, status === 0 ? 0 : 1),
  }
}

const e2e: Stage = async () => {
  if (!existsSync(join(root, 'test', 'e2e'))) return { passed: 0, failed: 0, notRun: 'there is no test/e2e' }
  const problem = ensureBrowser()
  if (problem !== undefined) {
    console.error(problem)
    return { passed: 0, failed: 1 }
  }
  const { buildRenderer, rendererIsStale } = await import('./build.ts')
  if (rendererIsStale()) await buildRenderer()
  return playwright([], 'e2e')
}

const electron: Stage = async () => {
  const { findElectron } = await import('../main/process/electron-binary.ts')
  const found = findElectron(false)
  if ('reason' in found) return { passed: 0, failed: 0, notRun: found.reason }
  const { appIsStale, buildApp, buildRenderer, rendererIsStale } = await import('./build.ts')
  if (rendererIsStale()) await buildRenderer()
  if (appIsStale()) await buildApp()
  return playwright(['--config', join('test', 'electron', 'playwright.config.ts')], 'electron')
}

/** The packaged form compiles, too: what Electron and an installed command line run. */
const build: Stage = async () => {
  const { buildApp } = await import('./build.ts')
  await buildApp()
  return check(join('dist', 'main', 'cli.js'), '--version')
}

const STATIC: Record<string, Stage> = { typecheck, biome, oxlint, imports, knip, solidity }
const STAGES: Record<string, Stage> = { ...STATIC, build, unit, e2e, electron }

requireRuntime()
mkdirSync(reports, { recursive: true })
const asked = process.argv.slice(2)
const names =
  asked.length === 0
    ? Object.keys(STAGES)
    : asked.flatMap((n) => (n === 'static' ? Object.keys(STATIC) : [n]))
const unknown = names.filter((name) => STAGES[name] === undefined)
if (unknown.length > 0) {
  console.error(`no stage ${unknown.join(', ')}; there are: static, ${Object.keys(STAGES).join(', ')}`)
  process.exit(2)
}

const lines: string[] = []
const total: Count = { passed: 0, failed: 0 }
for (const name of names) {
  console.log(`\n── ${name}`)
  const startedAt = performance.now()
  const count = await (STAGES[name] as Stage)().catch((error: unknown): Count => {
    console.error(error)
    return { passed: 0, failed: 1 }
  })
  total.passed += count.passed
  total.failed += count.failed
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const outcome =
    count.notRun === undefined
      ? `${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ''}`
      : `not run: ${count.notRun}`
  lines.push(`${name.padEnd(10)} ${outcome} (${seconds} s)`)
}
console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1)
