import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessGrant, ComputeFunction, Predicate, Reference } from '../../../core/ipc/index.ts'
import { en } from '../../../renderer/app/i18n/en/all.ts'
import { flatten, i18n, translate } from '../../../renderer/app/i18n/index.ts'
import { zh } from '../../../renderer/app/i18n/zh/all.ts'
import { groupGrants } from '../../../renderer/features/access/groups.ts'
import { binsOf, rangeText } from '../../../renderer/features/computations/bins.ts'
import {
  demands,
  newRequest,
  paramProblem,
  suits,
  toParams,
} from '../../../renderer/features/computations/wizard-model.ts'
import { readKeys } from '../../../renderer/features/identities/keys.ts'
import { asGroup, edit, normalise, problemOf } from '../../../renderer/features/predicates/model.ts'
import { PHASES, stepOf } from '../../../renderer/features/share/phases.ts'
import { maxThreshold, toPredicate } from '../../../renderer/features/share/rule.ts'

const approval: Predicate = { kind: 'approval' }
const owner: Predicate = { kind: 'owner' }
const cohort = (minimum: number): Predicate => ({ kind: 'cohort', minimum })
const hash = (digit: string) => `0x${digit.repeat(64)}`

const leaf: fc.Arbitrary<Predicate> = fc.constantFrom(approval, owner, cohort(3))
const tree = fc.letrec<{ rule: Predicate }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({ kind: fc.constant('not' as const), of: tie('rule') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }),
    }),
  ),
})).rule

/** What a rule says when exactly the leaves in `held` hold. */
function holds(rule: Predicate, held: Set<string>): boolean {
  if (rule.kind === 'and') return rule.of.every((r) => holds(r, held))
  if (rule.kind === 'or') return rule.of.some((r) => holds(r, held))
  return rule.kind === 'not' ? !holds(rule.of, held) : held.has(rule.kind)
}

describe('histogram', () => {
  const ranges = (locale: 'en' | 'zh') => {
    i18n.loadAndActivate({ locale, messages: flatten(locale === 'en' ? en : zh) })
    return binsOf(['4', '0', '12'], ['-10', '20000.5'])?.map((bin) => [rangeText(translate, bin), bin.count])
  }

  it('shows each count with the edges of its range, in both languages', () => {
    expect(ranges('en')).toEqual([
      ['below −10', '4'],
      ['−10 to 20,000.5', '0'],
      ['20,000.5 and more', '12'],
    ])
    expect(ranges('zh')).toEqual([
      ['小于 −10', '4'],
      ['−10 至 20,000.5', '0'],
      ['20,000.5 及以上', '12'],
    ])
  })

  it('labels nothing when counts and edges do not fit', () => {
    expect(binsOf(['1', '2'], ['10', '20'])).toBeUndefined()
  })
})

describe('rule builder', () => {
  it('normalises without changing what the rule says', () => {
    fc.assert(
      fc.property(tree, fc.subarray(['approval', 'owner', 'cohort']), (rule, held) => {
        const next = normalise(rule)
        expect(holds(next, new Set(held))).toBe(holds(rule, new Set(held)))
        expect(normalise(next)).toEqual(next)
      }),
    )
  })

  it('edits and removes parts by their place, through negated groups', () => {
    const root = asGroup({
      kind: 'and',
      of: [approval, { kind: 'not', of: { kind: 'or', of: [owner, cohort(3)] } }],
    })
    expect(edit(root, [1, 1], () => cohort(9))).toEqual({
      kind: 'and',
      of: [approval, { kind: 'not', of: { kind: 'or', of: [owner, cohort(9)] } }],
    })
    expect(edit(root, [0], () => undefined).of).toHaveLength(1)
  })

  it('names what is missing before a rule can be published', () => {
    expect(problemOf({ kind: 'and', of: [] })).toBe('empty')
    expect(problemOf({ kind: 'not', of: { kind: 'keys', accounts: [] } })).toBe('accounts')
    expect(problemOf({ kind: 'functions', functions: [] })).toBe('functions')
    expect(problemOf({ kind: 'expiry', until: 5 }, 5)).toBe('past')
    expect(problemOf(cohort(1))).toBe('invalid')
    expect(problemOf({ kind: 'and', of: [approval, cohort(2)] })).toBeUndefined()
  })

  it('joins the questions of the Share dialog into one rule', () => {
    const simple = {
      recipients: 'named' as const,
      accounts: [`0x${'a'.repeat(40)}`],
      functions: [hash('1')],
      minimum: 1,
      approval: true,
      until: undefined,
      uses: 3,
    }
    expect(toPredicate(simple)).toEqual({
      kind: 'and',
      of: [
        { kind: 'keys', accounts: simple.accounts },
        { kind: 'functions', functions: simple.functions },
        approval,
        { kind: 'uses', count: 3 },
      ],
    })
    for (const n of [3, 4, 5, 32]) expect(2 * maxThreshold(n)).toBeLessThan(n)
  })
})

describe('pasted keys', () => {
  const key = (digit: string) => `0x02${digit.repeat(64)}`

  it('takes names on either side, skips empty lines, lowers the case', () => {
    const { members, problem } = readKeys(`Mina: ${key('A')}\n\n${key('b')}, 李晓`, [], key('c'))
    expect(problem).toBeUndefined()
    expect(members.map((m) => [m.label, m.publicKey])).toEqual([
      ['Mina', key('a')],
      ['李晓', key('b')],
    ])
  })

  it.each([
    ['no key here', 'key'],
    [`${key('a')}f`, 'key'],
    [key('d'), 'duplicate'],
    [`me ${key('c')}`, 'self'],
  ])('stops at %s', (line, kind) => {
    expect(readKeys(`${key('a')}\n${line}`, [key('d')], key('c')).problem).toEqual({ kind, line: 2 })
  })
})

describe('computation request', () => {
  const fn = (input: ComputeFunction['input']): ComputeFunction => ({
    id: 'linearScore',
    codeHash: hash('1'),
    reveals: '',
    input,
    params: [
      { name: 'weights', kind: 'decimals', required: true },
      { name: 'bias', kind: 'decimal', required: false },
    ],
  })
  const refs = [{ length: 2 }, { length: 2 }]

  it('knows which references fit', () => {
    expect(suits(fn('scalar'), { length: 2 })).toBe(false)
    expect(suits(fn('pairs'), { length: 3 })).toBe(false)
    expect(suits(fn('any'), { length: 3 })).toBe(true)
  })

  it('checks parameters against the references', () => {
    expect(paramProblem(fn('weights'), 'weights', '', refs)).toEqual({ kind: 'required' })
    expect(paramProblem(fn('weights'), 'weights', '1 x', refs)).toEqual({ kind: 'decimals' })
    expect(paramProblem(fn('weights'), 'weights', '1, 2, 3', refs)).toEqual({
      kind: 'lengthMismatch',
      length: 2,
    })
    expect(paramProblem(fn('weights'), 'weights', '1，-2.5', refs)).toBeUndefined()
    expect(paramProblem(fn('any'), 'weights', '1 2 3', refs)).toEqual({
      kind: 'weightsCount',
      needed: 4,
      count: 3,
    })
    expect(paramProblem(fn('any'), 'bias', '1e3', refs)).toEqual({ kind: 'decimal' })
    expect(paramProblem(fn('any'), 'bias', '', refs)).toBeUndefined()
  })

  it('keeps numbers as exact strings and leaves out what was left empty', () => {
    const request = { ...newRequest(), fn: fn('any'), params: { weights: '0.1 0.20', bias: ' ' } }
    expect(toParams(request)).toEqual({ weights: ['0.1', '0.20'] })
  })

  it('reads only demands that hold whatever else does', () => {
    const reference = (predicate: Predicate) => ({ predicate }) as Reference
    expect(demands([reference({ kind: 'or', of: [owner, cohort(20)] })]).minimum).toBe(0)
    expect(demands([reference({ kind: 'not', of: cohort(20) })]).minimum).toBe(0)
    expect(demands([reference({ kind: 'and', of: [cohort(4), approval] }), reference(cohort(7))])).toEqual({
      minimum: 7,
      approval: true,
    })
  })
})

describe('lists', () => {
  it('puts a grant under everyone it names, open ones last', () => {
    const grant = (ref: string, accounts: string[]) =>
      ({ ref, accounts, functions: [] as string[] }) as AccessGrant
    const groups = groupGrants([grant('1', []), grant('2', ['a', 'b']), grant('3', ['b'])], 'person')
    expect(groups.map((g) => [g.key, g.grants.map((x) => x.ref)])).toEqual([
      ['a', ['2']],
      ['b', ['2', '3']],
      ['', ['1']],
    ])
  })

  it('places a job in its steps, unknown phases by progress', () => {
    const at = (phase: string, progress: number, state: 'running' | 'done' = 'running') =>
      stepOf({ kind: 'share', phase, progress, state })
    expect(at('send', 0)).toBe(2)
    expect(at('mystery', 0.99)).toBe(PHASES.share.length - 1)
    expect(at('mystery', 0)).toBe(0)
    expect(at('commit', 1, 'done')).toBe(PHASES.share.length)
  })
})
