import { createCipheriv, randomFillSync } from 'node:crypto'

/** Bytes from the operating system. */
export function randomBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length))
}

/** Small enough to come from memory that was used before. */
const CHUNK = 1 << 16
const ZEROS = new Uint8Array(CHUNK)

/**
 * Expands a 32-byte seed with AES-256-CTR; both ends of a channel that share a seed draw the same stream.
 * Not re-keyed: one stream yields at most 2^36 bytes by construction of the counter, far above any use here.
 */
export class Prg {
  readonly #cipher

  constructor(seed: Uint8Array = randomBytes(32)) {
    if (seed.length !== 32) throw new RangeError('a PRG seed has 32 bytes')
    this.#cipher = createCipheriv('aes-256-ctr', seed, new Uint8Array(16))
  }

  /** Overwrites `out` with the next bytes of the stream. */
  fill(out: Uint8Array): Uint8Array {
    for (let at = 0; at < out.length; at += CHUNK) {
      const n = Math.min(CHUNK, out.length - at)
      out.set(this.#cipher.update(n === CHUNK ? ZEROS : ZEROS.subarray(0, n)), at)
    }
    return out
  }

  bytes(length: number): Uint8Array {
    return this.fill(new Uint8Array(length))
  }
}
