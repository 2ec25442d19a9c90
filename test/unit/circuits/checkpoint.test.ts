import { describe, expect, it } from 'vitest'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import { freeCheckpoint, runCircuit } from '../../../core/circuits/run.ts'
import type { Checkpoint } from '../../../core/circuits/types.ts'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import { Cut, clear } from './clear-engine.ts'

const CASES = [
  ['variance', {}, [3, 4]],
  ['max', {}, [1, 1, 1, 1]],
  ['median', {}, [1, 1, 1]],
  ['histogram', { edges: ['0', '5', '50'] }, [2, 2]],
  ['relativePosition', { subject: 0 }, [1, 1, 1]],
] as const

describe.each(CASES)('%s', (id, params, shapes) => {
  const fn = builtin(id)
  const parsed = fn.parseParams(params)
  const built = fn.build(parsed, shapes)
  const values = shapes.map((length, s) =>
    Array.from({ length }, (_, i) => BigInt((s * 7 + i * 3) % 11) * 1_000_000n),
  )
  const expected = evaluate(built.circuit, field.modulus, values, built.params)

  it('gives the same when it is cut before any round and taken up, and opens the same', async () => {
    for (let cut = 0; ; cut++) {
      const opened: string[] = []
      const { engine, state, made } = clear({ cutAt: cut, opened })
      const inputs = values.map((v) => made(field.fromBigints(v)))
      let checkpoint: Checkpoint<FieldVector> | undefined
      let before: readonly string[] = []
      let current = state
      const options = {
        params: built.params,
        onCheckpoint: (next: Checkpoint<FieldVector>) => {
          if (current.unchecked) state.uncheckedCheckpoint = true
          checkpoint = next
          before = [...opened]
        },
      }
      const first = await runCircuit(engine, built.circuit, inputs, options).catch((error) => {
        if (!(error instanceof Cut)) throw error
      })
      const partial = [...opened]
      opened.splice(0, opened.length, ...before)
      const resume = checkpoint!
      expect(resume.layer).toBeLessThanOrEqual(cut)
      const again = clear({ opened })
      for (const v of state.live) again.state.live.add(v)
      current = again.state
      const second = await runCircuit(again.engine, built.circuit, inputs, { ...options, resume })
      expect(field.toBigints(second)).toEqual(expected)
      if (first !== undefined) expect(field.toBigints(first)).toEqual(expected)
      // What was opened before the cut is opened again, or nothing is.
      expect(opened.slice(0, partial.length)).toEqual(partial)
      expect(state.uncheckedCheckpoint).toBe(false)
      freeCheckpoint(again.engine, checkpoint!)
      for (const v of [...inputs, second, ...(first === undefined ? [] : [first])]) again.engine.free(v)
      expect(again.state.live.size).toBe(0)
      if (first !== undefined) break
    }
  })

  it('refuses a checkpoint of another program', async () => {
    const other = builtin('percentile').build({ percentile: '30' }, [1, 1, 1, 1, 1])
    const { engine, made } = clear()
    let checkpoint: Checkpoint<FieldVector> | undefined
    await runCircuit(
      engine,
      other.circuit,
      [1n, 2n, 3n, 4n, 5n].map((v) => made(field.fromBigints([v * 1_000_000n]))),
      {
        params: other.params,
        onCheckpoint: (next) => {
          checkpoint = next
        },
      },
    )
    const inputs = values.map((v) => made(field.fromBigints(v)))
    await expect(
      runCircuit(engine, built.circuit, inputs, { params: built.params, resume: checkpoint! }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

it('has products checked now and then where nothing is opened, and never without being asked', async () => {
  const b = new CircuitBuilder()
  const x = b.input(1)
  let power = x
  for (let i = 0; i < 40; i++) power = b.mul(power, x)
  b.output(power)
  const circuit = b.build()
  const { engine, state, made } = clear()
  const input = made(field.fromBigints([3n]))
  await runCircuit(engine, circuit, [input])
  expect(state.checks).toBe(0)
  const layers: number[] = []
  await runCircuit(engine, circuit, [input], { onCheckpoint: ({ layer }) => void layers.push(layer) })
  expect(layers).toEqual([0, 16, 32])
})
