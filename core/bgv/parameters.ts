import { EnigmaError } from '../base/errors.ts'
import { bn254Scalar } from '../field/fields.ts'
import { ringPrimes } from '../kernel/primes.ts'
import { SOUNDNESS_BITS } from './constants.ts'
import { type NoiseBounds, noiseBounds } from './noise.ts'

/**
 * Largest bits of the modulus for 128-bit security against classical attacks with ternary secrets, by ring dimension
 * (Homomorphic Encryption Standard, 2018, table 1).
 */
export const SECURE_MODULUS_BITS: Readonly<Record<number, number>> = {
  1024: 27,
  2048: 54,
  4096: 109,
  8192: 218,
  16384: 438,
  32768: 881,
}

export interface BgvOptions {
  /** Ring dimension and slots: a power of two. */
  readonly n: number
  /** Primes of 49 bits. */
  readonly levels: number
  /** Primes left after a reply has been switched down. */
  readonly replyLevels: number
  /** Ciphertexts of one proof. */
  readonly batch: number
  /** Only for tests: dimensions without security. */
  readonly insecure?: boolean
}

export interface BgvParameters extends BgvOptions {
  readonly plaintext: bigint
  readonly primes: readonly bigint[]
  /** Rows of a proof: challenges are monomials ±X^i, so V ≥ (soundness + 2)/log2(2N) (TopGear, eprint 2019/035). */
  readonly rows: number
  readonly noise: NoiseBounds
}

/**
 * Parameters whose noise provably fits, whatever the other party does, and whose dimension is in the standard's table.
 * Throws INVALID_ARGUMENT otherwise.
 */
export function bgvParameters(options: BgvOptions): BgvParameters {
  const { n, levels, replyLevels, batch } = options
  if (!(batch >= 1 && batch <= 12))
    throw new EnigmaError('INVALID_ARGUMENT', 'a proof covers 1 to 12 ciphertexts')
  if (!(replyLevels >= 1 && replyLevels < levels))
    throw new EnigmaError('INVALID_ARGUMENT', 'a reply keeps fewer primes than a ciphertext has')
  const plaintext = bn254Scalar.modulus
  const primes = ringPrimes(n, 49, levels)
  const product = (from: number, to: number) => primes.slice(from, to).reduce((a, b) => a * b, 1n)
  const bits = product(0, levels).toString(2).length
  if (options.insecure !== true && bits > (SECURE_MODULUS_BITS[n] ?? 0))
    throw new EnigmaError('INVALID_ARGUMENT', `a modulus of ${bits} bits is not secure with dimension ${n}`)
  const rows = Math.ceil((SOUNDNESS_BITS + 2) / Math.log2(2 * n))
  const noise = noiseBounds({ n, plaintext, batch })
  if (4n * noise.reply >= product(0, levels))
    throw new EnigmaError(
      'INVALID_ARGUMENT',
      `${levels} primes have no room for the noise of a reply (${noise.reply.toString(2).length} bits)`,
    )
  const switched = noise.reply / product(replyLevels, levels) + noise.switching
  if (4n * switched >= product(0, replyLevels))
    throw new EnigmaError('INVALID_ARGUMENT', `${replyLevels} primes have no room for a switched reply`)
  return { ...options, plaintext, primes, rows, noise }
}

let standard: BgvParameters | undefined

/** What nodes use: 32,768 slots, log2 Q = 735, 6 of 15 primes in replies, 12 ciphertexts a proof. */
export function standardParameters(): BgvParameters {
  standard ??= bgvParameters({ n: 32768, levels: 15, replyLevels: 6, batch: 12 })
  return standard
}
