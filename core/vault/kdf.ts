import * as crypto from 'node:crypto'
import { argon2id } from 'hash-wasm'
import { utf8 } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import { KDF_DEFAULT, KDF_FLOOR, KDF_MAX, KDF_TARGET_MS } from './constants.ts'
import type { KdfParameters, Secret } from './types.ts'

/**
 * Throws KDF_DOWNGRADE below the floor (19 MiB, t = 2), VAULT_CORRUPT above what an honest file asks for
 * (1 GiB, 256 passes, 8 GiB of passes in all).
 */
export function checkKdf(kdf: KdfParameters): void {
  const { memoryKiB, iterations, parallelism } = kdf
  for (const n of [memoryKiB, iterations, parallelism])
    if (!Number.isInteger(n) || n < 1)
      throw new EnigmaError('VAULT_CORRUPT', 'the Argon2id parameters are not integers')
  if (memoryKiB < KDF_FLOOR.memoryKiB || iterations < KDF_FLOOR.iterations)
    throw new EnigmaError(
      'KDF_DOWNGRADE',
      `Argon2id with ${memoryKiB} KiB and ${iterations} passes is too weak`,
      {
        remedy: 'Someone may have replaced the vault file. Put back a copy you trust.',
        details: { memoryKiB, iterations },
      },
    )
  if (
    memoryKiB > KDF_MAX.memoryKiB ||
    iterations > KDF_MAX.iterations ||
    parallelism > KDF_MAX.parallelism ||
    memoryKiB * iterations > KDF_MAX.passesKiB
  )
    throw new EnigmaError(
      'VAULT_CORRUPT',
      `Argon2id with ${memoryKiB} KiB and ${iterations} passes is out of range`,
    )
}

/** UTF-8 of the NFKC form, so that the same password typed on another keyboard or system is the same. */
export function passwordBytes(password: Secret): Uint8Array {
  return utf8(
    (typeof password === 'string' ? password : new TextDecoder().decode(password)).normalize('NFKC'),
  )
}

/** OpenSSL's implementation, off this thread, where the runtime has one (Node ≥ 24.7; Electron's BoringSSL has not). */
export const nativeArgon2: boolean = typeof crypto.argon2 === 'function'

/** Argon2id (RFC 9106), 32 bytes. `salt` has 16 bytes. Both implementations give the same bytes. */
export async function argon2(
  password: Uint8Array,
  salt: Uint8Array,
  kdf: KdfParameters,
  native: boolean = nativeArgon2,
): Promise<Uint8Array> {
  checkKdf(kdf)
  const { memoryKiB: memory, iterations: passes, parallelism } = kdf
  if (!native)
    return argon2id({
      password,
      salt,
      iterations: passes,
      parallelism,
      memorySize: memory,
      hashLength: 32,
      outputType: 'binary',
    })
  return new Promise((resolve, reject) => {
    crypto.argon2(
      'argon2id',
      { message: password, nonce: salt, parallelism, tagLength: 32, memory, passes },
      (error, key) => {
        if (error) reject(new EnigmaError('INTERNAL', 'Argon2id failed, most likely for lack of memory'))
        else resolve(new Uint8Array(key.buffer, key.byteOffset, key.byteLength))
      },
    )
  })
}

/**
 * Parameters that take about `targetMs` here: 64 MiB and as many passes as fit, never fewer than three. A busy
 * machine measures slow, so it takes the fastest of two runs.
 */
export async function calibrateKdf(targetMs: number = KDF_TARGET_MS): Promise<KdfParameters> {
  let fastest = Number.POSITIVE_INFINITY
  for (let run = 0; run < 2; run++) {
    const start = performance.now()
    await argon2(randomBytes(16), randomBytes(16), KDF_DEFAULT)
    fastest = Math.min(fastest, performance.now() - start)
  }
  const passes = Math.floor((targetMs / fastest) * KDF_DEFAULT.iterations)
  const cap = Math.min(KDF_MAX.iterations, KDF_MAX.passesKiB / KDF_DEFAULT.memoryKiB)
  return { ...KDF_DEFAULT, iterations: Math.min(cap, Math.max(KDF_DEFAULT.iterations, passes)) }
}
