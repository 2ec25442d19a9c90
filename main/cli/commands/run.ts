import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { createLog } from '../../../core/base/log.ts'
import { ROOT } from '../../process/entry.ts'
import { endCleanly } from '../../process/lifecycle.ts'
import type { Output } from '../output.ts'
import { parseCount } from '../predicate.ts'
import { action } from '../session.ts'
import { protocolOf } from './compute.ts'
import { readText } from './data.ts'

/** Serving peers of a devnet unless told otherwise. */
const NODES = 4

interface DemoFlags {
  owners?: number
  csv: string
  nodes: number
  protocol?: string
  audit?: boolean
}

/** Commands that run something long; what they need is loaded when they run, to keep the others quick. */
export function addRunCommands(program: Command): void {
  program
    .command('start')
    .description('start the app: the desktop window, or the system browser where that is not possible')
    .option('--headless', 'no window: the node only, reached by the other commands')
    .option('--network <file>', 'use this network instead of the one in the data directory or a local one')
    .option('--nodes <n>', 'peers of the local network', parseCount, NODES)
    .option('--serve', 'hold shares of others and compute')
    .action(
      action(
        async (
          session,
          options: { headless?: boolean; network?: string; nodes: number; serve?: boolean },
        ) => {
          const { start } = await import('../../start.ts')
          await start({
            dataDir: session.dataDir,
            headless: options.headless === true,
            nodes: options.nodes,
            serve: options.serve === true,
            event: (event) => showEvent(session.out, event),
            note: (text) => session.out.note(text),
            ...(options.network === undefined ? {} : { network: options.network }),
          })
        },
      ),
    )

  program
    .command('devnet')
    .description('run a local network: chain, contracts and peers; prints a line with endpoints when ready')
    .option('--nodes <n>', 'peers', parseCount, NODES)
    .action(
      action(async (session, options: { nodes: number }) => {
        const log = createLog('warn').child('devnet')
        const { Devnet } = await import('../../devnet.ts')
        const devnet = new Devnet({ dataDir: session.dataDir, nodes: options.nodes, log })
        endCleanly(() => devnet.stop(), process.env.ENIGMA_PARENT === 'stdin' ? 'stdin' : 'none')
        const info = await devnet.start()
        session.out.result({ event: 'ready', pid: process.pid, ...info }, () =>
          [
            `chain    ${info.rpc.join(' ')} (chain id ${info.chainId})`,
            `network  ${info.network}`,
            ...info.peers.map((peer) => `peer     ${peer.addresses.join(' ')}`),
          ].join('\n'),
        )
        await new Promise(() => {})
      }),
    )

  const demo = program.command('demo').description('see it work')
  demo
    .command('average')
    .description(
      'the mean salary of people none of whom shows theirs, on a local network that is removed again',
    )
    .option('--owners <n>', 'people, from the top of the file; by default all', parseCount)
    .option('--csv <file>', 'file with the header owner,salary', join(ROOT, 'assets', 'salaries.csv'))
    .option('--nodes <n>', 'peers of the local network', parseCount, NODES)
    .option('--protocol <name>', 'honest-majority (default) or spdz')
    .option('--audit', 'with spdz: checks the computation from its public transcript as well')
    .action(
      action(async (session, options: DemoFlags) => {
        const { demoAverage, readSalaries } = await import('../../demo.ts')
        const protocol = protocolOf(options)
        const salaries = readSalaries(readText(options.csv), options.owners)
        const abort = new AbortController()
        let signals = 0
        const interrupt = () => {
          if (++signals > 1) process.exit(130)
          abort.abort()
        }
        process.on('SIGINT', interrupt)
        process.on('SIGTERM', interrupt)
        const result = await demoAverage({
          salaries,
          nodes: options.nodes,
          protocol,
          signal: abort.signal,
          progress: (text) => session.out.progress(text),
        })
        session.out.result(result, () => JSON.stringify(result))
      }),
    )
}

function showEvent(out: Output, { event, ...facts }: Record<string, unknown> & { event: string }): void {
  if (out.json || event === 'confirm')
    out.result({ event, ...facts }, () => JSON.stringify({ event, ...facts }))
  else if (event === 'url') process.stdout.write(`\n  ${String(facts.url)}\n\n`)
  else if (event === 'ready') out.note(`Ready. Data in ${String(facts.data)}. Stop with Ctrl-C.`)
}

/** The version in package.json. */
export function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
}
