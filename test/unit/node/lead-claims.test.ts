import { expect, it } from 'vitest'
import { LeadClaims } from '../../../core/node/compute/lead-claims.ts'
import { nodeId } from '../preprocessing/committee.ts'

const [a, b] = [nodeId(0), nodeId(1)]

it('takes a node at its word for as long as an attempt may take', () => {
  const claims = new LeadClaims(2, 100)
  expect([0, 50, 100, 101, 200].map((now) => claims.counts(a, 1, now))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
  expect(claims.counts(b, 1, 150)).toBe(true)
})

it('and for so many attempts, whatever numbers it gives them and how often it goes back to one', () => {
  const claims = new LeadClaims(2, 100)
  expect(claims.counts(a, 7, 0)).toBe(true)
  expect(claims.counts(a, 10 ** 9, 60)).toBe(true)
  expect(claims.counts(a, 8, 70)).toBe(false)
  expect(claims.counts(a, 7, 90)).toBe(true)
  expect(claims.counts(a, 7, 120)).toBe(false)
  expect(claims.counts(a, 10 ** 9, 160)).toBe(true)
  expect(claims.counts(a, 10 ** 9, 161)).toBe(false)
})
