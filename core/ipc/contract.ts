import type * as z from 'zod'
import { EnigmaError } from '../base/errors.ts'
import { computeMethods } from './compute.ts'
import type { Authority } from './method.ts'
import { nodeMethods } from './node.ts'
import { sharingMethods } from './sharing.ts'
import { vaultMethods } from './vault.ts'

/** Everything a person or a script can ask of a node. */
export const contract = { ...nodeMethods, ...vaultMethods, ...sharingMethods, ...computeMethods } as const

export type MethodName = keyof typeof contract
export type Input<M extends MethodName> = z.input<(typeof contract)[M]['input']>
export type Parsed<M extends MethodName> = z.output<(typeof contract)[M]['input']>
export type Output<M extends MethodName> = z.output<(typeof contract)[M]['output']>

/** Facts that a host shows before the owner decides; `kind` selects the text in the owner's language. */
export interface Confirmation {
  kind: Authority
  method: MethodName
  facts: Record<string, string>
}

/** Who calls, and how this caller's host asks the owner. A renderer can trigger a confirmation, never answer it. */
export interface CallContext {
  principal: 'renderer' | 'local'
  confirm(confirmation: Confirmation): Promise<boolean>
}

export type NodeEvent =
  | { type: 'vault' }
  | { type: 'data' }
  | { type: 'sharing' }
  | { type: 'compute'; id?: string }
  | { type: 'approvals' }
  | { type: 'node' }
  | { type: 'settings' }
  | { type: 'activity' }
  | { type: 'job'; id: string }

/** The node's one public face; what crosses it is structured-clone-safe. */
export interface NodeService {
  call<M extends MethodName>(method: M, input: Input<M>, context: CallContext): Promise<Output<M>>
  subscribe(listener: (event: NodeEvent) => void): () => void
}

export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(contract, name)
}

/** Throws METHOD_UNKNOWN or REQUEST_INVALID, naming the first field that does not fit. */
export function parseInput<M extends MethodName>(method: M, input: unknown): Parsed<M> {
  if (!isMethod(method))
    throw new EnigmaError('METHOD_UNKNOWN', `unknown method ${String(method).slice(0, 60)}`)
  const parsed = contract[method].input.safeParse(input)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.') || 'input'
    throw new EnigmaError('REQUEST_INVALID', `${method}: ${where}: ${issue?.message ?? 'invalid'}`, {
      details: { field: where },
    })
  }
  return parsed.data as Parsed<M>
}

/** Strips what the contract does not name; RESPONSE_INVALID when a field is missing or of the wrong type. */
export function parseOutput<M extends MethodName>(method: M, output: unknown): Output<M> {
  const parsed = contract[method].output.safeParse(output)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new EnigmaError(
      'RESPONSE_INVALID',
      `${method}: ${issue?.path.join('.')}: ${issue?.message ?? 'invalid'}`,
    )
  }
  return parsed.data as Output<M>
}
