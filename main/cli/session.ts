import { resolve } from 'node:path'
import { Command } from 'commander'
import type { EnigmaError } from '../../core/ipc/index.ts'
import { NodeClient, type Question } from '../host/client.ts'
import { confirmText } from '../host/confirm-text.ts'
import { defaultDataDir } from '../host/data-dir.ts'
import { Output } from './output.ts'
import { prompt, readSecret } from './secrets.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  json?: boolean
  data?: string
  yes?: boolean
  passwordFile?: string
  passwordStdin?: boolean
}

/** What a command works with. */
export interface Session {
  readonly out: Output
  readonly dataDir: string
  readonly options: GlobalOptions
  /** The running node of the data directory; NOT_RUNNING otherwise. */
  connect(): Promise<NodeClient>
  password(what?: string, repeat?: boolean): Promise<string>
}

export function createSession(options: GlobalOptions): Session & { close(): void } {
  const out = new Output(options.json === true)
  const dataDir = options.data === undefined ? defaultDataDir() : resolve(options.data)
  let client: NodeClient | undefined
  return {
    out,
    dataDir,
    options,
    async connect() {
      client ??= await NodeClient.connect(dataDir, { confirm: (q) => ask(q, out, options.yes === true) })
      return client
    },
    password: (what = 'Password', repeat = false) =>
      readSecret(
        what,
        { file: options.passwordFile, stdin: options.passwordStdin, env: 'ENIGMA_PASSWORD' },
        { repeat },
      ),
    close: () => client?.close(),
  }
}

async function ask(question: Question, out: Output, yes: boolean): Promise<boolean> {
  const text = confirmText(question, 'en')
  if (yes) return true
  out.note(`\n${text.title}\n${text.lead}`)
  for (const [label, value] of text.facts) out.note(`  ${label}: ${value}`)
  if (!process.stdin.isTTY) {
    out.note('Not confirmed: there is no terminal to ask on. Add --yes to confirm.')
    return false
  }
  return /^y(es)?$/i.test((await prompt(`${text.accept}? [y/N] `)).trim())
}

export type Action<A extends unknown[]> = (session: Session, ...args: A) => Promise<void>

/** Makes a commander action of a command: gives it its session, prints its error, sets the exit status. */
export function action<A extends unknown[]>(
  run: Action<A>,
): (this: Command, ...args: unknown[]) => Promise<void> {
  return async function (this: Command, ...args: unknown[]) {
    const command = args.at(-1) instanceof Command ? (args.pop() as Command) : this
    const session = createSession(command.optsWithGlobals<GlobalOptions>())
    try {
      await run(session, ...(args as A))
    } catch (error) {
      session.out.error(error)
      process.exitCode = (error as EnigmaError).code === 'CANCELLED' ? 130 : 1
    } finally {
      session.close()
    }
  }
}
