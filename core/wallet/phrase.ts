import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedWebcrypto } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'

const WORDS = new Set(wordlist)
const LENGTHS = new Set([12, 15, 18, 21, 24])

function words(phrase: string | Uint8Array): string[] {
  const text = typeof phrase === 'string' ? phrase : new TextDecoder().decode(phrase)
  return text
    .normalize('NFKD')
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== '')
}

/** Fresh entropy from the operating system: 16 bytes for 12 words, 32 for 24 (BIP-39). */
export function newEntropy(count: 12 | 24 = 24): Uint8Array {
  return randomBytes(count === 12 ? 16 : 32)
}

/** The phrase of 12 to 24 English words that encodes `entropy` with its checksum (BIP-39). */
export function entropyToPhrase(entropy: Uint8Array): string {
  return entropyToMnemonic(entropy, wordlist)
}

/**
 * Forgives case and spacing, nothing else. Throws PHRASE_INVALID: `details.words` when the count is wrong,
 * `details.position` (1 = first) for a word that is not in the list, neither when the checksum fails. The
 * message never repeats a word.
 */
export function phraseToEntropy(phrase: string | Uint8Array): Uint8Array {
  const list = words(phrase)
  if (!LENGTHS.has(list.length))
    throw new EnigmaError('PHRASE_INVALID', `the recovery phrase has ${list.length} words`, {
      remedy: 'Enter all 24 words in order, separated by spaces.',
      details: { words: list.length },
    })
  const unknown = list.findIndex((word) => !WORDS.has(word))
  if (unknown >= 0)
    throw new EnigmaError('PHRASE_INVALID', `word ${unknown + 1} is not in the word list`, {
      remedy: `Check the spelling of word ${unknown + 1}.`,
      details: { position: unknown + 1 },
    })
  try {
    return new Uint8Array(mnemonicToEntropy(list.join(' '), wordlist))
  } catch {
    // The library's message can quote the phrase, so it is not kept as cause.
    throw new EnigmaError('PHRASE_INVALID', 'the checksum of the recovery phrase does not match', {
      remedy:
        'Two words may be swapped, or one replaced by another of the list. Compare with your emergency kit.',
    })
  }
}

/** The 64-byte BIP-39 seed, without passphrase. The caller wipes it. */
export async function entropyToSeed(entropy: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await mnemonicToSeedWebcrypto(entropyToPhrase(entropy)))
}
