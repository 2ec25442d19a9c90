import { expect, it } from 'vitest'
import { chaos } from './chaos.ts'

/** The long version: `npm run chaos -- --runs 100`. */
const RUNS = 10

it('survives kill -9 of any process at random moments in a share or a job', async () => {
  const reports = await chaos({ runs: RUNS, seed: Number(process.env.SEED ?? Date.now() % 2 ** 31) })
  expect(reports).toHaveLength(RUNS)
}, 600_000)

it('gives the right result of a job under SPDZ when a member dies in it, and consumes no material twice', async () => {
  const reports = await chaos({ runs: 4, seed: Number(process.env.SEED ?? 7), actions: ['spdz'] })
  expect(reports.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done', 'done'])
  expect(new Set(reports.map(({ moment }) => moment))).toEqual(new Set(['preparing', 'computing']))
}, 600_000)
