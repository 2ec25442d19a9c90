import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import { runCircuit } from '../../../core/circuits/run.ts'
import { g1 } from '../../../core/commitments/g1.ts'
import { commitVector } from '../../../core/commitments/pedersen.ts'
import type { AuthShare } from '../../../core/preprocessing/types.ts'
import { spdzEngine } from '../../../core/spdz/engine.ts'
import { authenticate } from '../../../core/spdz/input.ts'
import { outputShares, reconstructOutput } from '../../../core/spdz/output.ts'
import type { Product } from '../../../core/spdz/types.ts'
import type { Session } from '../../../core/transport/types.ts'
import { meddled } from '../../support/meddled.ts'
import { bigints, field, openCommittee } from './committee.ts'

describe.each([2, 3, 5])('SPDZ with %i parties', (n) => {
  it('inputs, multiplies, opens and checks', async () => {
    const committee = await openCommittee(n, { party: () => ({ chunk: 3 }) })
    const [x, y] = [field.random(20), field.random(20)]
    const results = await committee.all(async (p, i) => {
      const a = await p.input(0, i === 0 ? x : 20)
      const b = await p.input(1, i === 1 ? y : 20)
      const { products } = await p.round(
        [
          { op: 'mul', a, b },
          { op: 'inner', a, b },
        ],
        [a],
      )
      const { opened } = await p.round([], products)
      await p.check()
      return opened
    })
    for (const [product, inner] of results) {
      expect(field.equal(product!, field.mul(x, y))).toBe(true)
      expect(field.equal(inner!, field.inner(x, y))).toBe(true)
    }
    await committee.close()
  })

  it.each([1, 4, 7, 100])('multiplies in batches of %i wherever products begin and end', async (batch) => {
    const committee = await openCommittee(n, { party: () => ({ batch }) })
    const lengths = [1, 5, 4, 13, 2]
    const [x, y] = [field.random(13), field.random(13)]
    const results = await committee.all(async (p, i) => {
      const a = await p.input(0, i === 0 ? x : 13)
      const b = await p.input(1, i === 1 ? y : 13)
      const part = ({ share, mac }: AuthShare, length: number): AuthShare => ({
        share: field.slice(share, 0, length),
        mac: field.slice(mac, 0, length),
      })
      const { products } = await p.round(
        lengths.flatMap((length): Product[] => [
          { op: 'mul', a: part(a, length), b: part(b, length) },
          { op: 'inner', a: part(a, length), b: part(b, length) },
          { op: 'mul', a: part(a, 1), b: part(b, length) },
        ]),
        [],
      )
      const { opened } = await p.round([], products)
      await p.check()
      await expect(p.round([{ op: 'mul', a: part(a, 0), b: part(b, 0) }], [])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      })
      return opened.map(bigints)
    })
    const [u, v] = [bigints(x), bigints(y)]
    const mod = (value: bigint) => value % field.modulus
    const expected = lengths.flatMap((length) => {
      const each = u.slice(0, length).map((value, k) => mod(value * v[k]!))
      return [
        each,
        [mod(each.reduce((s, t) => s + t, 0n))],
        v.slice(0, length).map((value) => mod(value * u[0]!)),
      ]
    })
    for (const result of results) expect(result).toEqual(expected)
    await committee.close()
  })

  it('runs a statistic from committed inputs to the requester alone', async () => {
    const fn = builtin('variance')
    const values = [5n, 7n, 11n, 2n].map((v) => v * 1_000_000n)
    const { circuit } = fn.build(fn.parseParams({}), [1, 3])
    const committee = await openCommittee(n)
    // An additive sharing with commitments, as the holders make it.
    const parts = Array.from({ length: n - 1 }, () => field.random(4))
    parts.push(parts.reduce((a, b) => field.sub(a, b), field.fromBigints(values)))
    const masks = parts.map(() => field.random(4))
    const commitments = parts.map((p, i) => commitVector(p, masks[i]!))
    const outputs = await committee.all(async (p, i) => {
      const material = committee.materials[i]!
      const all = await authenticate(p, { values: parts[i]!, masks: masks[i]!, commitments })
      const engine = spdzEngine(p, material)
      const inputs = [engine.slice(all, 0, 1), engine.slice(all, 1, 4)]
      return outputShares(p, material, await runCircuit(engine, circuit, inputs))
    })
    const result = bigints(reconstructOutput(field, outputs))
    expect(result).toEqual(evaluate(circuit, field.modulus, [values.slice(0, 1), values.slice(1)]))
    expect(fn.decode(result, field.modulus, fn.parseParams({}), [1, 3])[0]?.decimal).toBe('14.25')
    for (const k of [0, 1, 2, 3, 4]) {
      const wrong = outputs.map((o) => o)
      const error = field.fromBigints(bigints(outputs[0]!).map((_, j) => (j === k ? 1n : 0n)))
      wrong[0] = field.add(outputs[0]!, error)
      expect(() => reconstructOutput(field, wrong)).toThrow('wrong part')
    }
    await committee.close()
  })

  it('names a party that puts in something else than it was given', async () => {
    const committee = await openCommittee(n)
    const values = Array.from({ length: n }, () => field.random(3))
    const masks = values.map(() => field.random(3))
    const commitments = values.map((v, i) => commitVector(v, masks[i]!))
    const cheat = n - 1
    const results = await Promise.allSettled(
      committee.parties.map((p, i) =>
        authenticate(p, {
          values: i === cheat ? field.random(3) : values[i]!,
          masks: masks[i]!,
          commitments,
        }),
      ),
    )
    for (const [i, result] of results.entries()) {
      expect(result.status).toBe('rejected')
      if (i !== cheat)
        expect((result as PromiseRejectedResult).reason).toMatchObject({
          code: 'MPC_ABORTED',
          details: { reason: 'BAD_INPUT', index: cheat },
        })
    }
    for (const c of commitments) expect(g1.isZero(c)).toBe(false)
  })

  it('refuses to release anything after a wrong opening, and destroys the material', async () => {
    const committee = await openCommittee(n, {
      wrap: (session, index) =>
        index !== n - 1
          ? session
          : meddled(session, {
              // Adds one to the first element of everything it opens.
              send: async (to, message) => {
                if (message[1] === 13 || message[1] === 14) message[16]! ^= 1
                await session.send(to, message)
              },
            }),
    })
    const x = field.fromBigints([2n, 4n])
    const results = await Promise.allSettled(
      committee.parties.map(async (p, i) => {
        const a = await p.input(0, i === 0 ? x : 2)
        const { products } = await p.round([{ op: 'mul', a, b: a }], [])
        return outputShares(p, committee.materials[i]!, products[0]!)
      }),
    )
    for (const result of results) expect(result.status).toBe('rejected')
    for (const material of committee.materials.slice(0, -1)) expect(material.destroyed).toBeDefined()
  })

  /** A last party that adds one to the first element of everything it opens in a product. */
  const liar = (session: Session, index: number, silent: (step: number) => boolean): Session =>
    index !== n - 1
      ? session
      : meddled(session, {
          send: async (to, message) => {
            if (silent(message[1]!)) return
            if (message[1] === 13 || message[1] === 14) message[16]! ^= 1
            await session.send(to, message)
          },
        })

  it('destroys the material when the liar falls silent with the parts of the check in its hands', async () => {
    const reveals = new Map<Session, number>()
    const committee = await openCommittee(n, {
      party: () => ({ roundTimeoutMs: 500 }),
      wrap: (session, index) =>
        liar(session, index, (step) => {
          if (step === 255) return true
          if (step !== 8) return false
          const count = (reveals.get(session) ?? 0) + 1
          reveals.set(session, count)
          // The coin is revealed; the part of the sum is not.
          return count > n - 1
        }),
    })
    const results = await Promise.allSettled(
      committee.parties.map(async (p, i) => {
        const a = await p.input(0, i === 0 ? field.fromBigints([2n, 4n]) : 2)
        await p.round([{ op: 'mul', a, b: a }], [])
        await p.check()
      }),
    )
    for (const result of results.slice(0, -1)) expect(result.status).toBe('rejected')
    for (const material of committee.materials.slice(0, -1)) expect(material.destroyed).toBeDefined()
  })

  it('opens no value of the program before what it was made of is checked', async () => {
    const steps = new Set<number>()
    const committee = await openCommittee(n, {
      wrap: (session, index) =>
        liar(session, index, (step) => {
          if (index === n - 1) steps.add(step)
          return false
        }),
    })
    const values: unknown[] = []
    const results = await Promise.allSettled(
      committee.parties.map(async (p, i) => {
        const a = await p.input(0, i === 0 ? field.fromBigints([2n, 4n]) : 2)
        const engine = spdzEngine(p, committee.materials[i]!)
        const { products } = await engine.round([{ op: 'mul', a, b: a }], [])
        values.push((await engine.round([], products)).opened)
      }),
    )
    for (const result of results) expect(result.status).toBe('rejected')
    expect(values).toEqual([])
    expect(steps).toContain(8)
  })

  it('does not start with a party that is about to run something else', async () => {
    await expect(
      openCommittee(n, { party: (i) => ({ context: Uint8Array.of(i === 1 ? 1 : 0) }) }),
    ).rejects.toMatchObject({ code: 'MPC_ABORTED', details: { reason: 'DIFFERENT_PROGRAM' } })
  })
})
