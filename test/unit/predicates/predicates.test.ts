import { describe, expect, test } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import { decodePredicate, encodePredicate, predicateId } from '../../../core/predicates/codec.ts'
import { evaluatePredicate } from '../../../core/predicates/evaluate.ts'
import { conditionsOf, explainPredicate } from '../../../core/predicates/explain.ts'
import type { Predicate, PredicateContext } from '../../../core/predicates/types.ts'

const account = (n: number) => toHex(new Uint8Array(20).fill(n))
const word = (n: number) => toHex(new Uint8Array(32).fill(n))
const context: PredicateContext = {
  account: account(1),
  owner: account(2),
  identity: account(3),
  functionId: word(1),
  cohort: 5,
  approved: true,
  uses: 0,
  now: 1000,
}
const noRoles = () => 0n

const grant: Predicate = {
  kind: 'and',
  of: [
    { kind: 'keys', accounts: [account(1)] },
    { kind: 'expiry', before: 2000 },
    { kind: 'uses', max: 3 },
    { kind: 'functions', ids: [word(1)] },
    { kind: 'cohort', min: 5 },
    { kind: 'approval' },
  ],
}

describe('evaluation', () => {
  test.each<[string, Partial<PredicateContext>]>([
    ['denied', { account: account(9) }],
    ['expired', { now: 2000 }],
    ['usedUp', { uses: 3 }],
    ['functionNotAllowed', { functionId: word(2) }],
    ['cohortTooSmall', { cohort: 4 }],
    ['approvalMissing', { approved: false }],
  ])('names %s', (reason, change) => {
    expect(evaluatePredicate(grant, context, noRoles)).toEqual({ allowed: true })
    expect(evaluatePredicate(grant, { ...context, ...change }, noRoles)).toEqual({ allowed: false, reason })
  })

  test('who asks comes before everything that could change', () => {
    const all = { ...context, account: account(9), now: 5000, approved: false }
    expect(evaluatePredicate(grant, all, noRoles)).toEqual({ allowed: false, reason: 'denied' })
  })

  test('roles are those of the named identity, else of the data', () => {
    const asked: string[] = []
    const rolesOf = (identity: string) => {
      asked.push(identity)
      return 0b101n
    }
    expect(evaluatePredicate({ kind: 'role', mask: 0b100n }, context, rolesOf).allowed).toBe(true)
    expect(
      evaluatePredicate({ kind: 'role', mask: 0b110n, identity: account(7) }, context, rolesOf).allowed,
    ).toBe(false)
    expect([...new Set(asked)]).toEqual([account(3), account(7)])
  })
})

describe('the encoding', () => {
  test('is postfix behind a version, with its hash as name', () => {
    const bytes = encodePredicate({
      kind: 'and',
      of: [{ kind: 'owner' }, { kind: 'not', of: { kind: 'approval' } }],
    })
    expect(toHex(bytes)).toBe('0x01010812' + '1002')
    expect(predicateId(Uint8Array.of(1, 9))).toMatch(/^0x[0-9a-f]{64}$/)
  })

  test('does not depend on the order of a list', () => {
    const one = encodePredicate({ kind: 'keys', accounts: [account(1), account(2)] })
    expect(encodePredicate({ kind: 'keys', accounts: [account(2), account(1)] })).toEqual(one)
    expect(decodePredicate(encodePredicate(grant))).toEqual(grant)
  })

  const deep = (n: number): Predicate => (n === 0 ? { kind: 'owner' } : { kind: 'not', of: deep(n - 1) })
  test.each<[string, Predicate]>([
    ['an empty list', { kind: 'keys', accounts: [] }],
    ['a repeated entry', { kind: 'functions', ids: [word(1), word(1)] }],
    ['33 entries', { kind: 'keys', accounts: Array.from({ length: 33 }, (_, i) => account(i)) }],
    ['a zero role', { kind: 'role', mask: 0n }],
    ['the zero identity', { kind: 'role', mask: 1n, identity: account(0) }],
    ['a fraction', { kind: 'cohort', min: 1.5 }],
    ['a use count of zero', { kind: 'uses', max: 0 }],
    ['an expiry beyond 48 bits', { kind: 'expiry', before: 2 ** 48 }],
    ['one part', { kind: 'and', of: [{ kind: 'owner' }] }],
    ['64 levels of not', deep(64)],
    ['odd hexadecimal', { kind: 'keys', accounts: ['0x1'] }],
  ])('has no room for %s', (_, predicate) => {
    expect(() => encodePredicate(predicate)).toThrow(expect.objectContaining({ code: 'PREDICATE_INVALID' }))
  })
})

test('an explanation says which part is met and what it asked for', () => {
  const explained = explainPredicate(grant, { ...context, uses: 3 }, noRoles)
  expect(explained.met).toBe(false)
  expect(explained.parts.map((p) => [p.kind, p.met])).toEqual([
    ['keys', true],
    ['expiry', true],
    ['uses', false],
    ['functions', true],
    ['cohort', true],
    ['approval', true],
  ])
  expect(explained.parts[2]!.facts).toEqual({ max: 3, uses: 3, remaining: 0 })
  expect(conditionsOf(grant, 'cohort')).toEqual([{ kind: 'cohort', min: 5 }])
})
