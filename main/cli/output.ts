import { EnigmaError, type ErrorObject } from '../../core/ipc/index.ts'

/** Results on standard output, everything else on standard error. */
export class Output {
  readonly json: boolean
  #progressShown = false

  constructor(json: boolean) {
    this.json = json
  }

  /** The command's result: one JSON document, or the text that `human` makes of it. */
  result(value: unknown, human?: () => string): void {
    this.clearProgress()
    process.stdout.write(
      `${this.json || human === undefined ? JSON.stringify(value, null, this.json ? 0 : 2) : human()}\n`,
    )
  }

  /** A message to the person. */
  note(text: string): void {
    this.clearProgress()
    process.stderr.write(`${text}\n`)
  }

  /** Replaces the last progress line on a terminal; elsewhere prints a line of its own. */
  progress(text: string): void {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${text}`)
      this.#progressShown = true
    } else process.stderr.write(`${text}\n`)
  }

  clearProgress(): void {
    if (!this.#progressShown) return
    process.stderr.write('\r\x1b[K')
    this.#progressShown = false
  }

  error(error: unknown): void {
    this.clearProgress()
    const { code, message, remedy, details }: ErrorObject = EnigmaError.from(error).toObject()
    if (this.json) {
      process.stderr.write(
        `${JSON.stringify({ error: { code, message, ...(remedy ? { remedy } : {}), ...(details ? { details } : {}) } })}\n`,
      )
      return
    }
    process.stderr.write(`enigma: ${message} (${code})\n${remedy === undefined ? '' : `  ${remedy}\n`}`)
  }
}

/** Rows under headings, columns as wide as their widest cell. */
export function table(headings: string[], rows: string[][]): string {
  if (rows.length === 0) return '(none)'
  const all = [headings, ...rows]
  const widths = headings.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Name and value a line. */
export function fields(entries: Record<string, string | number | boolean | undefined>): string {
  const shown = Object.entries(entries).filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...shown.map(([key]) => key.length))
  return shown.map(([key, value]) => `${key.padEnd(width)}  ${String(value)}`).join('\n')
}
