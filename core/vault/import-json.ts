import { EnigmaError } from '../base/errors.ts'
import type { RawTable } from './import.ts'
import type { ImportProblem } from './types.ts'

/** A number with the digits it was written with; JSON.parse alone would round 0.1000000000000000055. */
class Exact {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown

function refuse(message: string): EnigmaError {
  return new EnigmaError('IMPORT_INVALID', message, {
    remedy:
      'Give a list of objects with the same members, or {"columns": […], "rows": [[…], …]}, or a list of numbers.',
  })
}

function cell(value: unknown): { text: string; problem?: ImportProblem } {
  if (value === null || value === undefined) return { text: '' }
  if (value instanceof Exact) return { text: value.source }
  if (typeof value === 'string') return { text: value }
  if (typeof value === 'boolean') return { text: String(value) }
  return { text: Array.isArray(value) ? '[…]' : '{…}', problem: 'nested-value' }
}

function row(values: unknown[]): RawTable['rows'][number] {
  const cells = values.map(cell)
  const problems = new Map(
    cells.flatMap(({ problem }, i) => (problem === undefined ? [] : [[i, problem] as const])),
  )
  return { cells: cells.map(({ text }) => text), ...(problems.size === 0 ? {} : { problems }) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Exact)
}

/**
 * A list of objects (members become columns, in order of first appearance), {columns, rows}, or a list of numbers
 * or texts (one column "value"). Throws IMPORT_INVALID.
 */
export function parseJson(text: string): RawTable {
  const keepDigits: Reviver = (_key, value, context) =>
    typeof value === 'number' && context.source !== undefined ? new Exact(context.source) : value
  let data: unknown
  try {
    data = JSON.parse(text.replace(/^\ufeff/, ''), keepDigits as (key: string, value: unknown) => unknown)
  } catch {
    throw refuse('the file is not valid JSON')
  }
  if (isObject(data) && Array.isArray(data.columns) && Array.isArray(data.rows)) {
    const columns = data.columns.map((column) => {
      const name = isObject(column) ? column.name : column
      if (typeof name !== 'string') throw refuse('a column has no name')
      return name
    })
    return {
      columns,
      rows: data.rows.map((values, r) => {
        if (!Array.isArray(values)) throw refuse(`row ${r + 1} is not a list`)
        return row(values)
      }),
    }
  }
  if (!Array.isArray(data)) throw refuse('the file is not a list')
  if (data.every(isObject)) {
    const columns = [...new Set(data.flatMap((item) => Object.keys(item)))]
    return {
      columns,
      rows: data.map((item) => row(columns.map((name) => (Object.hasOwn(item, name) ? item[name] : null)))),
    }
  }
  if (data.some((item) => isObject(item) || Array.isArray(item)))
    throw refuse('the list mixes objects and plain values')
  return { columns: ['value'], rows: data.map((item) => row([item])) }
}
