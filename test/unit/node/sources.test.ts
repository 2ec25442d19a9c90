import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import type { Hex } from '../../../core/ledger/types.ts'
import { packSources, type Source, unpackSources } from '../../../core/node/compute/sources.ts'
import { nodeId } from '../preprocessing/committee.ts'

const word = (i: number): Hex => `0x${i.toString(16).padStart(64, '0')}`

interface Job {
  references: { ref: Hex; n: number; t: number }[]
  sources: Source[]
}

/** References at up to six holders each, out of 300 nodes, and t + 1 of these. */
const jobs = fc
  .array(
    fc.integer({ min: 1, max: 6 }).chain((n) =>
      fc.record({
        n: fc.constant(n),
        indices: fc.shuffledSubarray(
          Array.from({ length: n }, (_, i) => i + 1),
          { minLength: 1 },
        ),
        nodes: fc.array(fc.integer({ min: 0, max: 299 }), { minLength: n, maxLength: n }),
      }),
    ),
    { maxLength: 40 },
  )
  .map(
    (all): Job => ({
      references: all.map(({ n, indices }, i) => ({ ref: word(i), n, t: indices.length - 1 })),
      sources: all.map(({ indices, nodes }, i) => ({
        ref: word(i),
        helpers: indices.map((index, k) => ({ index, node: nodeId(nodes[k]!) })),
      })),
    }),
  )

const references = [
  { ref: word(1), n: 3, t: 1 },
  { ref: word(2), n: 2, t: 0 },
]
const sources: Source[] = [
  {
    ref: word(1),
    helpers: [
      { index: 1, node: nodeId(7) },
      { index: 3, node: nodeId(8) },
    ],
  },
  { ref: word(2), helpers: [{ index: 2, node: nodeId(7) }] },
]

describe('the sources of a plan', () => {
  it('come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(jobs, async ({ references, sources }) => {
        expect(await unpackSources(packSources(sources), references)).toEqual(sources)
      }),
    )
  })

  it('have one form', async () => {
    await fc.assert(
      fc.asyncProperty(
        jobs,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async ({ references, sources }, at, by) => {
          const packed = packSources(sources)
          if (packed.helpers.length === 0) return
          packed.helpers[at % packed.helpers.length]! ^= by
          let read: Source[]
          try {
            read = await unpackSources(packed, references)
          } catch (error) {
            expect(error).toMatchObject({ code: 'PERMISSION_DENIED' })
            return
          }
          const again = packSources(read)
          expect([toHex(again.nodes), toHex(again.helpers)]).toEqual([
            toHex(packed.nodes),
            toHex(packed.helpers),
          ])
        },
      ),
    )
  })

  const { nodes, helpers } = packSources(sources)
  const changed = (at: number, ...to: number[]) => {
    const copy = helpers.slice()
    copy.set(to, at)
    return copy
  }

  it.each([
    ['too few helpers', { nodes, helpers: helpers.subarray(3) }],
    ['too many', { nodes, helpers: Buffer.concat([helpers, Uint8Array.of(1, 0, 0)]) }],
    ['half a node', { nodes: nodes.subarray(1), helpers }],
    ['a share index of 0', { nodes, helpers: changed(0, 0) }],
    ['a share index that nobody holds', { nodes, helpers: changed(0, 4) }],
    ['one share twice', { nodes, helpers: changed(3, 1) }],
    ['a node that is not there', { nodes, helpers: changed(7, 0, 2) }],
    ['nodes in another order', { nodes, helpers: changed(1, 0, 1, 3, 0, 0) }],
    [
      'a node that no helper is',
      { nodes: Buffer.concat([nodes, nodes.subarray(0, 19), Uint8Array.of(1)]), helpers },
    ],
    ['a node twice', { nodes: Buffer.concat([nodes.subarray(0, 20), nodes.subarray(0, 20)]), helpers }],
  ])('are refused with %s', async (_, packed) => {
    await expect(unpackSources(packed, references)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  })
})
