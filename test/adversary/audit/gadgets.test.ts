import { describe, expect, it } from 'vitest'
import { verifyTranscript } from '../../../core/audit/verify.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import type { BuiltinFunction } from '../../../core/circuits/types.ts'
import type { FieldVector } from '../../../core/field/types.ts'
import {
  auditedRun,
  field,
  lying,
  type RunOverrides,
  resultOf,
  transcriptOf,
} from '../../unit/audit/committee.ts'

const SALARIES = [[5_000_000n], [7_500_000n, -11_000_000n]]
const SHAPES = SALARIES.map((list) => list.length)

/** A function whose program opens masked values and compares them bit by bit, its parameters, and its result. */
const cases: [string, BuiltinFunction, unknown, string][] = [
  ['median', builtin('median'), {}, '5'],
  ['countWhere', builtin('countWhere'), { condition: 'atLeast', threshold: '5' }, '2'],
]

const audited = (fn: BuiltinFunction, params: unknown, overrides: RunOverrides = {}) =>
  auditedRun(2, fn.build(fn.parseParams(params), SHAPES), SALARIES, { timeoutMs: 20_000, ...overrides })

describe.each(cases)('an audited %s', (_, fn, params, expected) => {
  it('verifies, and gives the statistic', async () => {
    const run = await audited(fn, params)
    const verdict = await verifyTranscript(transcriptOf(run), run.facts)
    if (!verdict.valid) throw new Error(verdict.reason)
    const [result] = fn.decode(resultOf(run, verdict), field.modulus, fn.parseParams(params), SHAPES)
    expect(result?.decimal).toBe(expected)
  })

  it('names no party when a stranger changed an opening, but the round and whose signature it breaks', async () => {
    const run = await audited(fn, params)
    const transcript = transcriptOf(run)
    // The round in which the comparison multiplies bits of masks by what was opened: the widest after the material's.
    const widths = transcript.rounds.map(({ payloads }, i) => (i < 4 ? 0 : payloads[0]!.length))
    const place = widths.indexOf(Math.max(...widths))
    const rounds = transcript.rounds.map((round, i) => {
      if (i !== place) return round
      const payloads = round.payloads.map((payload) => new Uint8Array(payload))
      payloads[1]![0]! ^= 1
      return { ...round, payloads }
    })
    expect(await verifyTranscript({ ...transcript, rounds }, run.facts)).toEqual({
      valid: false,
      fault: 'SIGNATURE',
      reason: `round ${place} is not signed by party 1`,
    })
  })

  it('names whoever opens something wrong inside the comparison', async () => {
    const lengths: number[] = []
    await audited(fn, params, {
      party: (i) => ({
        field: {
          ...field,
          toBytes(v: FieldVector) {
            if (i === 0) lengths.push(v.length)
            return field.toBytes(v)
          },
        },
      }),
    })
    // After the material's, each layer of the tree over bits halves what is opened: 64 bits of three values, of a pair…
    const layers = lengths.flatMap((length, call) => (call > 3 && length >= 12 && length < 400 ? [call] : []))
    expect(layers.length).toBeGreaterThanOrEqual(6)
    // Before them the masked values are opened, and then taken apart twice.
    const masked = layers[0]! - 3
    expect(lengths[masked]).toBe(3)
    for (const [k, call] of [masked, ...layers.slice(0, 6)].entries()) {
      const cheater = k % 2
      const calls = { count: 0 }
      const run = await audited(fn, params, {
        party: (i) => (i === cheater ? { field: lying(call, calls) } : {}),
      })
      const verdict = await verifyTranscript(transcriptOf(run), run.facts)
      expect(verdict, `call ${call}`).toMatchObject({ valid: false, culprit: run.parties[cheater] })
    }
  }, 180_000)
})
