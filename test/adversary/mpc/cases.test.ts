import { describe, expect, it } from 'vitest'
import { caseOf, runCase, violation } from './cases.ts'

const CASES = 500
const PARALLEL = 25

describe('n − 1 of n parties may deviate (§5.1.2)', () => {
  it(`${CASES} cases: nothing wrong is accepted, nobody innocent is named`, {
    timeout: 180_000,
  }, async () => {
    const found: string[] = []
    let tampered = 0
    let refused = 0
    const named = new Set<string>()
    for (let at = 0; at < CASES; at += PARALLEL) {
      const cases = Array.from({ length: Math.min(PARALLEL, CASES - at) }, (_, i) => caseOf(20261121, at + i))
      const outcomes = await Promise.all(cases.map(runCase))
      outcomes.forEach((outcome, i) => {
        const wrong = violation(cases[i]!, outcome)
        if (wrong !== undefined) found.push(`${JSON.stringify(cases[i])}: ${wrong}`)
        if (outcome.tampered) tampered++
        if (!outcome.accepted) refused++
        if (outcome.named !== undefined) named.add(outcome.named.reason)
      })
    }
    expect(found).toEqual([])
    // The suite bites: most messages are there to be changed, and a change is noticed.
    expect(tampered).toBeGreaterThan(CASES / 4)
    expect(refused).toBeGreaterThan(tampered / 2)
    for (const reason of ['MALFORMED', 'OUT_OF_STEP', 'BAD_OPENING']) expect(named).toContain(reason)
  })

  it('leaves honest runs alone', async () => {
    for (const [number, n] of [2, 3, 5].entries()) {
      const honest = { ...caseOf(1, number), n, protocol: 'online' as const, cheat: 1, at: 2 }
      expect(await runCase(honest)).toEqual({ tampered: false, accepted: true, right: true })
    }
    const gear = { ...caseOf(1, 1), n: 3, protocol: 'preprocessing' as const, cheat: 1, at: 2 }
    expect(await runCase(gear)).toEqual({ tampered: false, accepted: true, right: true })
  })
})
