import type { NodeId } from '../../transport/types.ts'

/**
 * What nodes of a higher rank say about a job: that an attempt runs. It counts for as long as one attempt may take, and for so
 * many attempts of each node, so that one that lies delays the job and does not stop it.
 */
export class LeadClaims {
  readonly #attempts: number
  readonly #attemptMs: number
  /** When a node first said so of each attempt. */
  readonly #since = new Map<NodeId, Map<number, number>>()

  constructor(attempts: number, attemptMs: number) {
    this.#attempts = attempts
    this.#attemptMs = attemptMs
  }

  /** Whether a node's word about an attempt counts at `now`, in milliseconds. */
  counts(node: NodeId, attempt: number, now: number): boolean {
    const of = this.#since.get(node) ?? new Map<number, number>()
    this.#since.set(node, of)
    const since = of.get(attempt)
    if (since !== undefined) return now - since <= this.#attemptMs
    if (of.size === this.#attempts) return false
    of.set(attempt, now)
    return true
  }
}
