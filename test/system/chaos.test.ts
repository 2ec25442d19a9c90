import { expect, it } from 'vitest'
import { chaos } from './chaos.ts'

/** The long version: `npm run chaos -- --runs 100`. */
const RUNS = 10

it('survives kill -9 of any process at random moments in a share or a job', async () => {
  const reports = await chaos({ runs: RUNS, seed: Number(process.env.SEED ?? Date.now() % 2 ** 31) })
  expect(reports).toHaveLength(RUNS)
}, 600_000)
