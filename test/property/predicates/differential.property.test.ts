import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import { hasCode } from '../../../core/base/errors.ts'
import { predicatesCodec } from '../../../core/ledger/abi.ts'
import type { LedgerClient } from '../../../core/ledger/client.ts'
import { ZERO_BYTES32 } from '../../../core/ledger/constants.ts'
import type { Address, Signer } from '../../../core/ledger/types.ts'
import { decodePredicate, encodePredicate, predicateId } from '../../../core/predicates/codec.ts'
import { evaluatePredicate } from '../../../core/predicates/evaluate.ts'
import type { Predicate, PredicateContext } from '../../../core/predicates/types.ts'
import * as support from '../../unit/ledger/support.ts'

let chain: support.TestChain
let ledger: LedgerClient
let signer: Signer
/** The contract evaluates roles against identities that are really there. */
const roles = new Map<string, bigint>()
const accounts: Address[] = []
const identities: Address[] = []

beforeAll(async () => {
  chain = await support.startChain()
  ledger = await chain.client({ pollMs: 10 })
  signer = await support.fundedSigner(ledger)
  accounts.push(...[1, 2, 3].map(() => support.newSigner().address))
  for (const mask of [1n, 6n]) {
    const member = await support.fundedSigner(ledger)
    await ledger.createIdentity(member, [{ account: member.address, roles: mask }], ZERO_BYTES32)
    const identity = ledger.identityAddress([member.address])
    identities.push(identity)
    accounts.push(member.address)
    roles.set(identity + member.address, mask)
  }
})
afterAll(() => chain?.[Symbol.asyncDispose]())

const functions = [1, 2, 3].map((n) => toHex(new Uint8Array(32).fill(n)))
const account = fc.nat(4).map((i) => accounts[i]!)
const identity = fc.nat(1).map((i) => identities[i]!)
const functionId = fc.constantFrom(...functions)
const small = fc.integer({ min: 1, max: 4 })

const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Predicate>({ kind: 'owner' }, { kind: 'approval' }, { kind: 'anyone' }),
    fc.record({
      kind: fc.constant('keys' as const),
      accounts: fc.uniqueArray(account, { minLength: 1, maxLength: 3 }),
    }),
    fc.record(
      { kind: fc.constant('role' as const), mask: fc.bigInt(1n, 7n), identity },
      { requiredKeys: ['kind', 'mask'] },
    ),
    fc.record({ kind: fc.constant('expiry' as const), before: small }),
    fc.record({ kind: fc.constant('uses' as const), max: small }),
    fc.record({ kind: fc.constant('cohort' as const), min: small }),
    fc.record({
      kind: fc.constant('functions' as const),
      ids: fc.uniqueArray(functionId, { minLength: 1, maxLength: 2 }),
    }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('predicate') as fc.Arbitrary<Predicate>, { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), of: tie('predicate') as fc.Arbitrary<Predicate> }),
  ),
}))

const context: fc.Arbitrary<PredicateContext> = fc.record({
  account,
  owner: account,
  identity,
  functionId,
  cohort: fc.nat(5),
  approved: fc.boolean(),
  uses: fc.nat(5),
  now: fc.nat(5),
})

const rolesOf = (i: string, a: string) => roles.get(i + a) ?? 0n

function tryEncode(p: Predicate): Uint8Array | undefined {
  try {
    return encodePredicate(p)
  } catch (error) {
    if (hasCode(error, 'PREDICATE_INVALID')) return undefined
    throw error
  }
}

describe('TypeScript and the contract', () => {
  test('evaluate alike, with the same reason', async () => {
    await fc.assert(
      fc.asyncProperty(predicate, fc.array(context, { minLength: 4, maxLength: 8 }), async (p, contexts) => {
        const encoding = tryEncode(p)
        fc.pre(encoding !== undefined)
        await ledger.publishPredicate(signer, encoding, { wait: 'mined' })
        const id = predicateId(encoding)
        expect(await ledger.predicate(id)).toEqual(encoding)
        const onChain = await Promise.all(contexts.map((c) => ledger.checkPermission(id, c)))
        expect(onChain).toEqual(contexts.map((c) => evaluatePredicate(p, c, rolesOf)))
        // Order inside lists is the one thing that encoding changes.
        expect(encodePredicate(decodePredicate(encoding))).toEqual(encoding)
      }),
      { numRuns: 120 },
    )
  })

  test('accept the same encodings', async () => {
    const mutated = fc
      .tuple(predicate, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }), fc.nat(3))
      .map(([p, changes, cut]) => {
        const bytes = Uint8Array.from(tryEncode(p) ?? [1, 9])
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        return bytes.subarray(0, Math.max(0, bytes.length - cut))
      })
    const random = fc
      .array(fc.constantFrom(1, 8, 9, 0x10, 0x11, 0x12, 2, 3, 4, 5), { maxLength: 12 })
      .map((ops) => Uint8Array.of(1, ...ops))
    let rejected = 0
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, random), async (bytes) => {
        const here = decodes(bytes)
        if (!here) rejected++
        expect(await publishes(bytes)).toBe(here)
      }),
      { numRuns: 500 },
    )
    expect(rejected).toBeGreaterThan(50)
  })
})

function decodes(bytes: Uint8Array): boolean {
  try {
    decodePredicate(bytes)
    return true
  } catch (error) {
    if (!hasCode(error, 'PREDICATE_INVALID')) throw error
    return false
  }
}

async function publishes(bytes: Uint8Array): Promise<boolean> {
  const to = chain.devnet.deployment.addresses.predicates
  const data = predicatesCodec.encode('publish', [toHex(bytes)])
  return chain.rpc('eth_call', [{ to, data }, 'latest']).then(
    () => true,
    () => false,
  )
}
