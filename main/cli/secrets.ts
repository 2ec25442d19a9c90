import { readFileSync, statSync } from 'node:fs'
import { EnigmaError } from '../../core/ipc/index.ts'

export interface SecretSources {
  file?: string | undefined
  /** Read it from standard input. */
  stdin?: boolean | undefined
  /** Name of an environment variable. */
  env?: string | undefined
}

/**
 * A secret from a file, standard input, the environment or, on a terminal, a prompt without echo; never from
 * the command line, which every user of the machine can read. Throws INVALID_ARGUMENT when there is none.
 */
export async function readSecret(
  what: string,
  sources: SecretSources,
  options: { repeat?: boolean } = {},
): Promise<string> {
  if (sources.file !== undefined) return required(what, readFile(sources.file))
  if (sources.stdin) return required(what, firstLine(await readStdin()))
  const fromEnv = sources.env === undefined ? undefined : process.env[sources.env]
  if (fromEnv !== undefined) return required(what, fromEnv)
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new EnigmaError('INVALID_ARGUMENT', `${what} is needed, and there is no terminal to ask on`, {
      remedy: `Give it with a file or standard input option${sources.env ? `, or in ${sources.env}` : ''}.`,
    })
  const secret = await prompt(`${what}: `, true)
  if (options.repeat && (await prompt(`${what}, again: `, true)) !== secret)
    throw new EnigmaError('INVALID_ARGUMENT', `the two entries of ${what.toLowerCase()} differ`)
  return required(what, secret)
}

/** Asks on the terminal; `hidden` shows nothing of what is typed. Rejects with CANCELLED on Ctrl-C. */
export function prompt(question: string, hidden = false): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.resume()
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    const finish = (settle: () => void) => {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      settle()
    }
    const onData = (data: Buffer) => {
      for (const char of data.toString('utf8')) {
        if (char === '\r' || char === '\n' || char === '\u0004') return finish(() => resolve(typed.join('')))
        if (char === '\u0003') return finish(() => reject(new EnigmaError('CANCELLED', 'cancelled')))
        if (char === '\u007f' || char === '\b') {
          if (typed.pop() !== undefined && !hidden) stderr.write('\b \b')
        } else if (char === '\u0015') {
          if (!hidden) stderr.write('\b \b'.repeat(typed.length))
          typed = []
        } else if (char >= ' ') {
          typed.push(char)
          if (!hidden) stderr.write(char)
        }
      }
    }
    stdin.on('data', onData)
  })
}

export async function readStdin(): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function readFile(file: string): string {
  try {
    if (statSync(file).size > 64 * 1024) throw new EnigmaError('INVALID_ARGUMENT', `${file} is too large`)
    return firstLine(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof EnigmaError) throw error
    throw new EnigmaError('INVALID_ARGUMENT', `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? ''
}

function required(what: string, secret: string): string {
  if (secret === '') throw new EnigmaError('INVALID_ARGUMENT', `${what} is empty`)
  return secret
}
