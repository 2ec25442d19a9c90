import { readFileSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { EnigmaError, type Input, sendFile, UPLOAD_BYTES, wholeRecord } from '../../../core/ipc/index.ts'
import type { NodeClient } from '../../host/client.ts'
import { fields, table } from '../output.ts'
import { collect } from '../predicate.ts'
import { readStdin } from '../secrets.ts'
import { action } from '../session.ts'

interface AddOptions {
  number?: string
  unit?: string
  text?: string
  csv?: string
  jsonFile?: string
  file?: string
  mediaType?: string
  tag?: string[]
  skipInvalid?: boolean
}
interface ListOptions {
  query?: string
  type?: string
  tag?: string
  removed?: boolean
}

export function addDataCommands(program: Command): void {
  const data = program.command('data').description('the records of the vault')

  data
    .command('add')
    .description(
      'add a record; - as value reads it from standard input, unseen by other users of the machine',
    )
    .argument('<title>')
    .option('--number <value>', 'an exact decimal number, or -')
    .option('--unit <unit>', 'unit of the number')
    .option('--text <text>', 'a text, or -')
    .option('--csv <file>', 'a table from a CSV file with a header, or -')
    .option('--json-file <file>', 'a table from a JSON file (an array of objects), or -')
    .option('--file <file>', 'a file as it is')
    .option('--media-type <type>', 'of the file')
    .option('--tag <tag>', 'label it (repeatable)', collect)
    .option('--skip-invalid', 'leave out rows of a table that do not fit')
    .action(
      action(async (session, title: string, options: AddOptions) => {
        const client = await session.connect()
        const result = await add(client, title, options)
        session.out.result(result, () => `added ${result.id}`)
      }),
    )

  data
    .command('list')
    .description('list records')
    .option('--query <words>', 'only those that contain the words')
    .option('--type <type>', 'number, text, table, file or timeseries')
    .option('--tag <tag>')
    .option('--removed', 'what is in the trash')
    .action(
      action(async (session, options: ListOptions) => {
        const client = await session.connect()
        const { records } = await client.call('data.list', options as Input<'data.list'>)
        session.out.result({ records }, () =>
          table(
            ['id', 'type', 'title', 'shared', 'tags'],
            records.map((r) => [r.id, r.type, r.title, String(r.shared), r.tags.join(', ')]),
          ),
        )
      }),
    )

  data
    .command('show')
    .description('show a record with its value, history and shares')
    .argument('<id>')
    .action(
      action(async (session, id: string) => {
        const client = await session.connect()
        const result = await wholeRecord((method, input) => client.call(method, input), { id })
        session.out.result(
          result,
          () =>
            `${fields({ id, title: result.record.title, type: result.record.type })}\n${JSON.stringify(result.value, null, 2)}`,
        )
      }),
    )

  data
    .command('remove')
    .description('move a record to the trash, or with --purge delete it for good')
    .argument('<id>')
    .option('--purge')
    .action(
      action(async (session, id: string, options: { purge?: boolean }) => {
        await (await session.connect()).call('data.remove', { id, ...options })
        session.out.result({ id }, () => `removed ${id}`)
      }),
    )

  data
    .command('undelete')
    .description('bring a record back from the trash')
    .argument('<id>')
    .action(
      action(async (session, id: string) => {
        await (await session.connect()).call('data.undelete', { id })
        session.out.result({ id }, () => `brought back ${id}`)
      }),
    )
}

async function add(client: NodeClient, title: string, options: AddOptions): Promise<{ id: string }> {
  const kinds = [options.number, options.text, options.csv, options.jsonFile, options.file]
  if (kinds.filter((kind) => kind !== undefined).length !== 1)
    throw new EnigmaError(
      'INVALID_ARGUMENT',
      'give exactly one of --number, --text, --csv, --json-file, --file',
    )
  const tags = options.tag === undefined ? {} : { tags: options.tag }
  if (options.number !== undefined) {
    const value = options.number === '-' ? (await readStdin()).trim() : options.number
    const unit = options.unit === undefined ? {} : { unit: options.unit }
    return client.call('data.add', { title, ...tags, value: { type: 'number', value, ...unit } })
  }
  if (options.text !== undefined) {
    const value = options.text === '-' ? await readStdin() : options.text
    return client.call('data.add', { title, ...tags, value: { type: 'text', value } })
  }
  if (options.file !== undefined) {
    const path = resolve(options.file)
    const mediaType = options.mediaType === undefined ? {} : { mediaType: options.mediaType }
    return client.call('data.addFile', { title, fileName: basename(path), path, ...tags, ...mediaType })
  }
  const format = options.csv === undefined ? 'json' : 'csv'
  const source = (options.csv ?? options.jsonFile) as string
  const content = source === '-' ? Buffer.from(await readStdin()) : readBytes(source)
  return client.call('data.import', {
    title,
    format,
    ...tags,
    fileName: source === '-' ? `input.${format}` : basename(source),
    upload: await sendFile((method, input) => client.call(method, input), base64Pieces(content)),
    ...(options.skipInvalid ? { skipInvalid: true } : {}),
  })
}

function* base64Pieces(content: Buffer): Generator<string> {
  for (let from = 0; from < content.length; from += UPLOAD_BYTES)
    yield content.subarray(from, from + UPLOAD_BYTES).toString('base64')
}

/** A text file of at most 32 MiB; INVALID_ARGUMENT otherwise. */
export function readText(file: string): string {
  return readBytes(file).toString('utf8')
}

function readBytes(file: string): Buffer {
  try {
    if (statSync(file).size > 32 * 1024 * 1024)
      throw new EnigmaError('INVALID_ARGUMENT', `${file} is larger than 32 MiB`)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof EnigmaError) throw error
    throw new EnigmaError('INVALID_ARGUMENT', `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`)
  }
}
