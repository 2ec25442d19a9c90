import { turn } from '../base/turns.ts'
import { type MethodName, type Output, parseOutput } from './contract.ts'

// Not in index.ts, which browsers load as well: turns are the node's.

/** Items of a list that are checked or written at once. */
const SLICE = 50
/** Levels of an answer's frame in which there are long lists: the frame, its output, the fields of this. */
const DEPTH = 3

/** `parseOutput` for answers with long lists, between whose pieces the event loop turns. */
export async function parseOutputInTurns<M extends MethodName>(
  method: M,
  output: unknown,
): Promise<Output<M>> {
  await turn()
  const lists = isPlain(output)
    ? Object.entries(output).filter((field): field is [string, unknown[]] => isLong(field[1]))
    : []
  if (lists.length === 0) return parseOutput(method, output)
  const cut = (from: number) => Object.fromEntries(lists.map(([name, list]) => [name, slice(list, from)]))
  const start = { ...(output as object), ...cut(0) }
  const parsed = parseOutput(method, start) as Record<string, unknown[]>
  for (const [name, list] of lists)
    for (let from = SLICE; from < list.length && name in parsed; from += SLICE) {
      await turn()
      const part = parseOutput(method, { ...start, [name]: slice(list, from) }) as typeof parsed
      parsed[name]!.push(...part[name]!)
    }
  return parsed as Output<M>
}

/** `JSON.stringify` for frames with long lists, between whose pieces the event loop turns. */
export async function jsonInTurns(frame: object): Promise<string> {
  const pieces: string[] = []
  for (const piece of jsonPieces(frame)) {
    pieces.push(piece)
    await turn()
  }
  return pieces.join('')
}

function* jsonPieces(value: unknown, depth = DEPTH): Generator<string> {
  if (isLong(value)) {
    for (let from = 0; from < value.length; from += SLICE)
      yield `${from === 0 ? '[' : ','}${JSON.stringify(slice(value, from)).slice(1, -1)}`
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

function slice(list: readonly unknown[], from: number): unknown[] {
  return list.slice(from, from + SLICE)
}

function isLong(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > SLICE
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
