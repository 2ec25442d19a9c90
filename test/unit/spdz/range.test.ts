import { expect, it } from 'vitest'
import { EnigmaError } from '../../../core/base/errors.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import { runCircuit } from '../../../core/circuits/run.ts'
import { spdzEngine } from '../../../core/spdz/engine.ts'
import { field, openCommittee } from './committee.ts'

/** Runs `max` over three inputs, and counts the rounds. */
async function run(first: bigint) {
  const fn = builtin('max')
  const { circuit } = fn.build(fn.parseParams({}), [1, 1, 1])
  const committee = await openCommittee(2)
  const rounds = [0, 0]
  const results = await Promise.allSettled(
    committee.parties.map(async (p, i) => {
      const inputs = []
      for (const v of [first, 4n, 7n]) inputs.push(await p.input(0, i === 0 ? field.fromBigints([v]) : 1))
      const engine = spdzEngine(p, committee.materials[i]!)
      const round: typeof engine.round = (products, openings) => {
        rounds[i]! += 1
        return engine.round(products, openings)
      }
      await runCircuit({ ...engine, round }, circuit, inputs)
    }),
  )
  await committee.close()
  const codes = results.map((r) =>
    r.status === 'fulfilled' ? 'ok' : r.reason instanceof EnigmaError ? r.reason.code : String(r.reason),
  )
  return { codes, rounds }
}

it('a value that no owner can encode ends the run before anything depends on it', async () => {
  const honest = await run(-5n)
  expect(honest.codes).toEqual(['ok', 'ok'])
  const huge = await run(1n << 220n)
  expect(huge.codes).toEqual(['FIELD_NOT_INVERTIBLE', 'FIELD_NOT_INVERTIBLE'])
  expect(huge.rounds).toEqual([10, 10])
  expect(honest.rounds[0]).toBeGreaterThan(10)
})
