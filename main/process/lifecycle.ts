import { second } from '../../core/base/units.ts'

/** How long a process takes to end by itself before it is ended. */
export const STOP_MS = 20 * second

/**
 * Ends this process cleanly on SIGINT, SIGTERM, SIGHUP and, with `parent`, when the process that started it is
 * gone in whatever way (its end of the channel or of standard input closes). A second signal does not wait.
 * Returns a function that ends it now.
 */
export function endCleanly(
  stop: () => Promise<void>,
  parent: 'ipc' | 'stdin' | 'none' = 'none',
): (status?: number) => void {
  let ending = false
  const end = (status = 0) => {
    if (ending) process.exit(130)
    ending = true
    setTimeout(() => process.exit(1), STOP_MS).unref()
    stop().then(
      () => process.exit(status),
      () => process.exit(status || 1),
    )
  }
  process.on('SIGINT', () => end())
  process.on('SIGTERM', () => end())
  process.on('SIGHUP', () => end())
  const gone = () => {
    if (!ending) end()
  }
  if (parent === 'ipc') process.on('disconnect', gone)
  if (parent === 'stdin') {
    process.stdin.on('end', gone)
    process.stdin.on('close', gone)
    process.stdin.on('error', gone)
    process.stdin.resume()
  }
  return end
}
