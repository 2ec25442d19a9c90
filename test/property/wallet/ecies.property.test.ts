import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { equalBytes } from '../../../core/base/bytes.ts'
import { open, SEAL_OVERHEAD, sealTo } from '../../../core/wallet/ecies.ts'

const alice = secp256k1.keygen()
const mallory = secp256k1.keygen()
const refused = expect.objectContaining({ code: 'RECORD_INVALID' })

it('opens what was sealed, for the recipient and the same associated data only', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 40 }), (message, aad) => {
      const sealed = sealTo(alice.publicKey, message, aad)
      expect(sealed).toHaveLength(message.length + SEAL_OVERHEAD)
      expect(equalBytes(open(alice.secretKey, sealed, aad), message)).toBe(true)
      expect(() => open(mallory.secretKey, sealed, aad)).toThrow(refused)
      expect(() => open(alice.secretKey, sealed, new Uint8Array([...aad, 0]))).toThrow(refused)
    }),
    { numRuns: 30 },
  )
})

it('never seals the same way twice', () => {
  const message = new Uint8Array(16)
  expect(equalBytes(sealTo(alice.publicKey, message), sealTo(alice.publicKey, message))).toBe(false)
})

it('refuses every single-bit change and every truncation', () => {
  const sealed = sealTo(alice.publicKey, new Uint8Array(20).fill(7))
  for (let bit = 0; bit < sealed.length * 8; bit += 3) {
    const bad = sealed.slice()
    bad[bit >> 3]! ^= 1 << (bit & 7)
    expect(() => open(alice.secretKey, bad)).toThrow(refused)
  }
  for (let n = 0; n < sealed.length; n++)
    expect(() => open(alice.secretKey, sealed.slice(0, n))).toThrow(refused)
})

it('seals to points only', () => {
  const bad = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
  for (const key of [new Uint8Array(33), new Uint8Array(0), secp256k1.getPublicKey(alice.secretKey, false)])
    expect(() => sealTo(key, new Uint8Array(1))).toThrow(bad)
})
