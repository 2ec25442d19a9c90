/** Public facts only: no secret, share, password, phrase, key or input of a job is ever passed to a log. */
export type LogFields = Record<string, string | number | boolean | undefined>

export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A log whose lines carry `scope`. */
  child(scope: string): Log
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]

/** JSON lines, one an event, to `write` (standard error by default: standard output belongs to results). */
export function createLog(
  level: LogLevel = 'info',
  write: (line: string) => void = (line) => void process.stderr.write(line),
  scope = 'enigma',
): Log {
  const emit = (at: LogLevel) => (event: string, fields?: LogFields) => {
    if (LEVELS.indexOf(at) < LEVELS.indexOf(level)) return
    write(`${JSON.stringify({ time: new Date().toISOString(), level: at, scope, event, ...fields })}\n`)
  }
  return {
    debug: emit('debug'),
    info: emit('info'),
    warn: emit('warn'),
    error: emit('error'),
    child: (name) => createLog(level, write, name),
  }
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}
