import { second } from '../base/units.ts'

/** Elements a message: 256 KiB of payload, about 5 ms of work, small beside any round-trip that matters in bulk. */
export const CHUNK = 8192
/** Chunks a party deals ahead of the one it collects, so that the network and the arithmetic overlap. */
export const WINDOW = 4
export const ROUND_TIMEOUT_MS = 30 * second
/** How long a finished party waits for the others before it closes the channels. */
export const FAREWELL_TIMEOUT_MS = 5 * second
/** How long to look for the reason of a peer that closed its channel; it was sent before. */
export const LAST_WORDS_MS = 500
/** How long a failed party tries to tell the others. */
export const TELL_TIMEOUT_MS = 1 * second
/** Party indices are one byte on the wire. */
export const MAX_PARTIES = 64
/** Replicated keys number C(n, t); beyond this n their cost outweighs a round (Cramer–Damgård–Ishai 2005, §4). */
export const MAX_REPLICATED_PARTIES = 9
/** Version of the wire format and of everything both ends must compute alike. */
export const PROTOCOL_VERSION = 1
