import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cost } from '../../../core/circuits/cost.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { reconstructOutput } from '../../../core/shamir-mpc/output.ts'
import { isLinear, runLinearProgram, runProgram } from '../../../core/shamir-mpc/program.ts'
import { deal, field, openCommittee } from '../../unit/shamir-mpc/committee.ts'
import { instance } from '../circuits/random-circuit.ts'

describe('a program over shares equals the program in the clear', () => {
  it.each([
    [3, 1, 'reshare', 40],
    [3, 1, 'king', 40],
    [5, 2, 'reshare', 25],
    [5, 2, 'king', 25],
    [7, 3, 'reshare', 15],
    [11, 5, 'reshare', 5],
  ] as const)('n = %i, t = %i, %s', async (n, t, degreeReduction, numRuns) => {
    const committee = await openCommittee(n, t, { degreeReduction, chunk: 3 })
    await fc.assert(
      fc.asyncProperty(instance, async ({ circuit, inputs, params }) => {
        const expected = evaluate(circuit, field.modulus, inputs, params)
        const shares = deal(inputs, n, t)
        const before = committee.parties[0]!.traffic().rounds
        const outputs = await Promise.all(
          committee.parties.map((p, i) => runProgram(p, circuit, shares[i]!, { params })),
        )
        const refresh = n > 9 ? 1 : 0
        expect(committee.parties[0]!.traffic().rounds - before).toBe(cost(circuit).rounds + refresh)
        const all = outputs.map((values, index) => ({ index, values }))
        const { values, inconsistent } = await reconstructOutput(field, all, t)
        expect(inconsistent).toEqual([])
        expect(field.toBigints(values)).toEqual(expected)
        if (isLinear(circuit)) {
          // Any t + 1 parties suffice, each on its own.
          const some = await Promise.all(
            shares.slice(n - t - 1).map(async (s, k) => ({
              index: n - t - 1 + k,
              values: await runLinearProgram(field, circuit, s, { params }),
            })),
          )
          expect(field.toBigints((await reconstructOutput(field, some, t)).values)).toEqual(expected)
        } else await expect(runLinearProgram(field, circuit, shares[0]!, { params })).rejects.toThrow()
      }),
      { numRuns },
    )
    await committee.close()
  })
})
