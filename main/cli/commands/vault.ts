import { resolve } from 'node:path'
import type { Command } from 'commander'
import { fields } from '../output.ts'
import { readSecret } from '../secrets.ts'
import { action } from '../session.ts'

/** Where the recovery phrase comes from, besides the terminal. */
interface PhraseOptions {
  phraseFile?: string
}

export function addVaultCommands(program: Command): void {
  const vault = program.command('vault').description('create, unlock, restore and back up the vault')

  vault
    .command('create')
    .description('create a vault; prints the 24 words that restore it, once')
    .action(
      action(async (session) => {
        const password = await session.password('New password', true)
        const client = await session.connect()
        const { phrase, account } = await client.call('vault.create', { password })
        session.out.note(
          'Write these 24 words down and keep them safe: they restore the vault, and are not shown again.',
        )
        session.out.result({ account, phrase }, () => {
          const words = phrase.map((word, i) => `${String(i + 1).padStart(2)}. ${word}`)
          return `${words.join('\n')}\n\naccount  ${account}`
        })
      }),
    )

  vault
    .command('unlock')
    .description('open the vault with its password')
    .action(
      action(async (session) => {
        const client = await session.connect()
        const { account } = await client.call('vault.unlock', { password: await session.password() })
        session.out.result({ account }, () => `unlocked ${account}`)
      }),
    )

  vault
    .command('lock')
    .description('close the vault and wipe its keys')
    .action(
      action(async (session) => {
        await (await session.connect()).call('vault.lock', {})
        session.out.result({ state: 'locked' }, () => 'locked')
      }),
    )

  vault
    .command('status')
    .description('whether the vault exists and is open')
    .action(
      action(async (session) => {
        const status = await (await session.connect()).call('vault.status', {})
        session.out.result(status, () => fields(status))
      }),
    )

  vault
    .command('restore')
    .description('restore a vault from its 24 words')
    .option('--phrase-file <file>', 'file with the 24 words (also: ENIGMA_PHRASE)')
    .action(
      action(async (session, options: PhraseOptions) => {
        const phrase = await readSecret('24 words', { file: options.phraseFile, env: 'ENIGMA_PHRASE' })
        const password = await session.password('New password', true)
        const result = await (await session.connect()).call('vault.restore', { phrase, password })
        session.out.result(
          result,
          () =>
            `restored ${result.account}: ${result.references} references${result.pending ? '; its data follows as soon as the network answers' : ''}`,
        )
      }),
    )

  vault
    .command('export')
    .description('write an encrypted copy of the vault')
    .argument('[file]', 'where to; by default the export folder of the data directory')
    .action(
      action(async (session, file: string | undefined) => {
        const client = await session.connect()
        const password = await session.password('Password of the export')
        const result = await client.call('vault.export', {
          password,
          ...(file === undefined ? {} : { path: resolve(file) }),
        })
        session.out.result(
          result,
          () => `${result.records} records in ${result.path} (${result.bytes} bytes)`,
        )
      }),
    )

  vault
    .command('import')
    .description('add the records of an encrypted export')
    .argument('<file>')
    .action(
      action(async (session, file: string) => {
        const client = await session.connect()
        const password = await session.password('Password of the export')
        const result = await client.call('vault.import', { password, path: resolve(file) })
        session.out.result(result, () => fields(result))
      }),
    )
}
