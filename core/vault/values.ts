import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { LIMITS } from './constants.ts'
import type {
  Column,
  ColumnType,
  NewRecordValue,
  PlainValue,
  ShareEntry,
  TableValue,
  TimeSeriesValue,
} from './types.ts'

const DECIMAL = /^[+-]?(\d+)(?:\.(\d+))?$/
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/
/** Cells, or points of a series, that are checked at once. */
const SLICE = 4000
const TYPES: readonly ColumnType[] = ['number', 'text', 'date', 'boolean']

function invalid(message: string, remedy?: string): EnigmaError {
  return new EnigmaError('INVALID_ARGUMENT', message, remedy === undefined ? {} : { remedy })
}

/**
 * Canonical form of a decimal: no plus sign, no leading zeros, no minus on zero; trailing zeros stay, because
 * they say how exact the figure is. Undefined when it is not a plain decimal of at most 60 digits.
 */
export function canonicalDecimal(text: string): string | undefined {
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const whole = match[1]!.replace(/^0+(?=\d)/, '')
  const fraction = match[2]
  if (whole.length + (fraction?.length ?? 0) > LIMITS.digits) return undefined
  const magnitude = fraction === undefined ? whole : `${whole}.${fraction}`
  return text.startsWith('-') && /[1-9]/.test(magnitude) ? `-${magnitude}` : magnitude
}

/**
 * Milliseconds since the epoch of an ISO 8601 date or time, which without an offset is UTC; undefined for
 * anything else, days that do not exist included.
 */
export function parseDate(text: string): number | undefined {
  if (!DATE.test(text)) return undefined
  const day = text.slice(0, 10)
  const midnight = Date.parse(`${day}T00:00:00Z`)
  // Date.parse rolls 31 April over; an honest reader does not.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined
  if (text.length === 10) return midnight
  const iso = text.replace(' ', 'T')
  const ms = Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(iso) ? iso : `${iso}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

/** Whether `cell` is valid in a column of `type`, in canonical form; undefined when it is not. */
export function canonicalCell(cell: string, type: ColumnType): string | undefined {
  if (cell.length > LIMITS.cell) return undefined
  if (type === 'number') return canonicalDecimal(cell)
  if (type === 'date') return parseDate(cell) === undefined ? undefined : cell
  if (type === 'boolean') return cell === 'true' || cell === 'false' ? cell : undefined
  return cell
}

function text(value: unknown, what: string, limit: number, min = 0): string {
  if (typeof value !== 'string') throw invalid(`${what} is not text`)
  if (value.length > limit)
    throw invalid(`${what} has ${value.length} characters, at most ${limit} are allowed`)
  if (value.length < min) throw invalid(`${what} is empty`)
  if (!value.isWellFormed()) throw invalid(`${what} is not well-formed Unicode`)
  return value
}

export function checkTitle(title: unknown): string {
  return text(typeof title === 'string' ? title.trim() : title, 'the title', LIMITS.title, 1)
}

export function checkFileNames(name: unknown, mime: unknown): void {
  for (const text of [name, mime])
    if (
      typeof text !== 'string' ||
      text.length === 0 ||
      text.length > LIMITS.fileName ||
      !text.isWellFormed()
    )
      throw invalid('a file needs a name and a media type of at most 255 characters')
}

/** Trimmed, without duplicates, in the order given. */
export function checkTags(tags: unknown): string[] {
  if (!Array.isArray(tags)) throw invalid('the tags are not a list')
  const out = [
    ...new Set(tags.map((tag) => text(typeof tag === 'string' ? tag.trim() : tag, 'a tag', LIMITS.tag, 1))),
  ]
  if (out.length > LIMITS.tags) throw invalid(`${out.length} tags, at most ${LIMITS.tags} are allowed`)
  return out
}

export function checkColumns(columns: unknown): Column[] {
  if (!Array.isArray(columns) || columns.length === 0) throw invalid('a table needs at least one column')
  if (columns.length > LIMITS.columns)
    throw invalid(`${columns.length} columns, at most ${LIMITS.columns} are allowed`)
  const seen = new Set<string>()
  return columns.map((column: Partial<Column> | null) => {
    const name = text(column?.name, 'a column name', LIMITS.columnName, 1)
    if (seen.has(name)) throw invalid('two columns have the same name')
    seen.add(name)
    const type = column?.type
    if (type === undefined || !TYPES.includes(type)) throw invalid('a column has an unknown type')
    return { name, type }
  })
}

async function checkTable(value: TableValue): Promise<TableValue> {
  const columns = checkColumns(value.columns)
  const { rows } = value
  if (!Array.isArray(rows)) throw invalid('the rows are not a list')
  if (rows.length > LIMITS.rows) throw invalid(`${rows.length} rows, at most ${LIMITS.rows} are allowed`)
  if (rows.length * columns.length > LIMITS.cells) throw invalid(`at most ${LIMITS.cells} cells are allowed`)
  const out = await mapInTurns(rows, Math.ceil(SLICE / columns.length), (row, r) => {
    if (!Array.isArray(row) || row.length !== columns.length)
      throw invalid(`row ${r + 1} does not have ${columns.length} cells`)
    return row.map((cell, c) => {
      const { name, type } = columns[c]!
      const canonical = canonicalCell(text(cell, `row ${r + 1}, column ${name}`, LIMITS.cell), type)
      if (canonical === undefined) throw invalid(`row ${r + 1}, column ${name}: not a valid ${type}`)
      return canonical
    })
  })
  return { type: 'table', columns, rows: out }
}

async function checkSeries(value: TimeSeriesValue): Promise<TimeSeriesValue> {
  const { times, values } = value
  if (!Array.isArray(times) || !Array.isArray(values) || times.length !== values.length)
    throw invalid('a time series needs as many times as values')
  if (times.length > LIMITS.rows) throw invalid(`${times.length} points, at most ${LIMITS.rows} are allowed`)
  const checkedTimes = await mapInTurns(times, SLICE, (time, i) => {
    if (!Number.isSafeInteger(time) || Math.abs(time) > 8.64e15)
      throw invalid(`time ${i + 1} is out of range`)
    if (i > 0 && time <= times[i - 1]!) throw invalid(`time ${i + 1} is not after the one before`)
    return time
  })
  const checkedValues = await mapInTurns(values, SLICE, (v, i) => {
    const canonical = typeof v === 'string' ? canonicalDecimal(v) : undefined
    if (canonical === undefined) throw invalid(`value ${i + 1} is not a decimal number`)
    return canonical
  })
  return { type: 'timeseries', times: checkedTimes, values: checkedValues, ...optionalUnit(value.unit) }
}

async function mapInTurns<T, U>(
  items: readonly T[],
  slice: number,
  each: (item: T, index: number) => U,
): Promise<U[]> {
  const out: U[] = []
  for (const [i, item] of items.entries()) {
    if (i % slice === 0) await turn()
    out.push(each(item, i))
  }
  return out
}

function optionalUnit(unit: unknown): { unit?: string } {
  return unit === undefined ? {} : { unit: text(unit, 'the unit', LIMITS.unit) }
}

/** A checked, canonical copy. Throws INVALID_ARGUMENT with the place, never the content, of what is wrong. */
export async function checkValue(value: NewRecordValue): Promise<NewRecordValue> {
  switch (value?.type) {
    case 'number': {
      const canonical = typeof value.value === 'string' ? canonicalDecimal(value.value.trim()) : undefined
      if (canonical === undefined)
        throw invalid(
          'the value is not a decimal number',
          'Write digits with a point, like -1234.50, at most 60 digits.',
        )
      return { type: 'number', value: canonical, ...optionalUnit(value.unit) }
    }
    case 'text':
      return { type: 'text', text: text(value.text, 'the text', LIMITS.text) }
    case 'table':
      return checkTable(value)
    case 'timeseries':
      return checkSeries(value)
    default:
      throw invalid('unknown type of value')
  }
}

export function checkShare(share: unknown): ShareEntry {
  const entry = checkPlain(share) as ShareEntry
  if (typeof entry.id !== 'string' || entry.id.length === 0 || entry.id.length > 200)
    throw invalid('a share entry needs an id of at most 200 characters')
  return entry
}

/** A deep copy of plain data. Throws INVALID_ARGUMENT for anything that would not come back the same. */
export function checkPlain(value: unknown, depth = 0): PlainValue {
  if (depth > 32) throw invalid('the data are nested too deeply')
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return text(value, 'a text', LIMITS.setting)
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
      throw invalid('a number is not exactly representable')
    return Object.is(value, -0) ? 0 : value
  }
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value)) return value.map((item) => checkPlain(item, depth + 1))
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const out: { [key: string]: PlainValue } = {}
    for (const [key, item] of Object.entries(value)) {
      if (key === '__proto__') throw invalid('a key is not allowed')
      if (item !== undefined) out[text(key, 'a key', 1000)] = checkPlain(item, depth + 1)
    }
    return out
  }
  throw invalid('the data are not plain')
}
