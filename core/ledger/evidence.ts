import { concat, getBytes, keccak256, TypedDataEncoder } from 'ethers'
import type { LedgerDeployment } from './types.ts'

/** The domain that was used last: a run signs and checks some hundred statements under one. */
let known: { readonly name: string; readonly separator: string } | undefined

/**
 * The 32 bytes that a node key signs of a struct hash (`roundDigest` of core/commitments/rounds.ts, `openingDigest` of
 * core/audit): EIP-712 under the domain of this ledger's Evidence contract, so that a statement holds on one chain
 * and for one contract.
 */
export function evidenceDigest(
  { chainId, addresses }: Pick<LedgerDeployment, 'chainId' | 'addresses'>,
  structHash: Uint8Array,
): Uint8Array {
  const name = `${chainId}/${addresses.evidence}`
  if (known?.name !== name) {
    const verifyingContract = addresses.evidence
    const domain = { name: 'Enigma Evidence', version: '1', chainId, verifyingContract }
    known = { name, separator: TypedDataEncoder.hashDomain(domain) }
  }
  return getBytes(keccak256(concat(['0x1901', known.separator, structHash])))
}
