import { hour, second } from '../base/units.ts'
import type { KdfParameters } from './types.ts'

/** Version of the container layout, and of the body inside. Newer ones are refused untouched. */
export const CONTAINER_VERSION = 1
export const STATE_FORMAT = 2

/** OWASP Password Storage and ASVS: Argon2id never below 19 MiB, t = 2, p = 1. */
export const KDF_FLOOR: KdfParameters = { memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 }
/** RFC 9106 §4, second recommendation, with one lane. */
export const KDF_DEFAULT: KdfParameters = { memoryKiB: 64 * 1024, iterations: 3, parallelism: 1 }
/** A file must not make us work or allocate without bound. */
export const KDF_MAX = {
  memoryKiB: 1024 * 1024,
  iterations: 256,
  parallelism: 16,
  passesKiB: 8 * 1024 * 1024,
}
/** Calibration aims here, inside the 0.5 to 1 s that a person accepts at unlock. */
export const KDF_TARGET_MS = 0.7 * second

/** Wrong passwords that cost nothing; from the fifth on the wait doubles up to the cap. */
export const FREE_ATTEMPTS = 5
export const FIRST_BACKOFF_MS = 30 * second
export const MAX_BACKOFF_MS = 1 * hour

/** Plaintext bytes of one AEAD chunk. */
export const CHUNK_BYTES = 64 * 1024
export const TAG_BYTES = 16

/** Values that encode to more live in a blob file, so that a change elsewhere does not rewrite them. */
export const INLINE_BYTES = 4 * 1024

export const LIMITS = {
  title: 200,
  tags: 32,
  tag: 64,
  unit: 32,
  digits: 60,
  rows: 100_000,
  columns: 256,
  cells: 2_000_000,
  cell: 10_000,
  columnName: 200,
  text: 8 * 1024 * 1024,
  file: 1024 * 1024 * 1024,
  fileName: 255,
  history: 100,
  records: 100_000,
  shares: 1_000,
  setting: 1024 * 1024,
  importBytes: 64 * 1024 * 1024,
  importErrors: 1_000,
} as const
