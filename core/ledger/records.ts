import { EnigmaError } from '../base/errors.ts'
import { ZERO_ADDRESS } from './constants.ts'
import type { JobsReads, NodeRegistryReads, ReferencesReads } from './generated/contracts.ts'
import type {
  Address,
  Bytes32,
  Hex,
  IdentityMember,
  JobRecord,
  JobRefRecord,
  JobState,
  NodeRecord,
  PermissionOutcome,
  ReferenceKind,
  ReferenceRecord,
  ReferenceState,
} from './types.ts'
import { EVIDENCE_KINDS, type EvidenceKind, JOB_PROTOCOLS, type JobProtocol } from './types.ts'

export const REFERENCE_KINDS: readonly ReferenceKind[] = ['share', 'encrypted', 'public']
const REFERENCE_STATES: readonly ReferenceState[] = ['none', 'active', 'revoked']
const JOB_STATES: readonly JobState[] = [
  'none',
  'loading',
  'requested',
  'open',
  'done',
  'failed',
  'cancelled',
]
const REFUSALS = [
  undefined,
  'denied',
  'expired',
  'usedUp',
  'functionNotAllowed',
  'cohortTooSmall',
  'approvalMissing',
] as const

function pick<T>(list: readonly T[], index: number, what: string): T {
  if (index >= list.length)
    throw new EnigmaError('LEDGER_UNREACHABLE', `the endpoint answered with an unknown ${what}`)
  return list[index] as T
}

type RawReference = ReferencesReads['referencesOf']['result'][number]

export function toReference(ref: Bytes32, raw: RawReference): ReferenceRecord | undefined {
  if (raw.state === 0) return undefined
  const { c0x, c0y, kind, state, ...same } = raw
  return {
    ...same,
    ref,
    kind: pick(REFERENCE_KINDS, kind, 'kind of reference'),
    state: pick(REFERENCE_STATES, state, 'state of a reference'),
    c0: `${c0x}${c0y.slice(2)}`,
  }
}

export function toNode(nodeId: Address, raw: NodeRegistryReads['nodeOf']['result']): NodeRecord | undefined {
  if (raw.state === 0 || raw.account === ZERO_ADDRESS) return undefined
  return {
    nodeId,
    account: raw.account,
    publicKey: `0x${raw.keyPrefix.toString(16).padStart(2, '0')}${raw.keyX.slice(2)}`,
    deposit: raw.deposit,
    hint: raw.hint,
    capacity: raw.capacity,
    state: raw.state === 1 ? 'active' : 'unbonding',
    withdrawableAt: raw.withdrawableAt,
  }
}

export function toJob(jobId: Bytes32, raw: JobsReads['jobOf']['result']): JobRecord | undefined {
  if (raw.state === 0) return undefined
  const { keyPrefix, keyX, state, protocol, ...same } = raw
  return {
    ...same,
    jobId,
    state: pick(JOB_STATES, state, 'state of a job'),
    protocol: toProtocol(protocol),
    resultKey: `0x${keyPrefix.toString(16).padStart(2, '0')}${keyX.slice(2)}`,
  }
}

export function toProtocol(value: number): JobProtocol {
  return pick(JOB_PROTOCOLS, value, 'protocol of a job')
}

export function toEvidenceKind(value: number): EvidenceKind {
  return pick(EVIDENCE_KINDS, value, 'kind of evidence')
}

export function toJobRef(ref: Bytes32, raw: JobsReads['jobRefsOf']['result'][number]): JobRefRecord {
  return {
    ref,
    present: raw.present,
    approval: raw.declined ? 'declined' : raw.approved ? 'approved' : 'none',
    admitted: raw.admitted,
  }
}

export function toOutcome(refusal: number): PermissionOutcome {
  const reason = pick(REFUSALS, refusal, 'refusal')
  return reason === undefined ? { allowed: true } : { allowed: false, reason }
}

/** 28 bytes per member: account and roles. */
export function toMembers(acl: Hex): IdentityMember[] {
  const digits = acl.slice(2)
  if (digits.length % 56 !== 0)
    throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint answered with a malformed ACL')
  return (digits.match(/.{56}/g) ?? []).map((part) => ({
    account: `0x${part.slice(0, 40)}`,
    roles: BigInt(`0x${part.slice(40)}`),
  }))
}

/** `answered`, one for each that was asked for. Throws LEDGER_UNREACHABLE. */
export function sameLength<T>(asked: readonly unknown[], answered: T[]): T[] {
  if (asked.length === answered.length) return answered
  throw new EnigmaError('LEDGER_UNREACHABLE', 'the endpoint answered with another number of items')
}

/** The order of the contracts: members, owners and signers come ascending. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
