import { availableParallelism } from 'node:os'
import type { AuditVerdict, Transcript } from '../../audit/types.ts'
import { concatBytes } from '../../base/bytes.ts'
import { ThreadPool } from '../../base/thread-pool.ts'
import { minute } from '../../base/units.ts'
import type { CommitVector } from '../../commitments/types.ts'
import { bn254Scalar as field } from '../../field/fields.ts'
import type { FieldVector } from '../../field/types.ts'
import type { Hex } from '../../ledger/types.ts'
import type { AuditService, Heading, PlainFacts } from './audit-service.ts'

/** Of this process, for all its nodes. */
const pool = new ThreadPool<AuditService>({
  url: new URL('./audit-worker.ts', import.meta.url),
  name: 'audit',
  size: Math.max(1, availableParallelism() - 1),
  waiting: 4096,
  idleMs: 1 * minute,
})

/** Commitments of one call, some 50 ms. */
const SLICE = 2048

/** `AuditService.heading` in a thread; shared memory is not copied to it, here and below. */
export function headingInThread(encoded: Uint8Array, digest: Hex): Promise<Heading> {
  return pool.run((service) => service.heading(encoded, digest))
}

/** `AuditService.verify` in a thread. */
export function verifyInThread(
  transcript: Transcript | Uint8Array,
  facts: PlainFacts,
  signal?: AbortSignal,
): Promise<AuditVerdict> {
  return pool.run((service) => service.verify(transcript, facts), signal)
}

/** `AuditService.opens` in a thread. */
export function opensInThread(
  verdict: AuditVerdict & { valid: true },
  opening: Uint8Array,
): Promise<boolean> {
  return pool.run((service) => service.opens(verdict, opening))
}

/** Commitments in threads; throws QUOTA_EXCEEDED when too much waits already. */
export const commitInThreads: CommitVector = async (values, masks, signal) => {
  const slices = Array.from({ length: Math.ceil(values.length / SLICE) }, (_, k) => k * SLICE)
  const encoded = (v: FieldVector, from: number) => {
    const part = field.slice(v, from, Math.min(v.length, from + SLICE))
    const bytes = field.toMontgomery(part)
    part.free()
    return bytes
  }
  // When one fails the caller frees the vectors, so the rest must not start.
  const stop = new AbortController()
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const calls = slices.map((from) =>
    pool.run((service) => service.commit(encoded(values, from), encoded(masks, from)), either),
  )
  try {
    return concatBytes(...(await Promise.all(calls)))
  } catch (error) {
    stop.abort()
    await Promise.allSettled(calls)
    throw error
  }
}
