/**
 * Every error that leaves a folder of core carries one of these codes. Across processes compare `code`,
 * never `instanceof`.
 */
export const ERROR_CODES = {
  base: ['INVALID_ARGUMENT', 'CANCELLED', 'TIMEOUT', 'INTERNAL', 'NOT_FOUND', 'NOT_RUNNING', 'UNSUPPORTED'],
  field: ['FIELD_RANGE', 'FIELD_NOT_INVERTIBLE', 'LENGTH_MISMATCH'],
  commitments: ['POINT_INVALID', 'COMMITMENT_MISMATCH'],
  sharing: ['SHARING_PARAMETERS', 'SHARE_INDEX', 'SHARE_INVALID', 'SHARES_TOO_FEW'],
  circuits: ['CIRCUIT_INVALID', 'CIRCUIT_INPUT', 'VALUE_RANGE'],
  transport: ['PEER_UNREACHABLE', 'PEER_NOT_ADMITTED', 'FRAME_INVALID', 'FRAME_TOO_LARGE', 'CHANNEL_CLOSED'],
  bgv: ['CIPHERTEXT_INVALID', 'KEY_INVALID', 'PROOF_INVALID'],
  mpc: [
    'MPC_ABORTED',
    'MPC_PARTY_LOST',
    'MPC_COMMITTEE_TOO_SMALL',
    'MATERIAL_EXHAUSTED',
    'MATERIAL_USED',
    'MATERIAL_DESTROYED',
  ],
  audit: ['TRANSCRIPT_INVALID', 'EVIDENCE_INVALID'],
  ledger: [
    'LEDGER_UNREACHABLE',
    'LEDGER_REVERTED',
    'LEDGER_REORG',
    'LEDGER_WRONG_CHAIN',
    'INSUFFICIENT_FUNDS',
    'NONCE_CONFLICT',
  ],
  permission: [
    'PERMISSION_DENIED',
    'PREDICATE_INVALID',
    'PREDICATE_EXPIRED',
    'PREDICATE_USED_UP',
    'COHORT_TOO_SMALL',
    'APPROVAL_MISSING',
    'FUNCTION_NOT_ALLOWED',
  ],
  storage: [
    'STORAGE_CORRUPT',
    'STORAGE_FULL',
    'STORAGE_VERSION',
    'STORAGE_BUSY',
    'QUOTA_EXCEEDED',
    'RECORD_INVALID',
    'QUORUM_NOT_REACHED',
    'HOLDERS_TOO_FEW',
  ],
  vault: [
    'VAULT_LOCKED',
    'VAULT_EXISTS',
    'VAULT_MISSING',
    'VAULT_CORRUPT',
    'VAULT_VERSION',
    'VAULT_CHANGED',
    'PASSWORD_WRONG',
    'PASSWORD_WEAK',
    'PHRASE_INVALID',
    'BACKOFF',
    'KDF_DOWNGRADE',
    'IMPORT_INVALID',
  ],
  ipc: ['REQUEST_INVALID', 'RESPONSE_INVALID', 'METHOD_UNKNOWN', 'NOT_CONFIRMED', 'HOST_GONE'],
} as const

export type ErrorCode = (typeof ERROR_CODES)[keyof typeof ERROR_CODES][number]

const known = new Set<string>(Object.values(ERROR_CODES).flat())

export interface ErrorObject {
  code: ErrorCode
  message: string
  /** What the person can do about it, in words. */
  remedy?: string
  /** Public, structured facts for the interface (never secrets). */
  details?: Record<string, string | number | boolean>
}

/** The one error class. The message names the input and what is wrong with it; `remedy` what to do. */
export class EnigmaError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C
  readonly remedy: string | undefined
  readonly details: Record<string, string | number | boolean> | undefined

  constructor(
    code: C,
    message: string,
    options: { remedy?: string; details?: Record<string, string | number | boolean>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'EnigmaError'
    this.code = code
    this.remedy = options.remedy
    this.details = options.details
  }

  /** A plain, structured-clone-safe form. The cause and stack stay in this process. */
  toObject(): ErrorObject {
    return {
      code: this.code,
      message: this.message,
      ...(this.remedy === undefined ? {} : { remedy: this.remedy }),
      ...(this.details === undefined ? {} : { details: this.details }),
    }
  }

  /** Accepts anything that came from another process; unknown codes become INTERNAL. */
  static fromObject(value: unknown): EnigmaError {
    const o = (typeof value === 'object' && value !== null ? value : {}) as Partial<ErrorObject>
    const code = typeof o.code === 'string' && known.has(o.code) ? o.code : 'INTERNAL'
    const message = typeof o.message === 'string' ? o.message : 'unknown error'
    return new EnigmaError(code, message, {
      ...(typeof o.remedy === 'string' ? { remedy: o.remedy } : {}),
      ...(typeof o.details === 'object' && o.details !== null ? { details: o.details } : {}),
    })
  }

  /** Wraps any thrown value; an EnigmaError passes through. */
  static from(value: unknown, code: ErrorCode = 'INTERNAL'): EnigmaError {
    if (value instanceof EnigmaError) return value
    if (value instanceof Error && value.name === 'AbortError')
      return new EnigmaError('CANCELLED', 'cancelled', { cause: value })
    return new EnigmaError(code, value instanceof Error ? value.message : String(value), { cause: value })
  }
}

/** True when `error` carries `code`, whichever process it came from. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && (codes as string[]).includes(code)
}
