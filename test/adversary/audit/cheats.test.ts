import { describe, expect, it } from 'vitest'
import { verifyTranscript } from '../../../core/audit/verify.ts'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import type { PrimeField } from '../../../core/field/types.ts'
import type { MaterialSource } from '../../../core/preprocessing/types.ts'
import { meddled } from '../../support/meddled.ts'
import { auditedRun, field, lying, resultOf, shareInputs, transcriptOf } from '../../unit/audit/committee.ts'
import { mixed, mixedResult } from '../../unit/audit/programs.ts'

const X = [5n, 0n, 7n, 9n]
const Y = [3n, 11n, 0n, 2n]
const expected = mixedResult(X, Y, field.modulus)

/** All its comparisons succeed: a party that looks away. */
const blind: PrimeField = { ...field, equal: () => true }

describe.each([2, 3])('one of %i parties lies once', (n) => {
  it('in anything it broadcasts: no wrong result, nobody else is named, a wrong opening always names it', async () => {
    let named = 0
    for (let call = 0; ; call++) {
      const cheater = call % n
      const calls: { count: number; length?: number } = { count: 0 }
      const run = await auditedRun(n, mixed(), [X, Y], {
        timeoutMs: 1000,
        party: (i) => (i === cheater ? { field: lying(call, calls) } : {}),
      })
      if (calls.length === undefined) break
      const verdict = await verifyTranscript(transcriptOf(run), run.facts)
      if (verdict.valid) {
        expect(resultOf(run, verdict)).toEqual(expected)
        continue
      }
      if (verdict.culprit !== undefined) {
        expect(verdict.culprit, `call ${call}: ${verdict.reason}`).toBe(run.parties[cheater])
        named++
      }
    }
    // The sacrifice's three rounds, the program's and the output's, and the answer itself.
    expect(named).toBeGreaterThanOrEqual(8)
  })
})

describe.each([2, 3, 5])('all but one of %i parties lie', (n) => {
  it('in the same round or not: no wrong result, and the honest one is never named', async () => {
    let named = 0
    for (let call = 1; call < 22; call += n) {
      const honest = call % n
      const run = await auditedRun(n, mixed(), [X, Y], {
        timeoutMs: 3000,
        party: (i) => (i === honest ? {} : { field: lying(call + (i % 2), { count: 0 }) }),
      })
      const verdict = await verifyTranscript(transcriptOf(run), run.facts)
      if (verdict.valid) expect(resultOf(run, verdict)).toEqual(expected)
      else {
        expect(verdict.culprit, `call ${call}`).not.toBe(run.parties[honest])
        if (verdict.culprit !== undefined) named++
      }
    }
    expect(named).toBeGreaterThan(0)
  })
})

describe('one of 3 parties commits to nothing at the end', () => {
  it('ends the run for all without a result', async () => {
    const run = await auditedRun(3, mixed(), [X, Y], {
      timeoutMs: 1000,
      wrap: (session, i, kind) =>
        i !== 2 || kind !== 'audit'
          ? session
          : meddled(session, {
              // Header and signature stay; the output's points go.
              send: (to, message) =>
                session.send(to, message[1] === 15 && message.length > 500 ? message.slice(0, 81) : message),
            }),
    })
    for (const i of [0, 1]) expect(run.outcomes[i]!.status).toBe('rejected')
  })
})

describe('all parties together', () => {
  const wrongly = (
    tamper: Partial<MaterialSource> & { of(source: MaterialSource): Partial<MaterialSource> },
  ) => tamper
  const cases = [
    wrongly({
      of: (s) => ({
        async triples(count) {
          const t = await s.triples(count)
          return { ...t, c: { ...t.c, share: field.add(t.c.share, field.fromBigints([1n])) } }
        },
      }),
    }),
    wrongly({
      of: (s) => ({
        async bits(count) {
          const b = await s.bits(count)
          return { ...b, share: field.add(b.share, field.fromBigints([1n])) }
        },
      }),
    }),
  ]
  it.each([
    ['TRIPLES', cases[0]!],
    ['BITS', cases[1]!],
  ] as const)('cannot pass wrong material: %s', async (fault, { of }) => {
    const run = await auditedRun(2, mixed(), [X, Y], {
      party: (i, options) => {
        const own = options.material
        const material = i === 0 ? { ...own, ...of(own) } : own
        return { field: blind, material }
      },
    })
    const verdict = await verifyTranscript(transcriptOf(run), run.facts)
    expect(verdict).toMatchObject({ valid: false, fault })
  })

  it('cannot choose the bits and random elements that they use', async () => {
    const zeros = (n: number) => ({ share: field.zeros(n), mac: field.zeros(n) })
    const b = new CircuitBuilder()
    const program = { circuit: b.output(b.concat([b.random(2), b.bits(40), b.input(1)])).build(), params: [] }
    const run = await auditedRun(2, program, [[0n]], {
      party: (_, options) => ({
        material: { ...options.material, randoms: async (n) => zeros(n), bits: async (n) => zeros(n) },
      }),
    })
    const verdict = await verifyTranscript(transcriptOf(run), run.facts)
    if (!verdict.valid) throw new Error(verdict.reason)
    const result = resultOf(run, verdict)
    expect(result.slice(0, 2).every((v) => v > 1n << 200n)).toBe(true)
    expect(new Set(result.slice(2, 42))).toEqual(new Set([0n, 1n]))
  })

  it('cannot compute on inputs that the owners did not share', async () => {
    const [theirs, owners] = [await shareInputs([X, Y]), await shareInputs([X, Y.map((v) => v + 1n)])]
    const run = await auditedRun(2, mixed(), [X, Y], { shared: { ...theirs, originals: owners.originals } })
    const verdict = await verifyTranscript(transcriptOf(run), run.facts)
    expect(verdict).toMatchObject({ valid: false, fault: 'INPUT_COMMITMENTS' })
  })

  it('cannot change an input', async () => {
    const run = await auditedRun(2, mixed(), [X, Y], {
      party: (i, options) => {
        if (i === 1) return { field: blind }
        const shifted = field.add(options.inputs.values, field.fromBigints([1n]))
        return { field: blind, inputs: { ...options.inputs, values: shifted } }
      },
    }).catch((error: unknown) => error)
    const verdict = await verifyTranscript(transcriptOf(run as never), (run as { facts: never }).facts)
    expect(verdict.valid).toBe(false)
  })
})
