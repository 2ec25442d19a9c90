import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bn254Scalar as f, secp256k1Scalar } from '../../../core/field/fields.ts'
import { decodeCommitments, encodeCommitments } from '../../../core/sharing/commitments.ts'
import { decodeShare, encodeShare } from '../../../core/sharing/encoding.ts'
import { reconstruct, shareVector } from '../../../core/sharing/shamir.ts'
import { deal, reconstructVerified, verifyShare } from '../../../core/sharing/vss.ts'

const shape = fc
  .integer({ min: 1, max: 12 })
  .chain((n) => fc.record({ n: fc.constant(n), t: fc.integer({ min: 0, max: n - 1 }) }))
const values = fc.array(fc.bigInt(-(1n << 256n), 1n << 256n), { minLength: 1, maxLength: 12 })
/** The indices 1…n in a random order. */
const order = (n: number) =>
  fc.shuffledSubarray(
    Array.from({ length: n }, (_, i) => i + 1),
    { minLength: n },
  )

describe('sharing', () => {
  it('Shamir: any t + 1 shares reconstruct, in both fields', () => {
    const input = shape.chain((s) => fc.tuple(fc.constant(s), order(s.n), values))
    fc.assert(
      fc.property(input, ([{ n, t }, indices, numbers]) => {
        for (const field of [f, secp256k1Scalar]) {
          const secrets = field.fromBigints(numbers)
          const shares = shareVector(field, secrets, { n, t })
          const used = indices.slice(0, t + 1)
          const back = reconstruct(
            field,
            used,
            used.map((i) => shares[i - 1]!),
            t,
          )
          expect(field.toBigints(back)).toEqual(field.toBigints(secrets))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('VSS: shares verify after a round trip, and tampered ones are named and ignored', async () => {
    const input = shape.chain((s) =>
      fc.tuple(fc.constant(s), order(s.n), values, fc.integer({ min: 0, max: s.n - s.t - 1 }), fc.nat()),
    )
    await fc.assert(
      fc.asyncProperty(input, async ([{ n, t }, indices, numbers, liars, where]) => {
        const secrets = f.fromBigints(numbers)
        const dealing = await deal(secrets, { n, t })
        const commitments = await decodeCommitments(await encodeCommitments(dealing.commitments))
        const received = dealing.shares.map((s) => decodeShare(encodeShare(s)))
        const bad = new Set(indices.slice(0, liars))
        const sent = received.map((s) => {
          if (!bad.has(s.index)) return s
          const numbersOf = f.toBigints(where % 2 === 0 ? s.values : s.masks)
          numbersOf[where % numbersOf.length]! += 1n
          return { ...s, [where % 2 === 0 ? 'values' : 'masks']: f.fromBigints(numbersOf) }
        })
        for (const s of sent) expect(await verifyShare(s, commitments)).toBe(!bad.has(s.index))
        const result = await reconstructVerified(sent, commitments)
        expect(f.equal(result.secrets, secrets)).toBe(true)
        expect(new Set(result.bad)).toEqual(bad)
      }),
      { numRuns: 30 },
    )
  })

  it('decoders take nothing but what encoders made', async () => {
    const { commitments, shares } = await deal(f.random(2), { n: 2, t: 1 })
    const encoded = [await encodeCommitments(commitments), encodeShare(shares[0]!)] as const
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), async (position, flip, cut) => {
        for (const original of encoded) {
          const bytes = Uint8Array.from(original)
          bytes[position % bytes.length]! ^= flip
          for (const mutated of [bytes, original.subarray(0, cut % original.length)]) {
            const isShare = original === encoded[1]
            const result = await (isShare
              ? Promise.resolve().then(() => encodeShare(decodeShare(mutated)))
              : decodeCommitments(mutated).then(encodeCommitments)
            ).catch((error) => error as Error)
            // Either refused with a code of the product, or a different value that has exactly this encoding.
            if (result instanceof Error)
              expect(result).toMatchObject({
                code: expect.stringMatching(/^(SHARE_INVALID|SHARE_INDEX|POINT_INVALID|FIELD_RANGE)$/),
              })
            else expect(result).toEqual(mutated)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
