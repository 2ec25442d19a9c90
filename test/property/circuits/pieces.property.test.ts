import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import { runCircuit } from '../../../core/circuits/run.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import { clear } from '../../unit/circuits/clear-engine.ts'
import { type Instance, instance } from './random-circuit.ts'

/** Runs a program with operations in pieces of `piece` elements; every vector that it makes is freed. */
async function inPieces(piece: number, { circuit, inputs, params }: Instance): Promise<bigint[]> {
  const { engine, state, made } = clear({ piece })
  const slots = inputs.map((v) => made(field.fromBigints(v)))
  const output = await runCircuit(engine, circuit, slots, { params })
  const values = field.toBigints(output)
  for (const v of [...slots, output]) engine.free(v)
  expect(state.live.size).toBe(0)
  return values
}

describe('operations in pieces give what whole ones do', () => {
  it('on random programs', async () => {
    await fc.assert(
      fc.asyncProperty(instance, fc.integer({ min: 1, max: 4 }), async (program, piece) => {
        const { circuit, inputs, params } = program
        expect(await inPieces(piece, program)).toEqual(evaluate(circuit, field.modulus, inputs, params))
      }),
      { numRuns: 200 },
    )
  })

  it.each([
    ['median', {}, [1, 1, 1]],
    ['histogram', { edges: ['0', '5', '50'] }, [2, 2]],
    ['relativePosition', { subject: 0 }, [1, 1, 1]],
  ] as const)('of %s, with random bits and digits', async (id, given, shapes) => {
    const fn = builtin(id)
    const { circuit, params = [] } = fn.build(fn.parseParams(given), shapes)
    const inputs = shapes.map((length, s) =>
      Array.from({ length }, (_, i) => BigInt((s * 7 + i * 3) % 11) * 1_000_000n),
    )
    const expected = evaluate(circuit, field.modulus, inputs, params)
    for (const piece of [1, 3, 10])
      expect(await inPieces(piece, { circuit, inputs, params: params.map((p) => [...p]) })).toEqual(expected)
  })
})
