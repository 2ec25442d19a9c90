import type { Job } from '../../../core/ipc/index.ts'

/** The steps people see for each kind of work; a phase that is not among them is placed by progress. */
export const PHASES: Record<Job['kind'], readonly string[]> = {
  share: ['predicate', 'split', 'send', 'ledger', 'commit'],
  compute: ['request'],
  result: ['approvals', 'admit', 'committee', 'inputs', 'computing', 'output'],
  declassify: ['locate', 'collect', 'verify'],
  revoke: ['ledger', 'erase'],
  identity: ['consents', 'ledger'],
  predicate: ['ledger'],
  decide: ['ledger'],
  register: ['ledger'],
}

/** Which of the steps a job is in; steps.length when it is done. */
export function stepOf(job: Pick<Job, 'kind' | 'phase' | 'progress' | 'state'>): number {
  const steps = PHASES[job.kind]
  if (job.state === 'done') return steps.length
  const index = steps.indexOf(job.phase)
  return index >= 0 ? index : Math.min(steps.length - 1, Math.floor(job.progress * steps.length))
}
