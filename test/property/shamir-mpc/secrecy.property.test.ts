import { describe, expect, it } from 'vitest'
import { HEADER_BYTES } from '../../../core/shamir-mpc/wire.ts'
import { shareVector } from '../../../core/sharing/shamir.ts'
import type { Session } from '../../../core/transport/types.ts'
import { meddled } from '../../support/meddled.ts'
import { deal, field, openCommittee } from '../../unit/shamir-mpc/committee.ts'

const SAMPLES = 16_384
const BINS = 64
/** Chi-square with 63 degrees of freedom exceeds 150 with probability below 10^-8. */
const LIMIT = 150

function chiSquare(bins: readonly number[]): number {
  const expected = SAMPLES / BINS
  const counts = new Array<number>(BINS).fill(0)
  for (const b of bins) counts[b]!++
  return counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0)
}

const low = (x: bigint, bits: number) => Number(x & ((1n << BigInt(bits)) - 1n))
const constant = (value: bigint) => field.fromBigints(new Array<bigint>(SAMPLES).fill(value))

// A sanity check of the plumbing (a share that is the secret, a mask used twice), not a proof.
describe('t shares of a constant look uniform', () => {
  it.each([0n, 1n, field.modulus - 1n])('secret %d: single shares and pairs of shares', (secret) => {
    const shares = shareVector(field, constant(secret), { n: 5, t: 2 }).map((s) => field.toBigints(s))
    for (const share of shares) expect(chiSquare(share.map((x) => low(x, 6)))).toBeLessThan(LIMIT)
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < i; j++) {
        const joint = shares[i]!.map((x, k) => low(x, 3) * 8 + low(shares[j]![k]!, 3))
        expect(chiSquare(joint)).toBeLessThan(LIMIT)
      }
  })
})

describe.each(['reshare', 'king'] as const)(
  'what a party sees of a product of constants (%s)',
  (degreeReduction) => {
    it('looks uniform: messages, results, refreshed results', async () => {
      const seen: bigint[][] = []
      const spy = (session: Session, index: number): Session =>
        index !== 0
          ? session
          : meddled(session, {
              receive: async (from, o) => {
                const message = await session.receive(from, o)
                // Elements, not keys: the kinds "data" and "king".
                if (message[1] === 2 || message[1] === 5)
                  seen.push(field.toBigints(field.fromBytes(message.subarray(HEADER_BYTES))))
                return message
              },
            })
      const committee = await openCommittee(3, 1, { degreeReduction, chunk: SAMPLES }, spy)
      const shares = deal([new Array<bigint>(SAMPLES).fill(3n)], 3, 1)
      const results = await Promise.all(
        committee.parties.map(async (p, i) => {
          const [c] = await p.multiply([{ op: 'mul', a: shares[i]![0]!, b: shares[i]![0]! }])
          return { before: field.toBigints(c!), after: field.toBigints(await p.refresh(c!)) }
        }),
      )
      expect(seen.length).toBeGreaterThan(0)
      for (const values of [...seen, ...results.flatMap((r) => [r.before, r.after])]) {
        expect(values).toHaveLength(SAMPLES)
        expect(chiSquare(values.map((x) => low(x, 6)))).toBeLessThan(LIMIT)
      }
      // Refreshed: another polynomial. Jointly uniform with the one before.
      for (const { before, after } of results)
        expect(chiSquare(before.map((x, k) => low(x, 3) * 8 + low(after[k]!, 3)))).toBeLessThan(LIMIT)
      await committee.close()
    })
  },
)
