import { KiB, MiB, minute, second } from '../base/units.ts'

/** Stream protocols, as negotiated by multistream-select. */
export const RPC_PROTOCOL = '/enigma/rpc/1'
export const SESSION_PROTOCOL = '/enigma/session/1'

/** A share of 100,000 values with its commitments takes about 26 MB. */
export const MAX_FRAME_BYTES = 64 * MiB
/** A round of 1,000,000 multiplications moves 32–64 MB to one party. */
export const MAX_MESSAGE_BYTES = 256 * MiB
export const MAX_PROTOCOL_NAME = 64
export const MAX_SESSION_ID = 128
export const MAX_ERROR_BYTES = 16 * KiB

/** Requests of this node under way at one peer; more wait their turn. */
export const MAX_OUTGOING_REQUESTS = 32
/** Requests of one peer under way here; more are refused. */
export const MAX_INCOMING_REQUESTS = 64
/** Bytes of unanswered requests of one peer. */
export const MAX_INCOMING_BYTES = 256 * MiB

/** Received and unread bytes of one peer in one session before the channel stops reading. */
export const INBOX_BYTES = 64 * MiB
/** The same for a session that is not open here yet. */
export const WAITING_INBOX_BYTES = 4 * MiB
/** Sessions one peer may start before they are open here. */
export const MAX_WAITING_SESSIONS = 64
export const WAITING_SESSION_MS = 1 * minute

export const REQUEST_TIMEOUT_MS = 30 * second
export const OPEN_TIMEOUT_MS = 10 * second
export const ADMISSION_TTL_MS = 30 * second

/** Unit of a write: large enough to amortise, small enough to interleave streams. */
export const CHUNK_BYTES = 256 * KiB

export interface Limits {
  maxFrameBytes: number
  maxMessageBytes: number
  outgoingRequests: number
  incomingRequests: number
  incomingBytes: number
  inboxBytes: number
  waitingInboxBytes: number
  waitingSessions: number
  waitingSessionMs: number
}

export const DEFAULT_LIMITS: Limits = {
  maxFrameBytes: MAX_FRAME_BYTES,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  outgoingRequests: MAX_OUTGOING_REQUESTS,
  incomingRequests: MAX_INCOMING_REQUESTS,
  incomingBytes: MAX_INCOMING_BYTES,
  inboxBytes: INBOX_BYTES,
  waitingInboxBytes: WAITING_INBOX_BYTES,
  waitingSessions: MAX_WAITING_SESSIONS,
  waitingSessionMs: WAITING_SESSION_MS,
}
