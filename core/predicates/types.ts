type Hex = `0x${string}`

/** The conditions that can stand in a predicate (§6.2), composed with and, or, not. */
export type Predicate =
  /** Everyone. */
  | { kind: 'anyone' }
  /** The owner of the reference. */
  | { kind: 'owner' }
  /** One of 1 … 32 accounts. */
  | { kind: 'keys'; accounts: Hex[] }
  /** ACL[account] of the identity has all bits of `mask`. Identity left out: the one that owns the reference. */
  | { kind: 'role'; mask: bigint; identity?: Hex }
  /** Before this time, seconds since the Unix epoch, 1 … 2^48 − 1. */
  | { kind: 'expiry'; before: number }
  /** At most this many admissions of the reference, 1 … 2^32 − 1. */
  | { kind: 'uses'; max: number }
  /** The function's code hash is one of 1 … 32. */
  | { kind: 'functions'; ids: Hex[] }
  /** The job covers data of at least this many owners, 1 … 2^32 − 1. */
  | { kind: 'cohort'; min: number }
  /** The owner approved this job. */
  | { kind: 'approval' }
  /** 2 … 16 parts. */
  | { kind: 'and'; of: Predicate[] }
  | { kind: 'or'; of: Predicate[] }
  | { kind: 'not'; of: Predicate }

/** What a predicate is asked about. */
export interface PredicateContext {
  /** Who asks. */
  account: Hex
  /** Owner of the reference. */
  owner: Hex
  /** Shared identity of the reference. */
  identity: Hex
  /** Code hash of the function; zero outside jobs. */
  functionId: Hex
  cohort: number
  approved: boolean
  /** Admissions before this one. */
  uses: number
  /** Seconds since the Unix epoch; on chain the block's timestamp. */
  now: number
}

/** ACL lookup of the role condition: roles of `account` in `identity`, 0n for strangers. */
export type RolesOf = (identity: Hex, account: Hex) => bigint

/** Why a predicate refuses: the one condition that has to change first, or `denied` for who asks. */
export type PredicateRefusal =
  | 'denied'
  | 'expired'
  | 'usedUp'
  | 'functionNotAllowed'
  | 'cohortTooSmall'
  | 'approvalMissing'
export type PredicateOutcome = { allowed: true } | { allowed: false; reason: PredicateRefusal }
