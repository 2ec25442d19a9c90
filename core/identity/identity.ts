import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, fromHex, toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { type Acl, MAX_MEMBERS, type Member, type SharedIdentity } from './types.ts'

type Hex = `0x${string}`

/**
 * addr_P (Alg. 1): the XOR of one 20-byte value per member account. Each value hashes the account together
 * with the whole member set; with bare keys, linear algebra over 161 keys of one's own would reach any address.
 * Order does not matter. Throws INVALID_ARGUMENT for no, too many, or repeated members.
 */
export function identityAddress(members: Hex[]): Hex {
  const sorted = members.map((m) => fromHex(m, 20)).sort(Buffer.compare)
  if (sorted.length === 0 || sorted.length > MAX_MEMBERS)
    throw new EnigmaError('INVALID_ARGUMENT', `an identity has 1 to ${MAX_MEMBERS} members`)
  for (let i = 1; i < sorted.length; i++)
    if (Buffer.compare(sorted[i - 1]!, sorted[i]!) === 0)
      throw new EnigmaError('INVALID_ARGUMENT', 'an identity names each member once')
  // The contract packs addresses of an array into 32-byte words.
  const words = sorted.map((member) => concatBytes(new Uint8Array(12), member))
  const set = keccak_256(concatBytes(...words))
  const sum = new Uint8Array(20)
  for (const word of words) {
    const value = keccak_256(concatBytes(set, word)).subarray(12)
    for (let i = 0; i < 20; i++) sum[i]! ^= value[i]!
  }
  return toHex(sum)
}

/** SharedIdentity_P of these members; one member makes an ordinary pseudonym. Roles: 0 < roles < 2^64. */
export function sharedIdentity(members: Member[]): SharedIdentity {
  const acl: Acl = new Map()
  for (const { account, roles } of members) {
    if (roles < 1n || roles >= 1n << 64n)
      throw new EnigmaError('INVALID_ARGUMENT', `roles of ${account} are outside 1 to 2^64 - 1`)
    acl.set(account.toLowerCase() as Hex, roles)
  }
  return { address: identityAddress(members.map((m) => m.account)), acl }
}

/** ACL[account], 0n for strangers. */
export function rolesOf(identity: SharedIdentity, account: Hex): bigint {
  return identity.acl.get(account.toLowerCase() as Hex) ?? 0n
}

/** L[addr_P] as the ledger keeps it: 28 bytes per member in ascending order, account and roles. */
export function encodeAcl(identity: SharedIdentity): Uint8Array {
  const entries = [...identity.acl].sort(([a], [b]) => (a < b ? -1 : 1))
  return concatBytes(
    ...entries.map(([account, roles]) =>
      concatBytes(fromHex(account, 20), fromHex(roles.toString(16).padStart(16, '0'))),
    ),
  )
}

/** Reads what `encodeAcl` writes; throws INVALID_ARGUMENT on anything else. */
export function decodeAcl(bytes: Uint8Array): SharedIdentity {
  if (bytes.length === 0 || bytes.length % 28 !== 0)
    throw new EnigmaError('INVALID_ARGUMENT', 'an ACL has 28 bytes per member')
  const members: Member[] = []
  for (let at = 0; at < bytes.length; at += 28) {
    const account = toHex(bytes.subarray(at, at + 20))
    if (members.length > 0 && members.at(-1)!.account >= account)
      throw new EnigmaError('INVALID_ARGUMENT', 'the members of an ACL are not in ascending order')
    members.push({ account, roles: BigInt(toHex(bytes.subarray(at + 20, at + 28))) })
  }
  return sharedIdentity(members)
}
