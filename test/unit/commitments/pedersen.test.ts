import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { g1 } from '../../../core/commitments/g1.ts'
import {
  deriveGenerator,
  encodeAffine,
  GENERATOR_H,
  GENERATOR_H_LABEL,
} from '../../../core/commitments/generators.ts'
import { commitVector, pedersen } from '../../../core/commitments/pedersen.ts'
import { bn254Scalar as f, secp256k1Scalar } from '../../../core/field/fields.ts'

interface Vectors {
  label: string
  h: { uncompressed: string; compressed: string }
  vectors: { value: string; mask: string; uncompressed: string; compressed: string }[]
}
const file = new URL('../../vectors/pedersen-bn254.json', import.meta.url)
const { label, h, vectors } = JSON.parse(readFileSync(file, 'utf8')) as Vectors
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const code = (expected: string) => expect.objectContaining({ code: expected })
const values = f.fromBigints(vectors.map((v) => BigInt(`0x${v.value}`)))
const masks = f.fromBigints(vectors.map((v) => BigInt(`0x${v.mask}`)))
const joined = (key: 'uncompressed' | 'compressed') => vectors.map((v) => v[key]).join('')

describe('Pedersen commitments', () => {
  it('derive H from its label as the vectors do', () => {
    expect(GENERATOR_H_LABEL).toBe(label)
    expect(deriveGenerator(label)).toEqual(GENERATOR_H)
    expect(hex(encodeAffine(GENERATOR_H))).toBe(h.uncompressed)
    expect(deriveGenerator(`${label}0`)).not.toEqual(GENERATOR_H)
  })

  it('match the vectors, in a batch, one by one and in a batch larger than a block', () => {
    expect(hex(g1.toBytes(commitVector(values, masks)))).toBe(joined('uncompressed'))
    vectors.forEach((v, i) => {
      const one = commitVector(f.slice(values, i, i + 1), f.slice(masks, i, i + 1))
      expect(hex(g1.toBytes(one))).toBe(v.uncompressed)
    })
    const many = 50
    const repeat = (v: typeof values) => f.concat(new Array<typeof values>(many).fill(v))
    expect(hex(g1.toBytes(commitVector(repeat(values), repeat(masks))))).toBe(
      joined('uncompressed').repeat(many),
    )
    expect(commitVector(f.zeros(0), f.zeros(0)).length).toBe(0)
  })

  it('name the positions that do not open', () => {
    const c = commitVector(values, masks)
    expect(pedersen.mismatches(c, values, masks)).toEqual([])
    const wrong = f.toBigints(values)
    wrong[2] = wrong[2]! + 1n
    wrong[9] = wrong[9]! - 1n
    expect(pedersen.mismatches(c, f.fromBigints(wrong), masks)).toEqual([2, 9])
  })

  it('refuse unequal lengths and vectors of another field', () => {
    expect(() => commitVector(values, f.zeros(2))).toThrow(code('LENGTH_MISMATCH'))
    expect(() => commitVector(secp256k1Scalar.zeros(1), f.zeros(1))).toThrow(code('INVALID_ARGUMENT'))
  })
})

describe('encodings of G1', () => {
  it('are canonical both ways', () => {
    const points = g1.fromBytes(Buffer.from(joined('uncompressed'), 'hex'))
    expect(hex(g1.toCompressed(points))).toBe(joined('compressed'))
    const again = g1.fromCompressed(Buffer.from(joined('compressed'), 'hex'))
    expect(hex(g1.toBytes(again))).toBe(joined('uncompressed'))
    expect(g1.equal(points, again)).toBe(true)
  })

  const P = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
  const pair = (x: bigint, y: bigint) => encodeAffine({ x, y })
  const good = pair(1n, 2n)
  const bad: Record<string, Uint8Array> = {
    'off the curve': pair(1n, 3n),
    'zero x with a y': pair(0n, 2n),
    'x with zero y': pair(1n, 0n),
    'x not reduced': pair(P + 1n, 2n),
    'y not reduced': pair(1n, P + 2n),
    'infinity as p': pair(P, P),
    'all ones': new Uint8Array(64).fill(255),
  }
  for (const [name, bytes] of Object.entries(bad))
    it(`refuses a point ${name}, wherever it is in a batch`, () => {
      expect(() => g1.fromBytes(bytes)).toThrow(code('POINT_INVALID'))
      expect(() => g1.fromBytes(Buffer.concat([good, new Uint8Array(64), bytes]))).toThrow(
        code('POINT_INVALID'),
      )
    })

  it('refuses every flipped bit of an uncompressed point', () => {
    for (let bit = 0; bit < 512; bit++) {
      const bytes = Uint8Array.from(good)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => g1.fromBytes(bytes)).toThrow(code('POINT_INVALID'))
    }
  })

  it('refuses compressed points that are not canonical', () => {
    const compressed = (x: bigint, flag: bigint) =>
      Buffer.from((x | (flag << 254n)).toString(16).padStart(64, '0'), 'hex')
    expect(g1.toBytes(g1.fromCompressed(compressed(1n, 2n)))).toEqual(good)
    // 4³ + 3 is no square modulo p.
    for (const [x, flag] of [
      [1n, 0n],
      [1n, 1n],
      [0n, 0n],
      [P + 1n, 2n],
      [(1n << 254n) - 1n, 3n],
      [4n, 2n],
      [4n, 3n],
    ])
      expect(() => g1.fromCompressed(compressed(x!, flag!))).toThrow(code('POINT_INVALID'))
    expect(g1.isZero(g1.fromCompressed(compressed(0n, 1n)))).toBe(true)
  })

  it('refuses ragged lengths and takes none', () => {
    expect(() => g1.fromBytes(new Uint8Array(65))).toThrow(code('LENGTH_MISMATCH'))
    expect(() => g1.fromCompressed(new Uint8Array(31))).toThrow(code('LENGTH_MISMATCH'))
    expect(g1.fromBytes(new Uint8Array(0)).length).toBe(0)
  })
})
