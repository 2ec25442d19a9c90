import { ERROR_BOUND, PROOF_SLACK_BITS, STATISTICAL_BITS } from './constants.ts'

/** Magnitudes of coefficients (infinity norm), worst case: no averaging, no independence is assumed of the other party. */
export interface NoiseBounds {
  /** Half-width of the masks in proofs: y is uniform in [−Y, Y), Y a power of two; by what they hide. */
  readonly mask: { readonly plaintext: bigint; readonly ternary: bigint; readonly error: bigint }
  /** What a response may differ from the ends of the masks: batch times the largest witness. */
  readonly margin: { readonly plaintext: bigint; readonly ternary: bigint; readonly error: bigint }
  /** c_0 − s·c_1 of a ciphertext that was proven, under a key that was proven, honest or not. */
  readonly proven: bigint
  /** Half-width of the uniform integers E that drown a factor: r·E is added to a reply. */
  readonly drowning: bigint
  /** c_0 − s·c_1 of a reply before it is switched. */
  readonly reply: bigint
  /** What switching adds. */
  readonly switching: bigint
}

const powerAbove = (x: bigint) => 1n << BigInt(x.toString(2).length)

/**
 * Bounds for dimension n, plaintext modulus r and proofs over `batch` ciphertexts.
 *
 * A proof shows witnesses of twice the ciphertext, or of twice the key: two accepted responses differ by
 * (X^i − X^j)·w, and 2/(X^i − X^j) has coefficients of magnitude at most 1 (Benhamouda et al., ASIACRYPT 2014), so that
 * ‖2w‖ ≤ N·‖z − z'‖ ≤ 2N·Y. Ciphertexts and keys are therefore used doubled, and their witnesses are below 2N·Y.
 */
export function noiseBounds({
  n,
  plaintext: r,
  batch,
}: {
  n: number
  plaintext: bigint
  batch: number
}): NoiseBounds {
  const size = BigInt(n)
  const count = BigInt(batch)
  const error = BigInt(ERROR_BOUND)
  const margin = { plaintext: count * (r / 2n + 1n), ternary: count, error: count * error }
  const slack = 1n << BigInt(PROOF_SLACK_BITS)
  const mask = {
    plaintext: powerAbove(margin.plaintext * slack),
    ternary: powerAbove(margin.ternary * slack),
    error: powerAbove(margin.error * slack),
  }
  const extracted = (y: bigint) => 2n * size * y
  const [m, u, e] = [extracted(mask.plaintext), extracted(mask.ternary), extracted(mask.error)]
  // The key: b = a·s + r·e', with s and e' as in a proof of one row's width.
  const [s, keyError] = [u, e]
  // c_0 − s·c_1 = m + r·(e'·u + e_0 − s·e_1).
  const proven = m + r * (size * keyError * u + e + size * s * e)
  // Times a factor with coefficients up to r/2.
  const product = size * (r / 2n + 1n) * proven
  // Fresh randomness of the reply: ternary u, errors up to 21, and the mask up to r/2.
  const fresh = r / 2n + 1n + r * (size * keyError + error + size * s * error)
  // Distance of the sums over N coefficients ≤ N·(product + fresh)/(r·E).
  const drowning = powerAbove((((product + fresh) * size) << BigInt(STATISTICAL_BITS)) / r)
  const reply = product + fresh + r * drowning
  // Rounding by r·(1/2 + 2^-40) < r in both parts; an honest key's s is doubled: up to 2.
  const switching = r * (1n + 2n * size)
  return { mask, margin, proven, drowning, reply, switching }
}
