import { MiB } from '../base/units.ts'

/**
 * Numbers of the two closing rounds. Apart from those of the computation: a party that lost a round on the way has signed it
 * and closes the run nevertheless, and a transcript that was cut short shows no ordinary round as an answer.
 */
export const OUTPUT_ROUND = 0x8000_0000
export const ANSWER_ROUND = OUTPUT_ROUND + 1

/**
 * Rounds that a party keeps to compare with others. Nobody records a round that an honest party signed over another history,
 * so that two honest views part in the last round before the closing ones.
 */
export const VIEW_ROUNDS = 4

export const MAX_PARTIES = 255
/** As many references as a request has at most. */
export const MAX_REFERENCES = 10_000
export const MAX_ROUNDS = 10_000
export const MAX_TRANSCRIPT_BYTES = 512 * MiB
