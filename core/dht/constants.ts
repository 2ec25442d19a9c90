import { day, hour, KiB, MiB, minute, second } from '../base/units.ts'
import type { Hash } from './types.ts'

/** Replicas of encrypted and public records. */
export const REPLICAS = 3
/** Ranked candidates that are asked where a record is. */
export const LOCATE_WIDTH = 20
/** How far a signed time may be off. */
export const AUTHORIZATION_WINDOW = 10 * minute
/** A pending record that the owner neither commits nor aborts. Long enough for a slow chain. */
export const PENDING_TTL = 1 * hour
/** The same, when the chain cannot be asked whether the record came alive. */
export const PENDING_LAST = 7 * day
/** How long a co-holder may be silent before it is replaced. */
export const REPAIR_GRACE = 10 * minute
export const MAINTENANCE_INTERVAL = 1 * minute
/** Records looked at per maintenance run. */
export const MAINTENANCE_BATCH = 256

export const MAX_HOLDERS = 255
/** Secrets of one share. */
export const MAX_LENGTH = 1_000_000
export const MAX_COMMITMENT_BYTES = 48 * MiB
export const MAX_CIPHERTEXT_BYTES = 32 * MiB
export const MAX_PUBLIC_BYTES = 1 * MiB
export const CHUNK_BYTES = 512 * KiB
/** Seen nonces of release requests; a request older than the window is refused anyway. */
export const MAX_NONCES = 100_000

export const PUT_TIMEOUT_MS = 60 * second
export const ASK_TIMEOUT_MS = 10 * second

/** `content` of an authorization that names none. */
export const NO_CONTENT: Hash = `0x${'00'.repeat(32)}`
