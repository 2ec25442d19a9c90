import { second } from '../base/units.ts'

/** Longest silence of one party. */
export const ROUND_TIMEOUT_MS = 30 * second
/** Before each try to take up a run whose connections were lost. */
export const RESUME_PAUSES_MS: readonly number[] = [0.5 * second, 3 * second]
/** Elements a message. */
export const CHUNK = 32_768
/** Products whose triples are drawn, and whose factors are masked and combined, together. */
export const BATCH = 1 << 17
/** Elements of a local operation between two turns of the event loop. */
export const PIECE = 1 << 16
/** Chunks under way at once: bounds memory to a few tens of megabytes. */
export const WINDOW = 24
/** Opened values after which MACs are checked without being asked: bounds memory. */
export const PENDING_LIMIT = 1 << 19
/** Signatures are r ‖ s ‖ v. */
export const SIGNATURE_BYTES = 65
