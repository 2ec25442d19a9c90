import { EnigmaError, type Job } from '../core/ipc/index.ts'

/** The 32-byte id on the ledger that a finished job made. */
export function idOf(job: Job): string {
  const id = Object.values(job.result ?? {}).find((value) => /^0x[0-9a-f]{64}$/.test(value))
  if (id === undefined) throw new EnigmaError('RESPONSE_INVALID', `the ${job.kind} job made no id`)
  return id
}
