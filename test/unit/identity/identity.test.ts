import { describe, expect, test } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import {
  decodeAcl,
  encodeAcl,
  identityAddress,
  rolesOf,
  sharedIdentity,
} from '../../../core/identity/identity.ts'
import { ROLE } from '../../../core/identity/types.ts'

const account = (n: number) => toHex(new Uint8Array(20).fill(n))

describe('addr_P', () => {
  test('depends on the members, not on their order, and is no member itself', () => {
    const all = identityAddress([account(1), account(2), account(3)])
    expect(identityAddress([account(3), account(1), account(2)])).toBe(all)
    expect(identityAddress([account(1), account(2)])).not.toBe(all)
    expect(identityAddress([account(1)])).not.toBe(account(1))
  })

  test('is not linear: the XOR of pseudonyms is not the shared identity', () => {
    const sum = BigInt(identityAddress([account(1)])) ^ BigInt(identityAddress([account(2)]))
    expect(BigInt(identityAddress([account(1), account(2)]))).not.toBe(sum)
  })

  test.each([
    ['nobody', []],
    ['someone twice', [account(1), account(1)]],
    ['too many', Array.from({ length: 65 }, (_, i) => account(i))],
    ['half an account', ['0x12' as const]],
  ])('%s has none', (_, members) => {
    expect(() => identityAddress(members)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('an ACL', () => {
  const identity = sharedIdentity([
    { account: account(9), roles: ROLE.compute },
    { account: account(2), roles: ROLE.store | ROLE.admin },
  ])

  test('gives members their roles and strangers none', () => {
    expect(rolesOf(identity, account(2))).toBe(9n)
    expect(rolesOf(identity, account(3))).toBe(0n)
  })

  test('comes back from its encoding', () => {
    expect(decodeAcl(encodeAcl(identity))).toEqual({ ...identity, acl: new Map([...identity.acl].sort()) })
  })

  test('with a wrong length, order or role is refused', () => {
    const bytes = encodeAcl(identity)
    expect(() => decodeAcl(bytes.subarray(1))).toThrow()
    const swapped = Uint8Array.from([...bytes.subarray(28), ...bytes.subarray(0, 28)])
    expect(() => decodeAcl(swapped)).toThrow()
    expect(() => sharedIdentity([{ account: account(1), roles: 0n }])).toThrow()
    expect(() => sharedIdentity([{ account: account(1), roles: 1n << 64n }])).toThrow()
  })
})
