import { parseArgs } from 'node:util'
import { caseOf, runCase, violation } from '../test/adversary/mpc/cases.ts'
import { requireRuntime } from './runtime.ts'

// Many more cases of the adversary suite than the test command has time for.
requireRuntime()
const { values } = parseArgs({
  options: { cases: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
})
const PARALLEL = 25
const count = Number(values.cases)
const seed = Number(values.seed)
let violations = 0
let tampered = 0
let refused = 0
const named = new Map<string, number>()
for (let at = 0; at < count; at += PARALLEL) {
  const cases = Array.from({ length: Math.min(PARALLEL, count - at) }, (_, i) => caseOf(seed, at + i))
  const outcomes = await Promise.all(cases.map(runCase))
  outcomes.forEach((outcome, i) => {
    const wrong = violation(cases[i]!, outcome)
    if (wrong !== undefined) {
      violations++
      console.error(`case ${at + i}: ${wrong}\n${JSON.stringify(cases[i])}`)
    }
    if (outcome.tampered) tampered++
    if (outcome.tampered && !outcome.accepted) refused++
    if (outcome.named !== undefined)
      named.set(outcome.named.reason, (named.get(outcome.named.reason) ?? 0) + 1)
  })
  if (at % 500 === 0) console.error(`${at} of ${count}`)
}
console.log(
  JSON.stringify({ cases: count, seed, tampered, refused, violations, named: Object.fromEntries(named) }),
)
process.exit(violations === 0 ? 0 : 1)
