import type { Polynomial } from '../kernel/ring.ts'

/** Of another party, checked; all polynomials transformed. Lives in the kernel memory of the scheme that made it. */
export interface PublicKey {
  readonly bytes: Uint8Array
  readonly a: Polynomial
  /** a·s + r·e for the secret s = 2s' of which a proof was accepted. */
  readonly b: Polynomial
}

export interface SecretKey {
  readonly s: Polynomial
}

/** A ciphertext whose proof was accepted, doubled (see noise.ts), transformed. */
export interface Ciphertext {
  readonly c0: Polynomial
  readonly c1: Polynomial
}
