import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, fromHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'

type NodeId = `0x${string}`

/** Nodes beyond the committee's size that may stand in when drawn ones do not answer. */
export const SPARES = 4

/**
 * Network reduction (paper §5.3): every node gets the rank of H(seed ‖ node), so that anyone who knows the
 * ledger's seed re-runs the draw. `seed` has 32 bytes; duplicates are dropped.
 */
export function rankNodes(seed: Uint8Array, nodes: readonly NodeId[]): NodeId[] {
  if (seed.length !== 32)
    throw new EnigmaError('INVALID_ARGUMENT', `seed: ${seed.length} bytes instead of 32`)
  return [...new Set(nodes)]
    .map((node) => ({ node, rank: Buffer.from(keccak_256(concatBytes(seed, fromHex(node, 20)))) }))
    .sort((a, b) => Buffer.compare(a.rank, b.rank))
    .map(({ node }) => node)
}

/**
 * Whether `committee` is one that the draw allows: `size` different nodes, all among the first `size` plus
 * SPARES of the ranking.
 */
export function isDrawn(ranking: readonly NodeId[], committee: readonly NodeId[], size: number): boolean {
  const eligible = new Set(ranking.slice(0, size + SPARES))
  return (
    committee.length === size &&
    new Set(committee).size === size &&
    committee.every((member) => eligible.has(member))
  )
}
