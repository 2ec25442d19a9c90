import { EnigmaError, type ErrorCode } from '../base/errors.ts'
import { CODECS } from './abi.ts'
import type { Hex } from './types.ts'

/** A JSON-RPC error answer: the endpoint works, the request was refused. */
export class RpcError extends Error {
  readonly rpcCode: number
  readonly data: Hex | undefined

  constructor(rpcCode: number, message: string, data?: Hex) {
    super(message)
    this.rpcCode = rpcCode
    this.data = data
  }
}

const NO_FUNDS = /insufficient (funds|balance)|OutOfFund|LackOfFund/i
const REFUSED =
  /revert|nonce|already (known|imported)|underpriced|replacement|gas|initcode|oversized|invalid/i

/**
 * Whether a refusal is about what was asked. Everything else (rate limits, state that the node lost or has not
 * got yet, internal trouble) is about the endpoint: another one, or the same one later, may answer.
 */
export function isAboutRequest(error: RpcError): boolean {
  return error.data !== undefined || NO_FUNDS.test(error.message) || REFUSED.test(error.message)
}

/** The effect is on the ledger already; the outbox counts it as success. */
export class AlreadyDoneError extends Error {}

const CODES: Record<string, [ErrorCode, string]> = {
  RequesterDenied: ['PERMISSION_DENIED', 'the predicate does not admit this requester'],
  GrantExpired: ['PREDICATE_EXPIRED', 'the permission has expired'],
  GrantUsedUp: ['PREDICATE_USED_UP', 'the permission has been used as often as it allows'],
  FunctionNotAllowed: ['FUNCTION_NOT_ALLOWED', 'the predicate does not allow this function'],
  CohortTooSmall: ['COHORT_TOO_SMALL', 'the request covers the data of too few owners'],
  ApprovalMissing: ['APPROVAL_MISSING', 'the owner has not approved this request'],
  OwnerDeclined: ['PERMISSION_DENIED', 'the owner declined this request'],
  ReferenceNotActive: ['PERMISSION_DENIED', 'the reference is unknown or revoked'],
  StoreDenied: ['PERMISSION_DENIED', 'the account may not store under this identity'],
  NotAuthorised: ['PERMISSION_DENIED', 'the account may not do this'],
  NotServing: ['PERMISSION_DENIED', 'a signer is not an active, serving node'],
  InvalidSignature: ['PERMISSION_DENIED', 'a required signature is missing or wrong'],
  TooFewSignatures: ['PERMISSION_DENIED', 'too few nodes signed'],
  InvalidPredicate: ['PREDICATE_INVALID', 'the predicate is not well formed'],
  UnknownPredicate: ['PREDICATE_INVALID', 'the predicate is not published'],
  UnknownIdentity: ['NOT_FOUND', 'the identity does not exist'],
  NotInJob: ['NOT_FOUND', 'the reference is not part of this job'],
  DemandOpen: ['INVALID_ARGUMENT', 'an earlier demand to this node is still open'],
  DepositTooSmall: ['INSUFFICIENT_FUNDS', 'the deposit is below the minimum'],
}

/** Name and arguments of a custom error of any of the contracts. */
export function decodeRevert(data: Hex): { name: string; args: Record<string, string> } | undefined {
  for (const codec of Object.values(CODECS)) {
    try {
      const error = codec.abi.parseError(data)
      if (!error) continue
      const args = error.fragment.inputs.map(
        (input, i) => [input.name, String(error.args[i]).toLowerCase()] as const,
      )
      return { name: error.name, args: Object.fromEntries(args) }
    } catch {
      // Not an error of this contract, or its arguments do not decode.
    }
  }
  return undefined
}

/** The error that revert data stands for; AlreadyDoneError for "already done". */
export function revertError(data: Hex | undefined, what: string, cause?: unknown): Error {
  const decoded = data === undefined || data === '0x' ? undefined : decodeRevert(data)
  if (decoded?.name === 'AlreadyDone') return new AlreadyDoneError(what)
  const known = decoded && CODES[decoded.name]
  if (decoded && known)
    return new EnigmaError(known[0], `${what}: ${known[1]}`, {
      details: { error: decoded.name, ...decoded.args },
      cause,
    })
  return new EnigmaError(
    'LEDGER_REVERTED',
    `${what}: the ledger refused${decoded ? ` (${decoded.name})` : ''}`,
    {
      ...(decoded ? { details: { error: decoded.name, ...decoded.args } } : {}),
      cause,
    },
  )
}

/** Maps what an endpoint refused to a typed error. `what` names the action for people. */
export function ledgerError(error: unknown, what: string): Error {
  if (error instanceof EnigmaError || error instanceof AlreadyDoneError) return error
  if (!(error instanceof RpcError)) return EnigmaError.from(error)
  if (NO_FUNDS.test(error.message))
    return new EnigmaError('INSUFFICIENT_FUNDS', `${what}: the account cannot pay for it`, {
      remedy: 'Add funds to the account and try again.',
      cause: error,
    })
  if (error.data !== undefined || /revert/i.test(error.message)) return revertError(error.data, what, error)
  return new EnigmaError('LEDGER_REVERTED', `${what}: ${error.message.slice(0, 200)}`, { cause: error })
}
