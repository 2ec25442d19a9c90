import { describe, expect, it } from 'vitest'
import { bn254Scalar, secp256k1Scalar } from '../../../core/field/fields.ts'
import { reconstructAdditively, shareAdditively } from '../../../core/sharing/additive.ts'
import { checkIndices, lagrangeCoefficients, reconstruct, shareVector } from '../../../core/sharing/shamir.ts'

const code = (expected: string) => expect.objectContaining({ code: expected })

for (const f of [bn254Scalar, secp256k1Scalar]) {
  describe(`Shamir over ${f.name}`, () => {
    const secrets = f.fromBigints([42n, 0n, -1n, 7n])
    const [n, t] = [7, 3]
    const shares = shareVector(f, secrets, { n, t })
    const pick = (indices: number[]) => indices.map((i) => shares[i - 1]!)

    it('reconstructs from any t + 1 shares, in any order, and checks further ones', () => {
      for (const indices of [
        [1, 2, 3, 4],
        [7, 5, 3, 1],
        [2, 6, 7, 4, 1],
        [7, 6, 5, 4, 3, 2, 1],
      ])
        expect(f.toBigints(reconstruct(f, indices, pick(indices), t))).toEqual(f.toBigints(secrets))
    })

    it('gives the share of another point', () => {
      expect(f.equal(reconstruct(f, [1, 2, 3, 4], pick([1, 2, 3, 4]), t, 6), shares[5]!)).toBe(true)
    })

    it('has polynomials of degree t exactly: t shares fit every secret', () => {
      expect(() => reconstruct(f, [1, 2, 3], pick([1, 2, 3]), t)).toThrow(code('SHARES_TOO_FEW'))
      expect(() => reconstruct(f, [1, 2, 3, 4], pick([1, 2, 3, 4]), t - 1)).toThrow(code('SHARE_INVALID'))
      expect(new Set(shares.flatMap((s) => f.toBigints(s))).size).toBe(n * secrets.length)
    })

    it('detects a share that contradicts the others', () => {
      const bad = f.add(shares[1]!, f.fromBigints([0n, 0n, 0n, 1n]))
      for (const indices of [
        [1, 2, 3, 4, 5],
        [5, 4, 3, 1, 2],
      ]) {
        const tampered = indices.map((i) => (i === 2 ? bad : shares[i - 1]!))
        expect(() => reconstruct(f, indices, tampered, t)).toThrow(code('SHARE_INVALID'))
      }
    })

    it('refuses bad indices, counts and lengths', () => {
      const four = pick([1, 2, 3, 4])
      for (const indices of [
        [0, 1, 2, 3],
        [1, 1, 2, 3],
        [1, 2, 3, -4],
        [1, 2, 3, 65536],
        [1, 2, 3, 1.5],
        [1, 2, 3, Number.NaN],
      ])
        expect(() => reconstruct(f, indices, four, t)).toThrow(code('SHARE_INDEX'))
      expect(() => reconstruct(f, [1, 2, 3], four, t)).toThrow(code('LENGTH_MISMATCH'))
      expect(() => reconstruct(f, [1, 2, 3, 4], [...four.slice(1), f.zeros(1)], t)).toThrow(
        code('LENGTH_MISMATCH'),
      )
      for (const bad of [
        { n: 3, t: 3 },
        { n: 3, t: -1 },
        { n: 0, t: 0 },
        { n: 2.5, t: 1 },
        { n: 65536, t: 1 },
      ])
        expect(() => shareVector(f, secrets, bad)).toThrow(code('SHARING_PARAMETERS'))
      expect(() => lagrangeCoefficients(f, [2, 2])).toThrow(code('SHARE_INDEX'))
      expect(() => checkIndices([1, 65535])).not.toThrow()
    })

    it('is linear (paper, formulas 4 and 5)', () => {
      const other = shareVector(f, f.fromBigints([1n, 2n, 3n, 4n]), { n, t })
      const sums = shares.map((s, i) => f.add(f.scale(s, 3n), other[i]!))
      const expected = f.add(f.scale(secrets, 3n), f.fromBigints([1n, 2n, 3n, 4n]))
      expect(
        f.equal(
          reconstruct(
            f,
            [2, 4, 6, 7],
            [1, 3, 5, 6].map((i) => sums[i]!),
            t,
          ),
          expected,
        ),
      ).toBe(true)
    })

    it('shares with t = 0 and n = 1', () => {
      expect(f.equal(shareVector(f, secrets, { n: 1, t: 0 })[0]!, secrets)).toBe(true)
    })
  })

  describe(`additive sharing over ${f.name}`, () => {
    it('adds up and is random', () => {
      const secrets = f.fromBigints([5n, -1n])
      for (const n of [1, 2, 5]) {
        const shares = shareAdditively(f, secrets, n)
        expect(shares.length).toBe(n)
        expect(f.equal(reconstructAdditively(f, shares), secrets)).toBe(true)
        if (n > 1) expect(shares.some((s) => f.equal(s, secrets))).toBe(false)
      }
      expect(() => shareAdditively(f, secrets, 0)).toThrow(code('SHARING_PARAMETERS'))
      expect(() => reconstructAdditively(f, [])).toThrow(code('SHARES_TOO_FEW'))
      expect(() => reconstructAdditively(f, [secrets, f.zeros(1)])).toThrow(code('LENGTH_MISMATCH'))
    })
  })
}
