import { beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../../core/base/bytes.ts'
import { bgvParameters, SECURE_MODULUS_BITS, standardParameters } from '../../../core/bgv/parameters.ts'
import { Bgv } from '../../../core/bgv/scheme.ts'
import type { Ciphertext, PublicKey, SecretKey } from '../../../core/bgv/types.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import { testParameters } from './parameters.ts'

const CONTEXT = utf8('epoch 1, party 0')
const bits = (x: bigint) => x.toString(2).length

describe('parameters', () => {
  it('stay within the standard’s table and leave room for the worst case', () => {
    const p = standardParameters()
    const q = p.primes.reduce((a, b) => a * b)
    expect(bits(q)).toBe(735)
    expect(bits(q)).toBeLessThanOrEqual(SECURE_MODULUS_BITS[32768]!)
    expect(4n * p.noise.reply).toBeLessThan(q)
    expect(p.rows * 16).toBeGreaterThanOrEqual(82)
    // Hidden: a factor that is off by everything it could be, relative to the mask, over all coefficients.
    expect(bits(p.noise.drowning) + bits(p.plaintext)).toBeGreaterThan(bits(p.noise.proven) + 253 + 15 + 80)
  })

  it('are refused when the dimension is too small for the modulus, or the modulus for the noise', () => {
    expect(() => bgvParameters({ n: 16384, levels: 15, replyLevels: 6, batch: 12 })).toThrow('not secure')
    expect(() => bgvParameters({ n: 32768, levels: 14, replyLevels: 6, batch: 12 })).toThrow('no room')
    expect(() => bgvParameters({ n: 32768, levels: 15, replyLevels: 5, batch: 12 })).toThrow('no room')
    expect(() => bgvParameters({ n: 32768, levels: 15, replyLevels: 6, batch: 13 })).toThrow('1 to 12')
  })
})

/** What a dealer of one party's ciphertexts and another's factors makes of them. */
function world(bgv: Bgv) {
  const keys = bgv.generateKeys(CONTEXT)
  const key = bgv.importKey(keys.publicKey, keys.proof, CONTEXT)
  const random = () => field.random(bgv.parameters.n)
  const coefficients = (v: FieldVector) => bgv.toCoefficients(field.toBytes(v))
  return { ...keys, key, random, coefficients }
}

describe('products of an encrypted and a plain vector', () => {
  it('are right slot by slot, and coefficient by coefficient for a constant', () => {
    const bgv = new Bgv(testParameters())
    const { key, secret, random, coefficients } = world(bgv)
    const a = [random(), random(), random()]
    const { ciphertexts, proof } = bgv.encrypt(key, a.map(coefficients), CONTEXT)
    const imported = bgv.importCiphertexts(key, ciphertexts, proof, CONTEXT)
    for (const [i, c] of imported.entries()) {
      const [b, m] = [random(), random()]
      const reply = bgv.multiplyAndMask(key, c, coefficients(b), coefficients(m))
      expect(reply).toHaveLength(bgv.replyLength)
      const value = field.fromBytes(bgv.toSlots(bgv.decryptReply(secret, reply)))
      expect(field.equal(value, field.sub(field.mul(a[i]!, b), m))).toBe(true)
    }
    // α in the constant coefficient: products need no packing.
    const alpha = field.random(1)
    const constant = new Uint8Array(32 * bgv.parameters.n)
    constant.set(field.toBytes(alpha))
    const one = bgv.encrypt(key, [constant], CONTEXT)
    const [c] = bgv.importCiphertexts(key, one.ciphertexts, one.proof, CONTEXT)
    const [b, m] = [random(), random()]
    const reply = bgv.multiplyAndMask(key, c!, field.toBytes(b), field.toBytes(m))
    const value = field.fromBytes(bgv.decryptReply(secret, reply))
    expect(field.equal(value, field.sub(field.mul(alpha, b), m))).toBe(true)
  })

  it('survive the extremes of plaintexts and factors', () => {
    const bgv = new Bgv(testParameters(16))
    const { key, secret } = world(bgv)
    const extreme = (value: bigint) => field.toBytes(field.fromBigints(new Array(16).fill(value)))
    for (const x of [0n, 1n, field.modulus - 1n, field.modulus / 2n, field.modulus / 2n + 1n]) {
      const { ciphertexts, proof } = bgv.encrypt(key, [extreme(x)], CONTEXT)
      const [c] = bgv.importCiphertexts(key, ciphertexts, proof, CONTEXT)
      for (const y of [0n, field.modulus - 1n, field.modulus / 2n]) {
        const reply = bgv.multiplyAndMask(key, c!, extreme(y), extreme(x))
        const slots = field.toBigints(field.fromBytes(bgv.toSlots(bgv.decryptReply(secret, reply))))
        const [sx, sy] = [x, y].map((v) => field.toBigints(field.fromBytes(bgv.toSlots(extreme(v)))))
        expect(slots).toEqual(
          sx!.map((v, i) => (((v * sy![i]! - v) % field.modulus) + field.modulus) % field.modulus),
        )
      }
    }
  })
})

describe('what comes from another party', () => {
  let bgv: Bgv
  let secret: SecretKey
  let key: PublicKey
  let publicKey: Uint8Array
  let keyProof: Uint8Array
  let ciphertexts: Uint8Array[]
  let proof: Uint8Array
  let imported: Ciphertext[]

  beforeAll(() => {
    bgv = new Bgv(testParameters())
    const made = world(bgv)
    ;({ secret, key, publicKey, proof: keyProof } = made)
    const batch = bgv.encrypt(key, [made.random(), made.random()].map(made.coefficients), CONTEXT)
    ;({ ciphertexts, proof } = batch)
    imported = bgv.importCiphertexts(key, ciphertexts, proof, CONTEXT)
  })

  const flipped = (bytes: Uint8Array, at: number) => {
    const out = bytes.slice()
    out[at % out.length]! ^= 1 << (at % 8)
    return out
  }

  it('is refused when any byte of it has changed', () => {
    for (let i = 0; i < 60; i++) {
      const at = Math.floor((i * 0.9173 * 7919 * 31) % proof.length)
      expect(() => bgv.importCiphertexts(key, ciphertexts, flipped(proof, at), CONTEXT)).toThrow()
      const [first, second] = ciphertexts as [Uint8Array, Uint8Array]
      expect(() => bgv.importCiphertexts(key, [flipped(first, at), second], proof, CONTEXT)).toThrow()
      expect(() => bgv.importKey(flipped(publicKey, at), keyProof, CONTEXT)).toThrow()
      expect(() => bgv.importKey(publicKey, flipped(keyProof, at), CONTEXT)).toThrow()
    }
  })

  it('is refused in another context, order, number or length', () => {
    const cases: [readonly Uint8Array[], Uint8Array, Uint8Array][] = [
      [ciphertexts, proof, utf8('epoch 2, party 0')],
      [[...ciphertexts].reverse(), proof, CONTEXT],
      [ciphertexts.slice(1), proof, CONTEXT],
      [[...ciphertexts, ciphertexts[0]!], proof, CONTEXT],
      [ciphertexts, proof.subarray(1), CONTEXT],
      [ciphertexts, new Uint8Array(proof.length), CONTEXT],
      [ciphertexts.map((c) => c.subarray(1)), proof, CONTEXT],
      [[], proof, CONTEXT],
    ]
    for (const [texts, p, context] of cases)
      expect(() => bgv.importCiphertexts(key, texts, p, context)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(CIPHERTEXT|PROOF|INVALID)_/) }),
      )
    expect(() => bgv.importKey(publicKey.subarray(1), keyProof, CONTEXT)).toThrow('public key')
    expect(() => bgv.importKey(publicKey, keyProof, utf8('party 1'))).toThrow('proof')
  })

  it('is refused when it was proven under another key', () => {
    const other = world(bgv)
    expect(() => bgv.importCiphertexts(other.key, ciphertexts, proof, CONTEXT)).toThrow('proof')
  })

  it('decrypts only replies of the right form', () => {
    const zero = new Uint8Array(32 * bgv.parameters.n)
    const reply = bgv.multiplyAndMask(key, imported[0]!, zero, zero)
    expect(() => bgv.decryptReply(secret, reply.subarray(1))).toThrow('reply')
    expect(() => bgv.decryptReply(secret, new Uint8Array(reply.length).fill(0xff))).toThrow('reply')
    expect(() => bgv.multiplyAndMask(key, imported[0]!, zero.subarray(32), zero)).toThrow()
    expect(() => bgv.multiplyAndMask(key, imported[0]!, zero, zero.subarray(32))).toThrow()
  })
})
