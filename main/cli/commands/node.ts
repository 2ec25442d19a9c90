import type { Command } from 'commander'
import { EnigmaError, type Input } from '../../../core/ipc/index.ts'
import { fields } from '../output.ts'
import { action } from '../session.ts'
import { report } from './sharing.ts'

export function addNodeCommands(program: Command): void {
  const node = program.command('node').description('the node of this data directory')
  node
    .command('status')
    .description('peers, chain, storage and load')
    .action(
      action(async (session) => {
        const status = await (await session.connect()).call('node.status', {})
        session.out.result(status, () =>
          fields({
            node: status.nodeId,
            state: status.state,
            addresses: status.addresses.join(' '),
            peers: `${status.peers.filter((p) => p.connected).length} of ${status.peers.length}`,
            serving: status.serving,
            shares: status.sharesHeld,
            chain: `${status.chain.endpoint} at ${status.chain.height}${status.chain.healthy ? '' : ' (not healthy)'}`,
          }),
        )
      }),
    )
  for (const verb of ['pause', 'resume'] as const)
    node
      .command(verb)
      .description(verb === 'pause' ? 'take part in nothing until resumed' : 'take part again')
      .action(
        action(async (session) => {
          await (await session.connect()).call(`node.${verb}`, {})
          session.out.result({ done: verb }, () => `${verb}d`)
        }),
      )
  node
    .command('register')
    .description('put the node on the ledger with its deposit')
    .option('--serve', 'hold shares of others and compute')
    .option('--no-wait')
    .action(
      action(async (session, options: { serve?: boolean; wait: boolean }) => {
        const client = await session.connect()
        const { jobId } = await client.call('node.register', { serve: options.serve === true })
        await report(session, jobId, options.wait)
      }),
    )

  const wallet = program.command('wallet').description('accounts and balances')
  wallet
    .command('status')
    .description('accounts and balances')
    .action(
      action(async (session) => {
        const status = await (await session.connect()).call('wallet.status', {})
        session.out.result(status, () => fields(status))
      }),
    )
  wallet
    .command('faucet')
    .description('test money, on development networks')
    .action(
      action(async (session) => {
        const result = await (await session.connect()).call('wallet.faucet', {})
        session.out.result(result, () => fields(result))
      }),
    )

  const settings = program.command('settings').description('settings of the node')
  settings
    .command('get')
    .description('show them')
    .action(
      action(async (session) => {
        const current = await (await session.connect()).call('settings.get', {})
        session.out.result(current, () => fields(current))
      }),
    )
  settings
    .command('set')
    .description('change one')
    .argument('<name>')
    .argument('<value>')
    .action(
      action(async (session, name: string, text: string) => {
        const value = /^(true|false|\d+)$/.test(text) ? (JSON.parse(text) as unknown) : text
        const change = { [name]: value } as Input<'settings.set'>
        const client = await session.connect()
        if (!(name in (await client.call('settings.get', {}))))
          throw new EnigmaError('INVALID_ARGUMENT', `no setting ${name}`)
        const current = await client.call('settings.set', change)
        session.out.result(current, () => fields(current))
      }),
    )

  const activity = program.command('activity').description('the hash-chained log of the vault')
  activity
    .command('list')
    .description('list entries')
    .action(
      action(async (session) => {
        const result = await (await session.connect()).call('activity.list', {})
        session.out.result(result, () =>
          result.entries
            .map((e) => `${new Date(e.at).toISOString()}  ${e.kind}  ${JSON.stringify(e.facts)}`)
            .join('\n'),
        )
      }),
    )
  activity
    .command('verify')
    .description('check its chain of hashes')
    .action(
      action(async (session) => {
        const result = await (await session.connect()).call('activity.verify', {})
        session.out.result(result, () => fields(result))
        if (!result.valid) process.exitCode = 1
      }),
    )
}
