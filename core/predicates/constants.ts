/** The encoding: this byte, then conditions and connectives in postfix order. */
export const VERSION = 1
export const MAX_BYTES = 2048
export const MAX_NODES = 64
/** Accounts or functions in one list. */
export const MAX_LIST = 32
export const MAX_ARITY = 16

export const OP = {
  owner: 0x01,
  keys: 0x02,
  role: 0x03,
  expiry: 0x04,
  uses: 0x05,
  functions: 0x06,
  cohort: 0x07,
  approval: 0x08,
  anyone: 0x09,
  and: 0x10,
  or: 0x11,
  not: 0x12,
} as const
