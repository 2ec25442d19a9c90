import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../core/base/bytes.ts'
import { hasCode } from '../../../core/base/errors.ts'
import { entropyToPhrase, entropyToSeed, newEntropy, phraseToEntropy } from '../../../core/wallet/phrase.ts'

// Trezor's BIP-39 vectors (python-mnemonic/vectors.json); seeds there use the passphrase TREZOR, so only the phrase.
const VECTORS = [
  ['00000000000000000000000000000000', `${'abandon '.repeat(11)}about`],
  ['ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', `${'zoo '.repeat(23)}vote`],
  [
    '68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c',
    'hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length',
  ],
] as const

const details = (phrase: string) => {
  try {
    phraseToEntropy(phrase)
  } catch (error) {
    expect(hasCode(error, 'PHRASE_INVALID')).toBe(true)
    return error as { message: string; remedy: string; details?: Record<string, unknown> }
  }
  throw new Error('accepted')
}

describe('phrase', () => {
  it.each(VECTORS)('encodes %s', (entropy, phrase) => {
    expect(entropyToPhrase(fromHex(entropy))).toBe(phrase)
    expect(toHex(phraseToEntropy(phrase))).toBe(`0x${entropy}`)
  })

  it('derives the standard seed without passphrase', async () => {
    expect(toHex(await entropyToSeed(new Uint8Array(16)))).toBe(
      '0x5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4',
    )
  })

  it('forgives case and spacing', () => {
    expect(toHex(phraseToEntropy(`  ${'ABANDON\n'.repeat(11)} About `))).toBe(`0x${'00'.repeat(16)}`)
    expect(phraseToEntropy(new TextEncoder().encode(VECTORS[1][1]))).toHaveLength(32)
  })

  it('has 12 or 24 words, never twice the same', () => {
    expect(entropyToPhrase(newEntropy()).split(' ')).toHaveLength(24)
    expect(entropyToPhrase(newEntropy(12)).split(' ')).toHaveLength(12)
    expect(toHex(newEntropy())).not.toBe(toHex(newEntropy()))
  })

  it('says what is wrong without repeating the phrase', () => {
    expect(details('abandon about').details).toEqual({ words: 2 })
    const unknown = details(`${'abandon '.repeat(4)}sekret ${'abandon '.repeat(6)}about`)
    expect(unknown.details).toEqual({ position: 5 })
    expect(JSON.stringify(unknown) + unknown.message + unknown.remedy).not.toContain('sekret')
    const checksum = details('abandon '.repeat(12))
    expect(checksum.details).toBeUndefined()
    expect(checksum.message).toContain('checksum')
    expect(checksum.message).not.toContain('abandon')
    expect(details('').details).toEqual({ words: 0 })
  })
})
