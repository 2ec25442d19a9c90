import { describe, expect, it } from 'vitest'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { LowGear } from '../../../core/preprocessing/lowgear.ts'
import type { AuthShare } from '../../../core/preprocessing/types.ts'
import { reveal, SLOTS, startAll } from './committee.ts'

/** The same call at every party, and what it makes. */
async function together<T>(parties: readonly LowGear[], call: (party: LowGear, i: number) => Promise<T>) {
  return Promise.all(parties.map(call))
}

describe.each([2, 3])('LowGear with %i parties', (n) => {
  it('makes authenticated triples, squares, bits, inverses, randoms and masks', async () => {
    const parties = await startAll(n)
    expect(new Set(parties.map((p) => p.epoch.id)).size).toBe(1)
    const open = (shares: readonly AuthShare[]) => {
      const { value, valid } = reveal(parties, shares)
      expect(valid).toBe(true)
      return value
    }

    const triples = await together(parties, (p) => p.triples(2))
    const [a, b, c] = (['a', 'b', 'c'] as const).map((k) => open(triples.map((t) => t[k])))
    expect(c!.length).toBe(2 * SLOTS)
    expect(field.equal(field.mul(a!, b!), c!)).toBe(true)
    expect(new Set(field.toBigints(a!)).size).toBe(2 * SLOTS)

    const squares = await together(parties, (p) => p.squares(1))
    const [x, y] = (['a', 'c'] as const).map((k) => open(squares.map((t) => t[k])))
    expect(field.equal(field.mul(x!, x!), y!)).toBe(true)

    const bits = field.toBigints(open(await together(parties, (p) => p.bits(1))))
    expect(new Set(bits)).toEqual(new Set([0n, 1n]))
    expect(bits.filter((v) => v === 1n).length).toBeGreaterThan(SLOTS / 8)

    const pairs = await together(parties, (p) => p.inverses(1))
    const [v, w] = (['a', 'inverse'] as const).map((k) => open(pairs.map((t) => t[k])))
    expect(field.toBigints(field.mul(v!, w!)).every((z) => z === 1n)).toBe(true)

    expect(open(await together(parties, (p) => p.randoms(1))).length).toBe(SLOTS - 1)

    for (let owner = 0; owner < n; owner++) {
      const masks = await together(parties, (p) => p.masks(owner, 1))
      const value = open(masks.map((m) => m.shares))
      expect(masks.map((m) => m.clear !== undefined)).toEqual(parties.map((_, i) => i === owner))
      expect(field.equal(masks[owner]!.clear!, value)).toBe(true)
    }
    await Promise.all(parties.map((p) => p.close()))
  })

  it('goes on with an epoch under its old MAC key', async () => {
    const first = await startAll(n)
    const second = await startAll(n, {
      party: (i) => ({ resume: { epochId: first[i]!.epoch.id, macKey: first[i]!.macKey } }),
    })
    const triples = await together(second, (p) => p.triples(1))
    expect(
      reveal(
        first,
        triples.map((t) => t.c),
      ).valid,
    ).toBe(true)
    expect(second[0]!.epoch.id).toBe(first[0]!.epoch.id)
    await Promise.all([...first, ...second].map((p) => p.close()))
  })
})
