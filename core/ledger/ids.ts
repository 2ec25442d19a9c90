import { concat, getBytes, keccak256, toBeHex, zeroPadValue } from 'ethers'
import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { ZERO_BYTES32 } from './constants.ts'
import type { Address, Bytes32 } from './types.ts'

/** addr_P: the XOR of one hash per member over the member set, which is what the contract computes (Alg. 1). */
export function identityAddress(members: Address[]): Address {
  const sorted = members.map((m) => m.toLowerCase() as Address).sort()
  if (sorted.length === 0 || new Set(sorted).size !== sorted.length)
    throw new EnigmaError('INVALID_ARGUMENT', 'an identity has one or more different members')
  const words = sorted.map((member) => zeroPadValue(member, 32))
  const set = keccak256(concat(words))
  let sum = 0n
  for (const word of words) sum ^= BigInt(keccak256(concat([set, word])))
  return toBeHex(sum & ((1n << 160n) - 1n), 20) as Address
}

/** a_x = H(addr_P ‖ x_ref) (Alg. 3). */
export function referenceId(identity: Address, xRef: Bytes32): Bytes32 {
  return keccak256(concat([identity, xRef])) as Bytes32
}

/** H(jobId ‖ hash of the opening block): what every node draws the job's committee from. */
export function jobSeed(jobId: Bytes32, openBlockHash: Bytes32): Uint8Array {
  return getBytes(keccak256(concat([jobId, openBlockHash])))
}

/** Digest of a job's references, in their order: each is hashed onto what comes before. */
export async function digestReferences(refs: readonly Bytes32[]): Promise<Bytes32> {
  let digest: Bytes32 = ZERO_BYTES32
  for (const ref of refs) {
    await turn()
    digest = keccak256(concat([digest, ref])) as Bytes32
  }
  return digest
}
