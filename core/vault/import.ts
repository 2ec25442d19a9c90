import { concatBytes } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { LIMITS } from './constants.ts'
import { parseCsv } from './import-csv.ts'
import { parseJson } from './import-json.ts'
import { type EncodedValue, encodeValue } from './records.ts'
import type {
  Column,
  ColumnType,
  ImportCellError,
  ImportCommit,
  ImportOptions,
  ImportPreview,
  ImportProblem,
  NewRecordValue,
} from './types.ts'
import { canonicalCell, canonicalDecimal, parseDate } from './values.ts'

/** Cells as text, before any type is known. */
export interface RawTable {
  columns: string[]
  /** `cells` may be fewer or more than the columns; `problem` says why a cell has no text. */
  rows: { cells: string[]; line?: number; problems?: Map<number, ImportProblem> }[]
  separator?: string
}

/** A parsed file. */
export interface PreparedImport {
  preview: ImportPreview
  columns: Column[]
  rows: string[][]
  /** Indices of rows with errors. */
  invalid: Set<number>
}

const REMEDY: Record<ImportProblem, string> = {
  empty: 'Fill in the cell, or skip the row.',
  'not-a-number': 'Write digits with a point, like -1234.50, or make the column text.',
  'decimal-comma': 'Write a point instead of the comma: 1.5, not 1,5.',
  'thousands-separator': 'Remove the separators between thousands: 1234567.89.',
  exponent: 'Write the number out: 1500000, not 1.5e6.',
  'currency-or-unit': 'Remove the currency, unit or percent sign from the cell.',
  'too-many-digits': `Use at most ${LIMITS.digits} digits.`,
  'not-a-date': 'Write the date as 2025-12-31, with an optional time as 2025-12-31T23:59:00Z.',
  'not-a-boolean': 'Write true or false.',
  'too-long': `Use at most ${LIMITS.cell} characters in a cell.`,
  'cell-count': 'Give every row as many cells as the header; put text with separators in quotes.',
  'nested-value': 'Use a text, number or true/false instead of a list or object.',
}

const SPACES = /[\s\u00a0\u202f]/
const LOCAL_NUMBER = /^[+-]?[\d.,'\u2019\s\u00a0\u202f]*\d[\d.,'\u2019\s\u00a0\u202f]*$/
const WITH_UNIT = /^(?:[\p{Sc}]|[A-Z]{3}\s)?\s*[+-]?\d[\d.,'\s\u00a0\u202f]*\s*(?:[\p{Sc}%‰]|[A-Z]{3})?$/u
const EXPONENT = /^[+-]?\d+(\.\d+)?[eE][+-]?\d+$/

/** Why a cell is not a plain decimal, as precisely as we can say. */
function numberProblem(cell: string): ImportProblem {
  if (/^[+-]?\d+(\.\d+)?$/.test(cell)) return 'too-many-digits'
  if (EXPONENT.test(cell)) return 'exponent'
  if (LOCAL_NUMBER.test(cell)) {
    if (/^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(cell) && (cell.includes('.') || cell.split(',').length > 2))
      return 'thousands-separator'
    if (/^[+-]?\d{1,3}([.'\u2019\s\u00a0\u202f]\d{3})+$/.test(cell)) return 'thousands-separator'
    if (/,\d+$/.test(cell)) return 'decimal-comma'
    if (/['\u2019,]/.test(cell) || SPACES.test(cell)) return 'thousands-separator'
  }
  if (WITH_UNIT.test(cell)) return 'currency-or-unit'
  return 'not-a-number'
}

/** Whether a person would call the cell a number, written well or badly. */
function looksNumeric(cell: string): boolean {
  return (
    canonicalDecimal(cell) !== undefined ||
    EXPONENT.test(cell) ||
    LOCAL_NUMBER.test(cell) ||
    WITH_UNIT.test(cell)
  )
}

/** The type most cells of a column have; a few wrong cells are errors, not a reason to call it text. */
function inferType(cells: string[]): ColumnType {
  const filled = cells.filter((cell) => cell !== '')
  if (filled.length === 0) return 'text'
  const share = (test: (cell: string) => boolean) => filled.filter(test).length / filled.length
  if (share((cell) => parseDate(cell) !== undefined) >= 0.6) return 'date'
  if (share((cell) => /^(true|false)$/i.test(cell)) >= 0.6) return 'boolean'
  if (share(looksNumeric) >= 0.6) return 'number'
  return 'text'
}

function cellProblem(cell: string, type: ColumnType): ImportProblem | undefined {
  if (cell.length > LIMITS.cell) return 'too-long'
  if (type === 'text') return undefined
  if (cell === '') return 'empty'
  if (canonicalCell(type === 'boolean' ? cell.toLowerCase() : cell, type) !== undefined) return undefined
  if (type === 'number') return numberProblem(cell)
  return type === 'date' ? 'not-a-date' : 'not-a-boolean'
}

function refuse(message: string, remedy: string): EnigmaError {
  return new EnigmaError('IMPORT_INVALID', message, { remedy })
}

/** UTF-8 with or without byte order mark; anything else is refused rather than guessed. */
export function decodeText(content: Uint8Array): string {
  if (content.length > LIMITS.importBytes)
    throw refuse(
      `the file has ${content.length} bytes, at most ${LIMITS.importBytes} are imported at once`,
      'Split the file.',
    )
  if ((content[0] === 0xff && content[1] === 0xfe) || (content[0] === 0xfe && content[1] === 0xff))
    throw refuse('the file is UTF-16', 'Save it as "CSV UTF-8" and try again.')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    throw refuse('the file is not UTF-8', 'Save it as "CSV UTF-8" and try again.')
  }
  if (text.includes('\0')) throw refuse('the file is not text', 'Choose a CSV or JSON file.')
  return text
}

function checkHeader(names: string[]): string[] {
  const columns = names.map((name) => name.trim())
  if (columns.length === 0)
    throw refuse('the file has no columns', 'Give it a first row with the names of the columns.')
  if (columns.length > LIMITS.columns)
    throw refuse(
      `the file has ${columns.length} columns, at most ${LIMITS.columns} are allowed`,
      'Remove columns.',
    )
  const seen = new Set<string>()
  columns.forEach((name, i) => {
    if (name === '') throw refuse(`column ${i + 1} has no name`, 'Name every column in the first row.')
    if (name.length > LIMITS.columnName)
      throw refuse(`the name of column ${i + 1} is too long`, 'Shorten it.')
    if (seen.has(name))
      throw refuse(`two columns have the name of column ${i + 1}`, 'Give every column its own name.')
    seen.add(name)
  })
  return columns
}

/**
 * Parses and checks a file, cell by cell, without storing anything. Throws IMPORT_INVALID only when the file as
 * a whole cannot be read; everything else is in `preview.errors`.
 */
export function prepareImport(content: Uint8Array, options: ImportOptions): PreparedImport {
  const text = decodeText(content)
  const raw = options.format === 'csv' ? parseCsv(text, options.separator) : parseJson(text)
  const names = checkHeader(raw.columns)
  if (raw.rows.length === 0)
    throw refuse('the file has no rows', 'It needs at least one row below the header.')
  if (raw.rows.length > LIMITS.rows)
    throw refuse(
      `the file has ${raw.rows.length} rows, at most ${LIMITS.rows} are imported at once`,
      'Split the file.',
    )
  if (raw.rows.length * names.length > LIMITS.cells)
    throw refuse(`the file has more than ${LIMITS.cells} cells`, 'Split the file or remove columns.')
  for (const name of Object.keys(options.types ?? {}))
    if (!names.includes(name))
      throw refuse('a type was given for a column that is not there', 'Check the column names.')

  const columns = names.map((name, c): Column => {
    const given = options.types?.[name]
    return { name, type: given ?? inferType(raw.rows.map((row) => (row.cells[c] ?? '').trim())) }
  })
  const errors: ImportCellError[] = []
  const invalid = new Set<number>()
  let errorCount = 0
  const report = (r: number, column: string, value: string, problem: ImportProblem) => {
    errorCount++
    invalid.add(r)
    if (errors.length >= LIMITS.importErrors) return
    const line = raw.rows[r]!.line
    const excerpt = value.length > 40 ? `${value.slice(0, 39).toWellFormed()}…` : value
    errors.push({
      row: r + 1,
      column,
      value: excerpt,
      problem,
      remedy: REMEDY[problem],
      ...(line === undefined ? {} : { line }),
    })
  }
  const rows = raw.rows.map((row, r) => {
    if (row.cells.length !== columns.length) {
      report(r, columns.at(Math.min(row.cells.length, columns.length - 1))!.name, '', 'cell-count')
      return []
    }
    return row.cells.map((cell, c) => {
      const { name, type } = columns[c]!
      const trimmed = type === 'text' ? cell : cell.trim()
      const problem = row.problems?.get(c) ?? cellProblem(trimmed, type)
      if (problem === undefined)
        return canonicalCell(type === 'boolean' ? trimmed.toLowerCase() : trimmed, type)!
      report(r, name, cell, problem)
      return ''
    })
  })
  return {
    preview: {
      columns,
      rowCount: rows.length,
      sample: raw.rows.slice(0, 10).map((row) => row.cells.slice(0, columns.length)),
      errors,
      errorCount,
      invalidRows: invalid.size,
      ...(raw.separator === undefined ? {} : { separator: raw.separator }),
    },
    columns,
    rows,
    invalid,
  }
}

/** The value to store. Throws IMPORT_INVALID while there are errors that were not explicitly skipped. */
export function importedValue(prepared: PreparedImport, commit: ImportCommit): NewRecordValue {
  const { columns, invalid, preview } = prepared
  if (invalid.size > 0 && commit.skipInvalidRows !== true)
    throw new EnigmaError('IMPORT_INVALID', `${preview.errorCount} cells are not valid`, {
      remedy: 'Correct the file, change the type of the column, or skip the rows with errors.',
      details: { errors: preview.errorCount, rows: invalid.size },
    })
  const rows = prepared.rows.filter((_, r) => !invalid.has(r))
  if (rows.length === 0) throw refuse('no valid row is left', 'Correct the file.')
  if (commit.as !== 'timeseries') return { type: 'table', columns, rows }

  const dates = columns.flatMap((column, i) => (column.type === 'date' ? [i] : []))
  const numbers = columns.flatMap((column, i) => (column.type === 'number' ? [i] : []))
  if (dates.length !== 1 || numbers.length !== 1)
    throw refuse(
      'a time series needs exactly one date column and one number column',
      'Import it as a table, or remove columns.',
    )
  const points = rows
    .map((row) => ({ time: parseDate(row[dates[0]!]!)!, value: row[numbers[0]!]! }))
    .sort((a, b) => a.time - b.time)
  if (points.some((point, i) => i > 0 && point.time === points[i - 1]!.time))
    throw refuse('two rows have the same time', 'Give every row its own time, or import it as a table.')
  return { type: 'timeseries', times: points.map((p) => p.time), values: points.map((p) => p.value) }
}

/** A table or time series from a file, ready to be stored. */
export interface ImportedValue extends EncodedValue {
  /** Rows with errors that were left out. */
  skipped: number
}

/** Parsing of whole files, which takes as long as it takes; `content` in pieces. */
export const importer = {
  preview: (content: readonly Uint8Array[], options: ImportOptions): ImportPreview =>
    prepareImport(concatBytes(...content), options).preview,

  async value(
    content: readonly Uint8Array[],
    options: ImportOptions,
    commit: ImportCommit,
  ): Promise<ImportedValue> {
    const prepared = prepareImport(concatBytes(...content), options)
    const value = importedValue(prepared, commit)
    return { ...(await encodeValue(value)), skipped: prepared.invalid.size }
  },
}

export type Importer = typeof importer
