import { useCallback, useEffect, useRef, useState } from 'react'
import { EnigmaError } from '../../../core/ipc/index.ts'

export interface Action<A extends unknown[], R> {
  /** Resolves to undefined when it failed; the reason is then in `error`. */
  run(...args: A): Promise<R | undefined>
  /** Also while the host waits for the owner's confirmation. */
  pending: boolean
  error: EnigmaError | undefined
  reset(): void
}

/** A button's work: one run at a time, its error kept for the screen. */
export function useAction<A extends unknown[], R>(work: (...args: A) => Promise<R>): Action<A, R> {
  const [pending, setPending] = useState(false)
  const [error, setError] = useState<EnigmaError>()
  const latest = useRef(work)
  const mounted = useRef(true)
  const running = useRef(false)
  latest.current = work
  useEffect(() => {
    mounted.current = true
    return () => {
      mounted.current = false
    }
  }, [])
  const run = useCallback(async (...args: A): Promise<R | undefined> => {
    if (running.current) return undefined
    running.current = true
    setPending(true)
    setError(undefined)
    try {
      return await latest.current(...args)
    } catch (cause) {
      if (mounted.current) setError(EnigmaError.from(cause))
      return undefined
    } finally {
      running.current = false
      if (mounted.current) setPending(false)
    }
  }, [])
  const reset = useCallback(() => setError(undefined), [])
  return { run, pending, error, reset }
}
