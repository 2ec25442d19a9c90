import { describe, expect, it } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import { g1 } from '../../../core/commitments/g1.ts'
import { pedersen } from '../../../core/commitments/pedersen.ts'
import { hashBytes } from '../../../core/dht/cbor.ts'
import type { ShareRecord } from '../../../core/dht/types.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { Hex, ReferenceRecord } from '../../../core/ledger/types.ts'
import { dealPieces, InputCollector } from '../../../core/node/compute/resharing.ts'
import { encodeCommitments } from '../../../core/sharing/commitments.ts'
import { deal } from '../../../core/sharing/vss.ts'

const node = (i: number): Hex => `0x${i.toString(16).padStart(40, '0')}`

/** Two references of one and three values at five holders each, of whom three hand them to a committee of n. */
async function handOver(n: number) {
  const secrets = [[41n], [7n, field.modulus - 1n, 0n]]
  const references: ReferenceRecord[] = []
  const sources: { ref: Hex; helpers: { index: number; node: Hex }[] }[] = []
  const records = new Map<Hex, { record: ShareRecord; helpers: number[] }[]>()
  const constants: Uint8Array[] = []
  const originals = new Map<Hex, Uint8Array>()
  for (const [i, values] of secrets.entries()) {
    const ref = toHex(new Uint8Array(32).fill(i + 1))
    const dealing = await deal(field.fromBigints(values), { n: 5, t: 2 })
    const commitments = await encodeCommitments(dealing.commitments)
    originals.set(ref, commitments)
    constants.push(g1.toBytes(dealing.commitments.points[0]!))
    references.push({
      ref,
      n: 5,
      t: 2,
      length: values.length,
      commitmentsDigest: hashBytes(commitments),
    } as ReferenceRecord)
    const indices = i === 0 ? [1, 3, 5] : [2, 3, 4]
    sources.push({ ref, helpers: indices.map((index) => ({ index, node: node(index) })) })
    for (const index of indices) {
      const share = dealing.shares[index - 1]!
      const record = {
        index,
        values: field.toBytes(share.values),
        masks: field.toBytes(share.masks),
      } as ShareRecord
      records.set(node(index), [...(records.get(node(index)) ?? []), { record, helpers: indices }])
    }
  }
  const collectors = Array.from(
    { length: n },
    (_, i) => new InputCollector({ references, sources, party: i + 1, n, threshold: n - 1 }),
  )
  for (const [holder, inputs] of records) {
    const dealt = await dealPieces(inputs, n, n - 1)
    const refs = sources.filter((s) => s.helpers.some((h) => h.node === holder)).map((s) => s.ref)
    for (const [i, collector] of collectors.entries())
      await collector.add(
        holder,
        {
          jobId: node(0),
          attempt: 1,
          coordinator: node(0),
          refs,
          values: dealt.values[i]!,
          masks: dealt.masks[i]!,
          commitments: dealt.commitments,
          originals: refs.map((ref) => originals.get(ref)!),
          signature: new Uint8Array(65),
        },
        dealt.digest,
      )
  }
  for (const collector of collectors) await collector.complete(new AbortController().signal)
  return { parts: collectors.map((c) => c.additive()), secrets: secrets.flat(), constants }
}

describe('inputs of a committee of which all but one may be malicious', () => {
  for (const n of [2, 3, 5])
    it(`${n} members get an additive sharing, committed to by parts that add up to C_0`, async () => {
      const { parts, secrets, constants } = await handOver(n)
      const sum = parts.map((p) => p.values).reduce((a, b) => field.add(a, b))
      expect(field.toBigints(sum)).toEqual(secrets)
      const expected = g1.concat(constants.map((c) => g1.fromBytes(c)))
      for (const [i, { values, masks }] of parts.entries())
        for (const { commitments } of parts)
          expect(pedersen.mismatches(commitments[i]!, values, masks)).toEqual([])
      const total = parts[0]!.commitments.reduce((a, b) => g1.add(a, b))
      expect(g1.equal(total, expected)).toBe(true)
    })
})
