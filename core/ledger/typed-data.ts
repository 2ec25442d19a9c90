import { keccak256, solidityPacked } from 'ethers'
import type {
  Address,
  ApprovalInput,
  Bytes32,
  Hex,
  IdentityMember,
  LedgerDeployment,
  ResultInput,
  TypedData,
} from './types.ts'

type Fields = { name: string; type: string }[]

/** What each contract asks people and nodes to sign (EIP-712), bound to chain and contract. */
export class TypedDataBuilder {
  readonly #deployment: LedgerDeployment

  constructor(deployment: LedgerDeployment) {
    this.#deployment = deployment
  }

  #data(
    name: string,
    verifyingContract: Address,
    type: string,
    fields: Fields,
    message: TypedData['message'],
  ) {
    return {
      domain: { name, version: '1', chainId: this.#deployment.chainId, verifyingContract },
      primaryType: type,
      types: { [type]: fields },
      message,
    } satisfies TypedData
  }

  /** `members` in ascending order of account. */
  consent(identity: Address, members: IdentityMember[], storePredicate: Bytes32, nonce: number): TypedData {
    return this.#data(
      'Enigma Identities',
      this.#deployment.addresses.identities,
      'Consent',
      [
        { name: 'identity', type: 'address' },
        { name: 'acl', type: 'bytes32' },
        { name: 'storePredicate', type: 'bytes32' },
        { name: 'nonce', type: 'uint256' },
      ],
      { identity, acl: aclDigest(members), storePredicate, nonce },
    )
  }

  nodeBinding(account: Address): TypedData {
    return this.#data(
      'Enigma Nodes',
      this.#deployment.addresses.registry,
      'NodeBinding',
      [{ name: 'account', type: 'address' }],
      { account },
    )
  }

  approval(approval: ApprovalInput): TypedData {
    const { jobId, ref, approved } = approval
    return this.#job(
      'Approval',
      [
        { name: 'jobId', type: 'bytes32' },
        { name: 'ref', type: 'bytes32' },
        { name: 'approved', type: 'bool' },
      ],
      { jobId, ref, approved },
    )
  }

  result(result: ResultInput): TypedData {
    const { jobId, attempt, resultDigest, transcriptDigest } = result
    return this.#job(
      'Result',
      [
        { name: 'jobId', type: 'bytes32' },
        { name: 'attempt', type: 'uint32' },
        { name: 'resultDigest', type: 'bytes32' },
        { name: 'transcriptDigest', type: 'bytes32' },
      ],
      { jobId, attempt, resultDigest, transcriptDigest },
    )
  }

  failure(jobId: Bytes32, reason: number): TypedData {
    return this.#job(
      'Failure',
      [
        { name: 'jobId', type: 'bytes32' },
        { name: 'reason', type: 'uint8' },
      ],
      { jobId, reason },
    )
  }

  /** What a party answers to a demand. */
  answer(demand: Bytes32, content: Bytes32): TypedData {
    return this.#data(
      'Enigma Evidence',
      this.#deployment.addresses.evidence,
      'Answer',
      [
        { name: 'demand', type: 'bytes32' },
        { name: 'content', type: 'bytes32' },
      ],
      { demand, content },
    )
  }

  #job(type: string, fields: Fields, message: TypedData['message']): TypedData {
    return this.#data('Enigma Jobs', this.#deployment.addresses.jobs, type, fields, message)
  }
}

function aclDigest(members: IdentityMember[]): Bytes32 {
  const packed = members.map((m) => solidityPacked(['address', 'uint64'], [m.account, m.roles]).slice(2))
  return keccak256(`0x${packed.join('')}`) as Hex
}
