import * as z from 'zod'
import { ERROR_CODES } from '../base/errors.ts'

const codes = Object.values(ERROR_CODES).flat() as [string, ...string[]]

/** 32 bytes as 0x and 64 lower-case hex digits: references, job ids, digests, predicate ids. */
export const hash = z.string().regex(/^0x[0-9a-f]{64}$/)
/** 20 bytes, lower case: accounts, node ids, identity addresses. */
export const address = z.string().regex(/^0x[0-9a-f]{40}$/)
/** A compressed secp256k1 public key. */
export const publicKey = z.string().regex(/^0x0[23][0-9a-f]{64}$/)
/** Wei as a decimal string. */
export const wei = z.string().regex(/^\d{1,78}$/)
/** An exact decimal number as people write it. */
export const decimal = z.string().regex(/^-?\d{1,30}(\.\d{1,30})?$/)
/** Milliseconds since the Unix epoch. */
export const time = z.int().nonnegative()
export const id = z.string().min(1).max(80)
export const label = z.string().trim().min(1).max(200)
export const password = z.string().min(1).max(1024)
export const nothing = z.strictObject({})

export const errorObject = z.object({
  code: z.enum(codes),
  message: z.string(),
  remedy: z.string().optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
})

/** Long work: a row that survives a restart, observable and cancellable. */
export const job = z.object({
  id,
  kind: z.enum([
    'share',
    'compute',
    'result',
    'declassify',
    'revoke',
    'identity',
    'predicate',
    'decide',
    'register',
  ]),
  state: z.enum(['running', 'waiting', 'done', 'failed', 'cancelled']),
  /** The step it is in, e.g. "split", "send", "ledger"; the interface has a text for each. */
  phase: z.string(),
  /** 0 to 1 over the whole job. */
  progress: z.number().min(0).max(1),
  title: z.string(),
  startedAt: time,
  updatedAt: time,
  error: errorObject.optional(),
  /** What it made: reference, request id, identity … */
  result: z.record(z.string(), z.string()).optional(),
})
export const jobStarted = z.object({ jobId: id })

export type Job = z.infer<typeof job>
