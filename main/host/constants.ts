import { MiB, minute, second } from '../../core/base/units.ts'

/** Largest frame to a node: the contract's largest field (a text of a million characters) needs some room around it. */
export const MAX_FRAME_BYTES = 8 * MiB
/** Largest frame from a node: lists are as long as what they list. */
export const MAX_ANSWER_BYTES = 72 * MiB
/** Calls of one client under way at the same time. */
export const MAX_CALLS_IN_FLIGHT = 256
/** Invalid frames after which a client is disconnected. */
export const MAX_PROTOCOL_ERRORS = 100
/** Clients of one host at the same time. */
export const MAX_CLIENTS = 64
/** A confirmation that nobody answers counts as declined. */
export const CONFIRMATION_MS = 10 * minute
/** A browser that does not identify itself is disconnected. */
export const HANDSHAKE_MS = 10 * second
/** sun_path has 108 bytes on Linux and 104 on macOS, with the terminating zero. */
export const MAX_SOCKET_PATH = 100
