import { describe, expect, it } from 'vitest'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import type { FieldVector, PrimeField } from '../../../core/field/types.ts'
import { runLinearProgram, runProgram } from '../../../core/shamir-mpc/program.ts'
import type { DegreeReduction } from '../../../core/shamir-mpc/types.ts'
import { deal, field, openCommittee } from './committee.ts'

/** A field that knows which of its vectors have not been freed, and refuses to free one twice. */
function counting(inner: PrimeField): { field: PrimeField; live: Set<FieldVector> } {
  const live = new Set<FieldVector>()
  const track = (v: unknown) => {
    if (typeof v !== 'object' || v === null || !('free' in v)) return v
    const vector = v as FieldVector
    const free = vector.free.bind(vector)
    live.add(vector)
    vector.free = () => {
      if (!live.delete(vector)) throw new Error('freed twice')
      free()
    }
    return vector
  }
  const proxy = new Proxy(inner, {
    get(target, key) {
      const value = Reflect.get(target, key) as unknown
      return typeof value === 'function' ? (...a: unknown[]) => track(value.apply(target, a)) : value
    },
  })
  return { field: proxy, live }
}

const program = () => {
  const b = new CircuitBuilder()
  const [x, y] = [b.input(20), b.input(20)]
  const w = b.param(20)
  b.neg(x) // Nobody uses it.
  const xy = b.mul(x, b.add(y, b.mul(x, w)))
  const s = b.inner(xy, x)
  return b
    .output(b.add(xy, b.broadcast(s, 20)))
    .output(x)
    .output(b.sum(b.concat([xy, b.slice(xy, 2, 5)])))
    .build()
}

describe('kernel memory', () => {
  it.each<[number, number, DegreeReduction]>([
    [3, 1, 'reshare'],
    [5, 2, 'king'],
    [4, 1, 'king'],
    [11, 5, 'reshare'],
  ])('n = %i, t = %i, %s: a program leaves nothing behind but its output', async (n, t, degreeReduction) => {
    const { field: counted, live } = counting(field)
    const committee = await openCommittee(n, t, { field: counted, degreeReduction, chunk: 6 })
    const shares = deal([new Array<bigint>(20).fill(2n), new Array<bigint>(20).fill(5n)], n, t)
    const outputs = await Promise.all(
      committee.parties.map((p, i) =>
        runProgram(p, program(), shares[i]!, { params: [new Array<bigint>(20).fill(3n)] }),
      ),
    )
    expect([...live].filter((v) => !outputs.includes(v)).map((v) => v.length)).toEqual([])
    expect(live.size).toBe(n)
    const opened = await Promise.all(committee.parties.map((p, i) => p.open(outputs[i]!)))
    expect(live.size).toBe(2 * n)
    for (const v of opened) v.free()
    const inputs = await Promise.all(
      committee.parties.map((p, i) =>
        p.input(1, i === 1 ? field.fromBigints(new Array<bigint>(20).fill(1n)) : 20),
      ),
    )
    for (const v of [...outputs, ...inputs]) v.free()
    expect(live.size).toBe(0)
    await committee.close()
  })

  it('a linear program too', async () => {
    const { field: counted, live } = counting(field)
    const b = new CircuitBuilder()
    const x = b.input(3)
    const circuit = b
      .output(b.sum(b.scale(b.sub(x, b.constant([1n, 2n, 3n])), 5n)))
      .output(x)
      .build()
    const out = await runLinearProgram(counted, circuit, [field.fromBigints([4n, 5n, 6n])])
    expect([...live]).toEqual([out])
    expect(field.toBigints(out)).toEqual([45n, 4n, 5n, 6n])
    await expect(runLinearProgram(counted, circuit, [])).rejects.toMatchObject({ code: 'CIRCUIT_INPUT' })
    const signal = AbortSignal.abort()
    await expect(runLinearProgram(counted, circuit, [field.zeros(3)], { signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect([...live]).toEqual([out])
  })
})
