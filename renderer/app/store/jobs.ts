import type { Job } from '../../../core/ipc/index.ts'
import { call, onNodeEvent } from './client.ts'
import { query } from './query.ts'

/** All long work, newest first. */
export const jobs = query('jobs.list', { on: [] })

const fetching = new Map<string, boolean>()

async function merge(id: string): Promise<void> {
  if (fetching.has(id)) {
    fetching.set(id, true)
    return
  }
  fetching.set(id, false)
  try {
    const { job } = await call('jobs.get', { id })
    jobs.patch({}, ({ jobs: list }) => ({
      jobs: list.some((j) => j.id === id) ? list.map((j) => (j.id === id ? job : j)) : [job, ...list],
    }))
  } catch {
    await jobs.refresh({})
  } finally {
    const again = fetching.get(id)
    fetching.delete(id)
    if (again === true) void merge(id)
  }
}

onNodeEvent((event) => {
  if (event.type === 'job' && jobs.peek({}) !== undefined) void merge(event.id)
})

/** One job's live state; undefined until it is known. */
export function useJob(id: string | undefined): Job | undefined {
  const { data } = jobs.use(id === undefined ? undefined : {})
  return data?.jobs.find((job) => job.id === id)
}

export const isActive = (job: Job): boolean => job.state === 'running' || job.state === 'waiting'

export async function cancelJob(id: string): Promise<void> {
  await call('jobs.cancel', { id })
  await merge(id)
}

/** Makes sure that a job which was just started is known, even if its event came first. */
export async function trackJob(started: { jobId: string }): Promise<string> {
  if (jobs.peek({}) === undefined) await jobs.refresh({})
  else await merge(started.jobId)
  return started.jobId
}
