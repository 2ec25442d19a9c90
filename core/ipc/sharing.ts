import * as z from 'zod'
import { address, decimal, hash, id, jobStarted, label, nothing, publicKey, time } from './common.ts'
import { method } from './method.ts'
import { shareInfo } from './vault.ts'

/** A role in a shared identity's access list. */
export const role = z.enum(['owner', 'manager', 'member', 'viewer'])

export const identity = z.object({
  address,
  label: z.string(),
  kind: z.enum(['pseudonym', 'shared']),
  members: z.array(
    z.object({ account: address, publicKey: publicKey.optional(), role, label: z.string().optional() }),
  ),
  state: z.enum(['pending', 'active']),
  createdAt: time,
  mine: z.boolean(),
})

export type Predicate =
  | { kind: 'owner' }
  | { kind: 'keys'; accounts: string[] }
  | { kind: 'role'; role: z.infer<typeof role> }
  | { kind: 'expiry'; until: number }
  | { kind: 'uses'; count: number }
  | { kind: 'functions'; functions: string[] }
  | { kind: 'cohort'; minimum: number }
  | { kind: 'approval' }
  | { kind: 'and'; of: Predicate[] }
  | { kind: 'or'; of: Predicate[] }
  | { kind: 'not'; of: Predicate }

/** The rule in the form people build; `functions` holds code hashes, `until` milliseconds since the epoch. */
export const predicate: z.ZodType<Predicate> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('owner') }),
    z.strictObject({ kind: z.literal('keys'), accounts: z.array(address).min(1).max(64) }),
    z.strictObject({ kind: z.literal('role'), role }),
    z.strictObject({ kind: z.literal('expiry'), until: time }),
    z.strictObject({ kind: z.literal('uses'), count: z.int().min(1).max(1_000_000) }),
    z.strictObject({ kind: z.literal('functions'), functions: z.array(hash).min(1).max(32) }),
    z.strictObject({ kind: z.literal('cohort'), minimum: z.int().min(2).max(1_000_000) }),
    z.strictObject({ kind: z.literal('approval') }),
    z.strictObject({ kind: z.literal('and'), of: z.array(predicate).min(1).max(16) }),
    z.strictObject({ kind: z.literal('or'), of: z.array(predicate).min(1).max(16) }),
    z.strictObject({ kind: z.literal('not'), of: predicate }),
  ]),
)

export const predicateInfo = z.object({
  id: hash,
  label: z.string(),
  predicate,
  /** The bytes that go on chain. */
  encoding: z.string(),
  state: z.enum(['draft', 'published']),
  createdAt: time,
  usedBy: z.int(),
})

export const accessGrant = z.object({
  ref: hash,
  recordId: id.optional(),
  title: z.string(),
  identity,
  predicateId: hash,
  predicate,
  state: z.enum(['active', 'revoked', 'expired', 'used-up']),
  /** Accounts that the rule names; empty when it names none. */
  accounts: z.array(address),
  functions: z.array(hash),
  expiresAt: time.optional(),
  usesLeft: z.int().optional(),
  lastUsedAt: time.optional(),
  computations: z.int(),
})

export const sharingMethods = {
  'identity.list': method(nothing, z.object({ identities: z.array(identity) })),
  'identity.get': method(z.strictObject({ address }), z.object({ identity })),
  'identity.create': method(
    z.strictObject({
      label,
      members: z.array(z.strictObject({ publicKey, role, label: z.string().max(100).optional() })).max(64),
    }),
    jobStarted,
  ),
  /** Shared identities that wait for my consent (Alg. 1: every member signs). */
  'identity.invitations': method(
    nothing,
    z.object({
      invitations: z.array(
        z.object({
          address,
          from: address,
          members: z.array(z.object({ account: address, role })),
          at: time,
        }),
      ),
    }),
  ),
  'identity.join': method(z.strictObject({ address, accept: z.boolean() }), nothing, 'approve'),
  'predicate.list': method(nothing, z.object({ predicates: z.array(predicateInfo) })),
  'predicate.publish': method(z.strictObject({ label, predicate }), jobStarted),
  'predicate.encode': method(z.strictObject({ predicate }), z.object({ id: hash, encoding: z.string() })),
  /** Evaluates a rule on test cases with the code that the holders run. */
  'predicate.test': method(
    z.strictObject({
      predicate,
      cases: z
        .array(
          z.strictObject({
            account: address,
            role: role.optional(),
            isOwner: z.boolean().optional(),
            function: hash,
            cohort: z.int().nonnegative(),
            approved: z.boolean(),
            uses: z.int().nonnegative(),
            at: time,
          }),
        )
        .max(50),
    }),
    z.object({ results: z.array(z.object({ allowed: z.boolean(), reason: z.string().optional() })) }),
  ),
  'share.plan': method(
    z.strictObject({
      recordId: id,
      column: z.string().optional(),
      n: z.int().optional(),
      t: z.int().optional(),
    }),
    z.object({
      length: z.int(),
      columns: z.array(z.string()),
      holders: z.array(address),
      n: z.int(),
      t: z.int(),
      feeWei: z.string(),
    }),
  ),
  'share.create': method(
    z.strictObject({
      recordId: id,
      column: z.string().max(200).optional(),
      identity: address.optional(),
      predicateId: hash.optional(),
      predicate: predicate.optional(),
      n: z.int().min(3).max(32).optional(),
      t: z.int().min(1).max(15).optional(),
    }),
    jobStarted,
    'share',
  ),
  'share.list': method(nothing, z.object({ shares: z.array(shareInfo) })),
  'access.list': method(nothing, z.object({ grants: z.array(accessGrant) })),
  'access.revoke': method(z.strictObject({ ref: hash }), jobStarted, 'revoke'),
  'declassify.start': method(z.strictObject({ ref: hash }), jobStarted, 'declassify'),
  /** The values, for as long as the vault stays unlocked after the job is done. */
  'declassify.result': method(
    z.strictObject({ jobId: id }),
    z.object({ ref: hash, values: z.array(decimal), badHolders: z.array(address) }),
  ),
} as const

export type Identity = z.infer<typeof identity>
export type PredicateInfo = z.infer<typeof predicateInfo>
export type AccessGrant = z.infer<typeof accessGrant>
export type Role = z.infer<typeof role>
