import { concat, getBytes, keccak256, TypedDataEncoder } from 'ethers'
import type { LedgerDeployment } from './types.ts'

/**
 * The 32 bytes that a node key signs of a struct hash (`roundDigest` of core/commitments/rounds.ts, `openingDigest` of
 * core/audit): EIP-712 under the domain of this ledger's Evidence contract, so that a statement holds on one chain
 * and for one contract.
 */
export function evidenceDigest(
  deployment: Pick<LedgerDeployment, 'chainId' | 'addresses'>,
  structHash: Uint8Array,
): Uint8Array {
  const domain = TypedDataEncoder.hashDomain({
    name: 'Enigma Evidence',
    version: '1',
    chainId: deployment.chainId,
    verifyingContract: deployment.addresses.evidence,
  })
  return getBytes(keccak256(concat(['0x1901', domain, structHash])))
}
