import { useState } from 'react'
import type { EnigmaError, Job } from '../../../core/ipc/index.ts'
import { useAction } from './action.ts'
import { trackJob, useJob } from './jobs.ts'

/** A button that starts a job, and the job it started. */
export interface Started<A extends unknown[]> {
  run(...args: A): Promise<string | undefined>
  /** The call that starts it is under way, perhaps waiting for the owner's confirmation. */
  pending: boolean
  error: EnigmaError | undefined
  jobId: string | undefined
  job: Job | undefined
  reset(): void
}

export function useStarted<A extends unknown[]>(
  start: (...args: A) => Promise<{ jobId: string }>,
): Started<A> {
  const [jobId, setJobId] = useState<string>()
  const action = useAction(async (...args: A) => {
    const id = await trackJob(await start(...args))
    setJobId(id)
    return id
  })
  const job = useJob(jobId)
  return {
    run: action.run,
    pending: action.pending,
    error: action.error,
    jobId,
    job,
    reset: () => {
      setJobId(undefined)
      action.reset()
    },
  }
}
