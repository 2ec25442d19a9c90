import { systemClock } from '../../core/base/clock.ts'
import { second } from '../../core/base/units.ts'
import { type ComputeJob, EnigmaError, type Job } from '../../core/ipc/index.ts'
import type { NodeClient } from '../host/client.ts'
import type { Session } from './session.ts'

/** Asked this often although changes are also announced. */
const POLL_MS = second

/** Runs `look` at each announced change, and at intervals, until it gives something. */
async function watch<T>(client: NodeClient, look: () => Promise<T | undefined>): Promise<T> {
  let wake = () => {}
  const off = client.subscribe(() => wake())
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve
      })
      const found = await look()
      if (found !== undefined) return found
      const timer = new AbortController()
      await Promise.race([changed, systemClock.sleep(POLL_MS, timer.signal).catch(() => {})])
      timer.abort()
    }
  } finally {
    off()
  }
}

/** The first Ctrl-C asks the node to cancel; the second leaves the work to the node and ends this command. */
function onInterrupt(session: Session, cancel: () => Promise<unknown>): () => void {
  let count = 0
  const handler = () => {
    if (++count > 1) process.exit(130)
    session.out.note('Cancelling … (Ctrl-C again: leave it running in the node)')
    cancel().catch((error: unknown) => session.out.note(EnigmaError.from(error).message))
  }
  process.on('SIGINT', handler)
  return () => process.off('SIGINT', handler)
}

/** Waits for a job with progress. Rejects with the job's own error, or CANCELLED. */
export async function finishJob(session: Session, client: NodeClient, jobId: string): Promise<Job> {
  const off = onInterrupt(session, () => client.call('jobs.cancel', { id: jobId }))
  let shown = ''
  try {
    return await watch(client, async () => {
      const { job } = await client.call('jobs.get', { id: jobId })
      const line = `${job.title || job.kind}: ${job.phase} ${Math.round(job.progress * 100)} %`
      if (line !== shown) session.out.progress(line)
      shown = line
      if (job.state === 'done') return job
      if (job.state === 'failed') throw EnigmaError.fromObject(job.error)
      if (job.state === 'cancelled') throw new EnigmaError('CANCELLED', 'the job was cancelled')
      if (job.phase === 'unlock')
        throw new EnigmaError('VAULT_LOCKED', 'the vault was locked; the job goes on when it is unlocked')
      return undefined
    })
  } finally {
    off()
    session.out.clearProgress()
  }
}

/** Waits until a computation has ended. Rejects with its reason when it failed. */
export async function finishComputation(
  session: Session,
  client: NodeClient,
  id: string,
): Promise<ComputeJob> {
  const off = onInterrupt(session, () => client.call('compute.cancel', { id }))
  let shown = ''
  try {
    return await watch(client, async () => {
      const { job } = await client.call('compute.get', { id })
      const { needed, given } = job.approvals
      const detail =
        job.state === 'approvals'
          ? ` ${given} of ${needed}`
          : job.rounds
            ? ` round ${job.rounds.done} of ${job.rounds.total}`
            : ''
      const line = `${job.function}: ${job.state}${detail}`
      if (line !== shown) session.out.progress(line)
      shown = line
      if (job.state === 'done') return job
      if (job.state === 'failed')
        throw job.error ? EnigmaError.fromObject(job.error) : new EnigmaError('MPC_ABORTED', 'it failed')
      if (job.state === 'cancelled') throw new EnigmaError('CANCELLED', 'the computation was cancelled')
      return undefined
    })
  } finally {
    off()
    session.out.clearProgress()
  }
}
