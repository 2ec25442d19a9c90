type Hex = `0x${string}`

export const MAX_MEMBERS = 64

/** Role bits with a meaning to the product; the others are free. */
export const ROLE = {
  /** May store data under the identity. */
  store: 1n << 0n,
  /** May read what the identity's read predicates name. */
  read: 1n << 1n,
  /** May request computations. */
  compute: 1n << 2n,
  /** May change predicates and revoke in the identity's name. */
  admin: 1n << 3n,
} as const

export interface Member {
  /** Account of pk_i. */
  account: Hex
  /** POLICY_i as role bits. */
  roles: bigint
}

/** ACL[pk_i], by lower-case account. */
export type Acl = Map<Hex, bigint>

/** The public part of the paper's (2n+1)-tuple (11): every sk_i stays with its party. */
export interface SharedIdentity {
  /** addr_P. */
  address: Hex
  acl: Acl
}
