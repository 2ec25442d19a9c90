import { CsvError, parse } from 'csv-parse/sync'
import { EnigmaError } from '../base/errors.ts'
import { LIMITS } from './constants.ts'
import type { RawTable } from './import.ts'

const SEPARATORS = [',', ';', '\t', '|'] as const

/** The separator that occurs most outside quotes in the first lines; a comma when none does. */
export function detectSeparator(text: string): string {
  const counts = new Map<string, number>(SEPARATORS.map((s) => [s, 0]))
  let quoted = false
  let lines = 0
  for (let i = 0; i < text.length && lines < 5; i++) {
    const c = text[i]!
    if (c === '"') quoted = !quoted
    else if (!quoted && c === '\n') lines++
    // The header decides; later lines only break ties, because their cells may hold decimal commas.
    else if (!quoted && counts.has(c)) counts.set(c, counts.get(c)! + (lines === 0 ? 1000 : 1))
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}

/** RFC 4180 with a header row. Throws IMPORT_INVALID for what no row can be made of (an open quote, for instance). */
export function parseCsv(text: string, separator: string = detectSeparator(text)): RawTable {
  let records: { record: string[]; info: { lines: number } }[]
  try {
    records = parse(text, {
      bom: true,
      delimiter: separator,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: LIMITS.cell * LIMITS.columns,
      to: LIMITS.rows + 2,
    }) as unknown as typeof records
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = typeof error.lines === 'number' ? error.lines : 0
    throw new EnigmaError('IMPORT_INVALID', `the file is not valid CSV near line ${line}`, {
      remedy: 'Look for a quotation mark that is not closed or not doubled.',
      details: { line, reason: error.code },
    })
  }
  const [header, ...rows] = records
  return {
    columns: header?.record ?? [],
    // csv-parse counts the line a record ends on; the start is one more than where the one before ended.
    rows: rows.map(({ record }, i) => ({ cells: record, line: records[i]!.info.lines + 1 })),
    separator,
  }
}
