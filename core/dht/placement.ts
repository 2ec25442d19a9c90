import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, toHex } from '../base/bytes.ts'
import type { NodeId } from '../transport/types.ts'
import type { Candidate, Hash } from './types.ts'

const positions = new Map<NodeId, bigint>()

/** Where a node stands in the key space: keccak256 of its 20-byte id. */
function position(id: NodeId): bigint {
  let at = positions.get(id)
  if (at === undefined) {
    if (positions.size >= 10_000) positions.clear()
    at = BigInt(toHex(keccak_256(fromHex(id, 20))))
    positions.set(id, at)
  }
  return at
}

/**
 * Candidates for a key, best first. With d = keccak256(id) XOR key, uniform over keys, the rank is by
 * −ln(1 − d/2²⁵⁶) / preference, which for near nodes is distance / preference: an exponential variable of rate
 * `preference`, so that a node comes first in proportion to its preference (weighted rendezvous hashing).
 * Preference 0 (or not a positive finite number) is never chosen. Ties go to the smaller distance.
 */
export function rank(key: Hash, nodes: readonly Candidate[]): NodeId[] {
  const at = BigInt(key)
  const scored = new Map<NodeId, { id: NodeId; d: bigint; score: number }>()
  for (const { id, preference } of nodes) {
    if (!(preference > 0) || !Number.isFinite(preference)) continue
    const d = position(id) ^ at
    // The top 64 bits suffice for the logarithm.
    const u = Number(d >> 192n) / 2 ** 64
    scored.set(id, { id, d, score: -Math.log1p(-Math.min(u, 1 - 2 ** -53)) / preference })
  }
  return [...scored.values()].sort((a, b) => a.score - b.score || (a.d < b.d ? -1 : 1)).map((s) => s.id)
}
