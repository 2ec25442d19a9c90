import type { Input } from '../../../core/ipc/index.ts'
import { call, onNodeEvent } from './client.ts'
import { query } from './query.ts'

export const functions = query('compute.functions', { on: [], whileLocked: true })
export const references = query('compute.references', { on: ['sharing', 'compute'] })
/** Whole list on events without an id; a single request's progress is merged below. */
export const computations = query('compute.list', {
  on: ['compute'],
  concerns: (event) => event.type === 'compute' && event.id === undefined,
})
export const computeResult = query('compute.result', {
  on: ['compute'],
  forget: true,
  concerns: (event, key) => event.type === 'compute' && event.id !== undefined && key.includes(event.id),
})
export const approvals = query('approvals.list', { on: ['approvals', 'compute'] })

const fetching = new Map<string, boolean>()

/** Progress comes many times a second: at most one question per request is under way. */
async function merge(id: string): Promise<void> {
  if (fetching.has(id)) {
    fetching.set(id, true)
    return
  }
  fetching.set(id, false)
  try {
    const { job } = await call('compute.get', { id })
    computations.patch({}, ({ jobs }) => ({
      jobs: jobs.some((j) => j.id === id) ? jobs.map((j) => (j.id === id ? job : j)) : [job, ...jobs],
    }))
  } catch {
    await computations.refresh({})
  } finally {
    const again = fetching.get(id)
    fetching.delete(id)
    if (again === true) void merge(id)
  }
}

onNodeEvent((event) => {
  if (event.type === 'compute' && event.id !== undefined && computations.peek({}) !== undefined)
    void merge(event.id)
})

export const compute = {
  request: (input: Input<'compute.request'>) => call('compute.request', input),
  audit: (id: string) => call('compute.audit', { id }),
  cancel: (id: string) => call('compute.cancel', { id }),
  decide: (id: string, decision: 'approve' | 'decline') => call('approvals.decide', { id, decision }),
}
