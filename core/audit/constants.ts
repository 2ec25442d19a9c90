import { MiB } from '../base/units.ts'

export const MAX_PARTIES = 255
/** As many references as a request has at most. */
export const MAX_REFERENCES = 10_000
export const MAX_ROUNDS = 10_000
export const MAX_TRANSCRIPT_BYTES = 512 * MiB
