import { parseArgs } from 'node:util'
import { ACTIONS, chaos } from '../test/system/chaos.ts'
import { requireRuntime } from './runtime.ts'

/**
 * `npm run chaos -- --runs 100 [--seed N] [--actions share,job,spdz]`: a JSON line for each run, then the totals. Fails on
 * any violation.
 */
requireRuntime()
const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    actions: { type: 'string', default: 'share,job' },
  },
})
const actions = ACTIONS.filter((action) => values.actions.split(',').includes(action))
if (actions.join() === '' || values.actions.split(',').length !== actions.length)
  throw new Error(`--actions takes some of ${ACTIONS.join(',')}`)
const runs = Number(values.runs ?? 100)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
console.log(JSON.stringify({ seed, runs }))
try {
  const reports = await chaos({ runs, seed, actions, onRun: (report) => console.log(JSON.stringify(report)) })
  const done = reports.filter((r) => r.outcome === 'done').length
  console.log(
    JSON.stringify({ seed, runs: reports.length, done, failedClearly: reports.length - done, violations: 0 }),
  )
} catch (error) {
  console.error(error)
  console.log(JSON.stringify({ seed, violations: 1 }))
  process.exitCode = 1
}
process.exit()
