import { isLongList, slices } from '../base/slices.ts'
import { turn } from '../base/turns.ts'
import { type MethodName, type Output, parseOutput } from './contract.ts'

// Not in index.ts, which browsers load as well: turns are the node's.

/** Levels of an answer's frame in which there are long lists: the frame, its output, the fields of this. */
const DEPTH = 3

/** `parseOutput` for answers with long lists, between whose pieces the event loop turns. */
export async function parseOutputInTurns<M extends MethodName>(
  method: M,
  output: unknown,
): Promise<Output<M>> {
  await turn()
  const lists = isPlain(output)
    ? Object.entries(output).filter((field): field is [string, unknown[]] => isLongList(field[1]))
    : []
  if (lists.length === 0) return parseOutput(method, output)
  const empty = Object.fromEntries(lists.map(([name]) => [name, []]))
  const start = { ...(output as object), ...empty }
  const parsed = parseOutput(method, start) as Record<string, unknown[]>
  for (const [name, list] of lists)
    for (const slice of slices(list)) {
      if (!(name in parsed)) break
      await turn()
      const part = parseOutput(method, { ...start, [name]: slice }) as typeof parsed
      parsed[name]!.push(...part[name]!)
    }
  return parsed as Output<M>
}

/** `JSON.stringify` for frames with long lists, in pieces between which the event loop turns. */
export async function* jsonInTurns(frame: object): AsyncGenerator<string> {
  for (const piece of jsonPieces(frame)) {
    yield piece
    await turn()
  }
}

function* jsonPieces(value: unknown, depth = DEPTH): Generator<string> {
  if (isLongList(value)) {
    let opening = '['
    for (const slice of slices(value)) {
      yield `${opening}${JSON.stringify(slice).slice(1, -1)}`
      opening = ','
    }
    yield ']'
  } else if (isPlain(value) && depth > 0) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    for (const [i, [name, field]] of fields.entries()) {
      yield `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`
      yield* jsonPieces(field, depth - 1)
    }
    yield fields.length === 0 ? '{}' : '}'
  } else yield JSON.stringify(value)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
