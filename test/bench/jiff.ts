import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Children, type Figure, median, slowest } from './children.ts'
import type { Answer, Command } from './jiff-party.ts'
import { mpcParties } from './mpc.ts'
import { spdzParties } from './spdz.ts'

const PACKAGE = 'jiff-mpc@1.0.0'
/** What jiff-mpc depends on is taken as it was on this day. */
const AS_OF = '2026-11-01'
const INSTALL_TIMEOUT_MS = 180_000

const PARTIES = 3
const THRESHOLD = 1
const BATCH = 1000
/** Dependent batches: as many as take long enough to measure. */
const ROUNDS = { jiff: 2, ours: 40 }
const REPEATS = 3
const NAMES = ['jiff.mul.n3.ratio', 'jiff.spdz.n3.ratio']

/**
 * Our multiplications per second over those of jiff-mpc (Boston University's MPC in JavaScript): dependent batches of 10^3
 * over the scalar field of BN254, for which jiff has its extension for big numbers; products are checked. jiff multiplies
 * as BGW do, with threshold 1 and encrypted messages through its server, a process on the loopback interface as every
 * party is. `mul`: our honest-majority protocol, the like of it; `spdz`: our online phase against malicious parties, over a
 * dealer's material, MAC check included. The slowest party counts; both sides take turns, the median of the ratios of
 * three. jiff is no dependency: it is installed for the run, and without a registry nothing is measured.
 */
export async function* jiffBench(only = ''): AsyncGenerator<Figure> {
  const wanted = NAMES.filter((name) => name.startsWith(only) || only.startsWith(name))
  if (wanted.length === 0) return
  const dir = mkdtempSync(join(tmpdir(), 'enigma-bench-'))
  try {
    const problem = install(dir)
    if (problem === undefined) yield* compare(dir, wanted)
    else console.error(`not run: ${wanted.join(', ')}, ${problem}`)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Why it could not be installed. No script of a package runs. */
function install(dir: string): string | undefined {
  writeFileSync(join(dir, 'package.json'), '{ "private": true }')
  // The prefix is explicit: under `npm run`, the environment names this project's.
  const options = ['--prefix', '.', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  try {
    execFileSync('npm', ['install', ...options, '--fetch-retries=1', `--before=${AS_OF}`, PACKAGE], {
      cwd: dir,
      shell: process.platform === 'win32',
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: INSTALL_TIMEOUT_MS,
    })
    return undefined
  } catch (error) {
    const { message } = error as Error
    return `npm cannot install ${PACKAGE} (${/npm error .*/.exec(message)?.[0] ?? message.split('\n')[0]})`
  }
}

async function* compare(dir: string, names: readonly string[]): AsyncGenerator<Figure> {
  const running: { stop(): Promise<void> }[] = []
  const started = <T extends { stop(): Promise<void> }>(children: T): T => {
    running.push(children)
    return children
  }
  try {
    const server = started(new Children<Command, Answer>('jiff-party.ts', 1))
    const [serving] = await server.ask({ kind: 'serve', dir }, 'serving')
    const jiff = started(new Children<Command, Answer>('jiff-party.ts', PARTIES))
    const joining = { dir, port: serving!.port, parties: PARTIES, threshold: THRESHOLD + 1, batch: BATCH }
    await jiff.askEach((i) => ({ kind: 'join', id: i + 1, ...joining }), 'joined')
    const ours: (() => Promise<{ seconds: number[] }[]>)[] = []
    const work = { batch: BATCH, rounds: ROUNDS.ours, repeats: 1 }
    for (const name of names) {
      if (name === 'jiff.mul.n3.ratio') {
        const shamir = started(await mpcParties(PARTIES, THRESHOLD))
        ours.push(() => shamir.ask({ kind: 'measure', ...work }, 'measured'))
      } else {
        const spdz = started(await spdzParties(PARTIES))
        await spdz.ask({ kind: 'online' }, 'met')
        ours.push(() => spdz.ask({ kind: 'multiply', ...work }, 'measured'))
      }
    }
    // Ours warm up by themselves.
    await jiff.ask({ kind: 'multiply', rounds: 1 }, 'measured')
    const ratios: number[][] = names.map(() => [])
    for (let k = 0; k < REPEATS; k++) {
      const theirs = slowest(await jiff.ask({ kind: 'multiply', rounds: ROUNDS.jiff }, 'measured'))
      for (const [i, measure] of ours.entries())
        ratios[i]!.push(theirs / ROUNDS.jiff / (slowest(await measure()) / ROUNDS.ours))
    }
    for (const [i, name] of names.entries())
      yield { name, value: Number(median(ratios[i]!).toPrecision(3)), unit: 'x' }
  } finally {
    await Promise.all(running.map((children) => children.stop()))
  }
}
