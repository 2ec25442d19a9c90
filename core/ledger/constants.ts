import { second } from '../base/units.ts'

export const ZERO_BYTES32 = `0x${'00'.repeat(32)}` as const
export const ZERO_ADDRESS = `0x${'00'.repeat(20)}` as const

/** anvil's chain id: a devnet, where balances can be set. */
export const DEVNET_CHAIN_ID = 31337

export const DEFAULT_POLL_MS = 500
export const DEFAULT_REQUEST_TIMEOUT_MS = 10 * second
/** Confirmed intents are sent again after rewinds of up to this many blocks. */
export const DEFAULT_KEEP_BLOCKS = 256

/** References per transaction: 200 admissions stay under 8 million gas (see README.md for the figures). */
export const JOB_PAGE = 200
/** References created per transaction, about 170,000 gas each. */
export const REFERENCE_PAGE = 50
/** Items per read call: ethers copies the whole answer for each word of it, which takes 80 ms and more for 200 references. */
export const READ_PAGE = 32
export const REFERENCE_READ_PAGE = 8
export const NODES_PAGE = 16
/** Read calls under way together. */
export const READS_AT_ONCE = 16
/** Blocks per log query: below the limit of common hosted endpoints. */
export const LOG_PAGE = 500
/** Block hashes a cursor remembers; a rewind below the oldest replays from the deployment. */
export const CURSOR_HASHES = 128

/** Added to gas estimates, in percent: state may change between the estimate and the block. */
export const GAS_MARGIN_PERCENT = 25n
