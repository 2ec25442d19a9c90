import * as z from 'zod'
import { errorObject } from './common.ts'
import type { NodeEvent } from './contract.ts'

/** What travels between a client and its host, whichever channel carries it. */
export const requestFrame = z.strictObject({
  id: z.int().nonnegative(),
  method: z.string().max(60),
  input: z.unknown(),
})
/** A local client's answer to a confirmation; never accepted from a renderer. */
export const decisionFrame = z.strictObject({ confirmation: z.int().nonnegative(), accept: z.boolean() })
export const clientFrame = z.union([requestFrame, decisionFrame])

export const hostFrame = z.union([
  z.object({ id: z.int(), output: z.unknown() }),
  z.object({ id: z.int(), error: errorObject }),
  z.object({ event: z.custom<NodeEvent>((v) => typeof (v as { type?: unknown } | null)?.type === 'string') }),
  z.object({
    confirmation: z.int(),
    ask: z.object({ kind: z.string(), method: z.string(), facts: z.record(z.string(), z.string()) }),
  }),
])

export type ClientFrame = z.infer<typeof clientFrame>
export type HostFrame = z.infer<typeof hostFrame>
