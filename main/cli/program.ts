import { Command, CommanderError } from 'commander'
import { addAuditCommand } from './commands/audit.ts'
import { addComputeCommands } from './commands/compute.ts'
import { addDataCommands } from './commands/data.ts'
import { addNodeCommands } from './commands/node.ts'
import { addRunCommands, version } from './commands/run.ts'
import { addIdentityCommands, addPredicateCommands, addSharingCommands } from './commands/sharing.ts'
import { addVaultCommands } from './commands/vault.ts'

const EPILOGUE = `
Commands other than start, devnet, demo and audit talk to the node that runs on the data directory.
With --json there is one JSON document (or JSON lines) on standard output and errors are JSON on standard error;
the exit status is 0 only on success, 2 for a mistake in the command, 130 when cancelled.

Passwords never go on the command line: they are asked for on the terminal, or come from --password-file,
--password-stdin or ENIGMA_PASSWORD. ENIGMA_DATA is the data directory unless --data is given; ENIGMA_OPEN=print
prints addresses as JSON lines instead of opening the browser, ENIGMA_OPEN=none does neither.

Example, on a local network:
  enigma start --headless --data ~/alice &
  enigma vault create --data ~/alice
  enigma data add Salary --number - --data ~/alice
  enigma share RECORD --min-cohort 5 --approval --function mean --expires 30d --data ~/alice
  enigma compute approvals --data ~/alice
`

/** All commands. Parsing throws CommanderError instead of ending the process. */
export function createProgram(): Command {
  const program = new Command('enigma')
    .description('Keep personal data in a vault, secret-share it, and let others compute on it unseen.')
    .version(version())
    .option('--json', 'JSON on standard output, messages on standard error')
    .option('--data <dir>', 'data directory')
    .option('-y, --yes', 'confirm without asking')
    .option('--password-file <file>', 'first line of the file is the password')
    .option('--password-stdin', 'first line of standard input is the password')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText('after', EPILOGUE)
    .showSuggestionAfterError()
  addRunCommands(program)
  addVaultCommands(program)
  addDataCommands(program)
  addIdentityCommands(program)
  addPredicateCommands(program)
  addSharingCommands(program)
  addComputeCommands(program)
  addAuditCommand(program)
  addNodeCommands(program)
  strict(program)
  return program
}

/** Settings of commander are not inherited by commands that exist already. */
function strict(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => {} })
  for (const child of command.commands) strict(child)
}

/** Runs a command line; sets the exit status of the process. */
export async function run(argv: string[]): Promise<void> {
  const json = argv.includes('--json')
  try {
    await createProgram().parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return
    process.exitCode = 2
    const message = error.message.replace(/^error: /, '')
    const remedy = 'See enigma --help.'
    if (error.code === 'commander.help') process.stderr.write(helpFor(argv))
    else if (json)
      process.stderr.write(`${JSON.stringify({ error: { code: 'INVALID_ARGUMENT', message, remedy } })}\n`)
    else process.stderr.write(`enigma: ${message}\n  ${remedy}\n`)
  }
}

/** What a command without its subcommand shows. */
function helpFor(argv: string[]): string {
  let command = createProgram()
  for (const word of argv) command = command.commands.find((c) => c.name() === word) ?? command
  return command.helpInformation()
}
