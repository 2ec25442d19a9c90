import { describe, expect, it } from 'vitest'
import { analyse, createCircuit } from '../../../core/circuits/analyse.ts'
import { CircuitBuilder } from '../../../core/circuits/builder.ts'
import { codeHash, decodeCircuit, encodeCircuit } from '../../../core/circuits/codec.ts'
import { bytesPerParty, cost } from '../../../core/circuits/cost.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import type { Node } from '../../../core/circuits/types.ts'

const x: Node = { op: 'input', slot: 0, length: 3 }
const c: Node = { op: 'const', values: [1n, 2n, 3n] }

describe('the schedule', () => {
  it('puts independent products of one depth into one round', () => {
    const b = new CircuitBuilder()
    const p = b.input(4)
    const q = b.input(4)
    const pq = b.mul(p, q)
    const pp = b.inner(p, p)
    const local = b.mul(q, b.constant([1n, 2n, 3n, 4n]))
    const next = b.mul(b.add(pq, local), b.broadcast(pp, 4))
    const circuit = b.output(next).output(b.sum(pq)).build()
    const { layers, secret } = analyse(circuit)
    expect(layers.map((l) => l.multiply)).toEqual([[pq, pp], [next], []])
    expect(secret[local]).toBe(true)
    expect(cost(circuit)).toEqual({
      rounds: 2,
      reveals: 0,
      bits: 0,
      randoms: 0,
      multiplications: 12,
      openings: 9,
      additions: 16,
      outputs: 5,
    })
    expect(bytesPerParty(cost(circuit), 3, 1)).toBe((9 + 5) * 32)
    expect(
      evaluate(circuit, 101n, [
        [1n, 2n, 3n, 4n],
        [5n, 6n, 7n, 8n],
      ]),
    ).toHaveLength(5)
  })
})

describe('validation', () => {
  it.each<[string, Node[], number[]]>([
    ['no nodes', [], [0]],
    ['no outputs', [x], []],
    ['forward reference', [x, { op: 'add', a: 0, b: 2 }, c], [1]],
    ['self reference', [x, { op: 'neg', a: 1 }], [1]],
    ['fraction', [x, { op: 'neg', a: 0.5 }], [1]],
    ['lengths', [x, { op: 'const', values: [1n] }, { op: 'mul', a: 0, b: 1 }], [2]],
    ['slot order', [{ op: 'input', slot: 1, length: 1 }], [0]],
    ['slot twice', [x, x], [0]],
    ['empty input', [{ op: 'input', slot: 0, length: 0 }], [0]],
    ['empty constant', [x, { op: 'const', values: [] }], [0]],
    ['empty concat', [x, { op: 'concat', parts: [] }], [0]],
    ['slice outside', [x, { op: 'slice', a: 0, from: 1, to: 4 }], [1]],
    ['slice reversed', [x, { op: 'slice', a: 0, from: 2, to: 1 }], [1]],
    ['broadcast of a vector', [x, { op: 'broadcast', a: 0, length: 3 }], [1]],
    ['public output', [x, c], [1]],
    ['output outside', [x], [1]],
    ['huge constant', [x, { op: 'scale', a: 0, factor: 1n << 256n }], [1]],
    ['huge length', [{ op: 'input', slot: 0, length: (1 << 20) + 1 }], [0]],
    ['unknown operation', [x, { op: 'divide', a: 0, b: 0 } as unknown as Node], [1]],
  ])('refuses: %s', (_, nodes, outputs) => {
    expect(() => createCircuit(nodes, outputs)).toThrow(expect.objectContaining({ code: 'CIRCUIT_INVALID' }))
  })

  it('bounds the elements and the rounds of a program', () => {
    const copies: Node[] = [{ op: 'input', slot: 0, length: 1 << 20 }]
    for (let i = 0; i < 32; i++) copies.push({ op: 'neg', a: i })
    expect(() => createCircuit(copies, [0])).toThrow('elements')
    const deep: Node[] = [{ op: 'input', slot: 0, length: 1 }]
    for (let i = 0; i < 1025; i++) deep.push({ op: 'mul', a: i, b: i })
    expect(() => createCircuit(deep, [1025])).toThrow('rounds')
  })

  it('validates a circuit that was not made here', () => {
    expect(() => analyse({ nodes: [{ op: 'neg', a: 0 }], outputs: [0], inputs: [], params: [] })).toThrow(
      expect.objectContaining({ code: 'CIRCUIT_INVALID' }),
    )
  })
})

describe('the encoding', () => {
  const circuit = createCircuit(
    [x, c, { op: 'inner', a: 0, b: 1 }, { op: 'scale', a: 2, factor: -300n }],
    [3],
  )

  it('is pinned', () => {
    expect(Buffer.from(encodeCircuit(circuit)).toString('hex')).toMatchInlineSnapshot(
      `"455643010400000302030204060800010602d7040103"`,
    )
    expect(codeHash(circuit)).toMatchInlineSnapshot(
      `"0x3ae4f5363540bb5480f5f0e9bf2776da435850ce4391f29df5b669174c6dae2e"`,
    )
  })

  it('refuses non-minimal integers', () => {
    const bytes = [...encodeCircuit(circuit)]
    // 4 nodes, written in two bytes.
    expect(() =>
      decodeCircuit(Uint8Array.from([...bytes.slice(0, 4), 0x84, 0x00, ...bytes.slice(5)])),
    ).toThrow('minimal')
    expect(() => decodeCircuit(Uint8Array.from([...bytes.slice(0, 4), 0xff, 0xff, 0xff, 0xff, 1]))).toThrow(
      'too large',
    )
    expect(() => decodeCircuit(Uint8Array.from([...bytes.slice(0, 4), 1, 99, 0]))).toThrow('unknown')
  })

  it('checks the vectors it is evaluated on', () => {
    expect(() => evaluate(circuit, 101n, [])).toThrow(expect.objectContaining({ code: 'CIRCUIT_INPUT' }))
    expect(() => evaluate(circuit, 101n, [[1n]])).toThrow('takes 3')
    expect(evaluate(circuit, 10007n, [[1n, 2n, 3n]])).toEqual([10007n - ((14n * 300n) % 10007n)])
  })
})
