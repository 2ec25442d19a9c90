import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import { rank } from '../../../core/dht/placement.ts'
import type { Candidate, Hash } from '../../../core/dht/types.ts'
import type { NodeId } from '../../../core/transport/types.ts'

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => toHex(b))
const candidates = fc.uniqueArray(
  fc.record({ id: hex(20) as fc.Arbitrary<NodeId>, preference: fc.constantFrom(0, 0.1, 1, 2, 1e6) }),
  { selector: (c) => c.id, maxLength: 30 },
)
const key = hex(32) as fc.Arbitrary<Hash>

describe('rank', () => {
  it('is a permutation of those with a preference, independent of their order', () => {
    fc.assert(
      fc.property(key, candidates, (k, nodes) => {
        const ranked = rank(k, nodes)
        expect([...ranked].sort()).toEqual(
          nodes
            .filter((n) => n.preference > 0)
            .map((n) => n.id)
            .sort(),
        )
        expect(rank(k, [...nodes].reverse())).toEqual(ranked)
      }),
    )
  })

  it('moves nobody else when a node leaves', () => {
    fc.assert(
      fc.property(key, candidates, (k, nodes) => {
        const gone = nodes[0]?.id
        expect(rank(k, nodes.slice(1))).toEqual(rank(k, nodes).filter((id) => id !== gone))
      }),
    )
  })

  it('never ranks a node lower for a higher preference', () => {
    fc.assert(
      fc.property(key, candidates, fc.nat(29), (k, nodes, i) => {
        const chosen = nodes[i % Math.max(1, nodes.length)]
        if (!chosen || chosen.preference === 0) return
        const raised = nodes.map((n) => (n === chosen ? { ...n, preference: n.preference * 3 } : n))
        expect(rank(k, raised).indexOf(chosen.id)).toBeLessThanOrEqual(rank(k, nodes).indexOf(chosen.id))
      }),
    )
  })

  it('refuses preferences that are no positive numbers', () => {
    const ids = [NaN, Number.POSITIVE_INFINITY, -1, 0].map((preference, i) => ({
      id: `0x${String(i).repeat(40)}` as NodeId,
      preference,
    }))
    expect(rank(`0x${'11'.repeat(32)}`, ids)).toEqual([])
  })

  it('puts nodes first in proportion to their preference', () => {
    const nodes: Candidate[] = [1, 2, 3, 4].map((preference) => ({
      id: toHex(randomBytes(20)) as NodeId,
      preference,
    }))
    const wins = new Map<NodeId, number>()
    const trials = 8000
    // Fresh ids too: for fixed ids the XOR metric cuts the key space into regular pieces.
    for (let i = 0; i < trials; i++) {
      const fresh = nodes.map((n) => ({ ...n, id: toHex(randomBytes(20)) as NodeId }))
      const first = rank(toHex(randomBytes(32)) as Hash, fresh)[0]!
      const which = nodes[fresh.findIndex((f) => f.id === first)]!.id
      wins.set(which, (wins.get(which) ?? 0) + 1)
    }
    for (const n of nodes) {
      const expected = (trials * n.preference) / 10
      // Six standard deviations.
      expect(Math.abs(wins.get(n.id)! - expected)).toBeLessThan(6 * Math.sqrt(expected))
    }
  })
})
