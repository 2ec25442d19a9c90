import { describe, expect, it } from 'vitest'
import { cost } from '../../../core/circuits/cost.ts'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { parseFixed } from '../../../core/circuits/fixed.ts'
import {
  builtin,
  callHash,
  encodeParams,
  FUNCTIONS,
  functionByHash,
  functionHash,
  programDigest,
} from '../../../core/circuits/functions.ts'
import { FUNCTION_IDS, type FunctionId } from '../../../core/circuits/types.ts'
import { BN254_ORDER } from '../../../core/field/fields.ts'

/** Runs a built-in function in the clear, as the committee would. */
function run(id: FunctionId, params: unknown, references: string[][]) {
  const f = builtin(id)
  const parsed = f.parseParams(params)
  const shapes = references.map((r) => r.length)
  const { circuit, params: values } = f.build(parsed, shapes)
  const inputs = references.map((r) => r.map(parseFixed))
  const output = evaluate(circuit, BN254_ORDER, inputs, values)
  return { results: f.decode(output, BN254_ORDER, parsed, shapes), cost: cost(circuit) }
}
const decimalsOf = (id: FunctionId, params: unknown, references: string[][]) =>
  run(id, params, references).results.map((r) => r.decimal)

// Expected values come from Python's fractions and statistics modules.
describe('built-in functions', () => {
  it('sum and mean over all values of all references', () => {
    expect(decimalsOf('sum', {}, [['1.5', '-2'], ['0.000001']])).toEqual(['-0.499999'])
    expect(decimalsOf('mean', undefined, [['4150.25'], ['5200'], ['3999.99'], ['7100.5']])).toEqual([
      '5112.685',
    ])
    const third = run('mean', {}, [['1'], ['1'], ['0']]).results[0]!
    expect(third).toEqual({
      exact: { numerator: 2n, denominator: 3n },
      decimal: '0.666666666667',
      isExact: false,
    })
  })

  it('variance of sample and population, one opening', () => {
    const data = [
      ['2', '4', '4', '4'],
      ['5', '5', '7', '9'],
    ]
    expect(decimalsOf('variance', { kind: 'population' }, data)).toEqual(['4'])
    expect(decimalsOf('variance', {}, data)).toEqual(['4.571428571429'])
    expect(run('variance', {}, data).cost).toMatchObject({ rounds: 1, openings: 1, outputs: 1 })
    expect(decimalsOf('variance', { kind: 'population' }, [['-3.25']])).toEqual(['0'])
    expect(() => run('variance', {}, [['1']])).toThrow('at least 2')
  })

  it('covariance in both layouts', () => {
    // x = 1, 2, 4, 7; y = 3, 1, 6.5, −2: sample covariance −4.875, population −3.65625.
    expect(
      decimalsOf('covariance', {}, [
        ['1', '2', '3', '1'],
        ['4', '7', '6.5', '-2'],
      ]),
    ).toEqual(['-4.25'])
    const alternate = [
      ['1', '2'],
      ['3', '1'],
      ['4', '7'],
      ['6.5', '-2'],
    ]
    expect(decimalsOf('covariance', { layout: 'alternate', kind: 'population' }, alternate)).toEqual([
      '-3.1875',
    ])
    expect(
      run('covariance', {}, [
        ['1', '2'],
        ['3', '4'],
      ]).cost.openings,
    ).toBe(1)
    expect(() => run('covariance', {}, [['1', '2', '3'], ['1']])).toThrow('even number')
    expect(() => run('covariance', { layout: 'alternate' }, [['1', '2'], ['1'], ['2'], ['3', '5']])).toThrow()
  })

  it('weighted mean with public weights', () => {
    expect(decimalsOf('weightedMean', { weights: ['1', '2.5', '0'] }, [['10', '4'], ['99']])).toEqual([
      '5.714285714286',
    ])
    expect(run('weightedMean', { weights: ['1', '1'] }, [['1', '2']]).cost.rounds).toBe(0)
    expect(() => run('weightedMean', { weights: ['1'] }, [['1', '2']])).toThrow('1 for 2')
    expect(() => run('weightedMean', { weights: ['0', '0'] }, [['1', '2']])).toThrow('all are zero')
    expect(() => run('weightedMean', { weights: ['-1', '2'] }, [['1', '2']])).toThrow('negative')
    const f = builtin('weightedMean')
    expect(f.contributors(f.parseParams({ weights: ['0', '0', '1', '0', '2'] }), [2, 2, 1])).toEqual([[1, 2]])
  })

  it('linear score, mean and each', () => {
    const params = { weights: ['0.5', '-2'], bias: '1.25' }
    const rows = [
      ['4', '1'],
      ['-1', '0.5'],
      ['0', '0'],
    ]
    expect(decimalsOf('linearScore', { ...params, output: 'each' }, rows)).toEqual(['1.25', '-0.25', '1.25'])
    expect(decimalsOf('linearScore', params, rows)).toEqual(['0.75'])
    expect(builtin('linearScore').disclosure({ output: 'each' })).toBe('per-reference')
    expect(() => run('linearScore', params, [['1']])).toThrow('2 weights')
  })

  it('extreme values do not wrap around', () => {
    const most = '9223372036854.775807'
    expect(decimalsOf('covariance', { kind: 'population' }, [[most, `-${most}`, most, `-${most}`]])).toEqual([
      '85070591730234615847396907.784232501249',
    ])
    expect(decimalsOf('sum', {}, [[most, most, most]])).toEqual(['27670116110564.327421'])
  })

  it('refuses results that no valid input gives', () => {
    const f = FUNCTIONS.sum
    expect(() => f.decode([1n << 100n], BN254_ORDER, {}, [2])).toThrow('out of range')
    expect(() => f.decode([1n, 2n], BN254_ORDER, {}, [2])).toThrow('1 outputs')
  })

  it('refuses bad parameters by name, and too many values', () => {
    for (const [id, params] of [
      ['mean', { weights: [] }],
      ['variance', { kind: 'other' }],
      ['weightedMean', { weights: ['1e3'] }],
      ['weightedMean', {}],
      ['linearScore', { weights: ['1.0000001'] }],
      ['linearScore', { weights: ['1'], bias: 3 }],
    ] as const)
      expect(() => builtin(id).parseParams(params)).toThrow(
        expect.objectContaining({ code: 'CIRCUIT_INPUT' }),
      )
    expect(() => builtin('sum').checkShapes({}, [100_001])).toThrow('100000')
    expect(() => builtin('sum').checkShapes({}, [])).toThrow()
    expect(() => builtin('sum').checkShapes({}, [3, 0])).toThrow('reference 1')
    expect(() => builtin('toString')).toThrow('no function')
  })

  it('hashes name functions, calls and programs', () => {
    const hashes = FUNCTION_IDS.map(functionHash)
    expect(new Set(hashes).size).toBe(FUNCTION_IDS.length)
    for (const [i, id] of FUNCTION_IDS.entries()) expect(functionByHash(hashes[i]!)?.id).toBe(id)
    // Pinned: predicates on the ledger name these.
    expect(functionHash('mean')).toMatchInlineSnapshot(
      `"0x50df9c02c3d240b49fa9365d295f3169babf43eba144dca2775cef497eb02c03"`,
    )
    const a = callHash('linearScore', { weights: ['1.50', '2'] })
    expect(callHash('linearScore', { output: 'mean', bias: '-0', weights: ['1.5', '02.0'] })).toBe(a)
    expect(callHash('linearScore', { weights: ['1.5', '3'] })).not.toBe(a)
    expect(new TextDecoder().decode(encodeParams('variance', {}))).toBe('{"kind":"sample"}')
    const digest = (w: string) => {
      const f = FUNCTIONS.weightedMean
      return programDigest(f.build(f.parseParams({ weights: ['1', w] }), [2]))
    }
    expect(digest('2')).toEqual(digest('2.0'))
    expect(digest('2')).not.toEqual(digest('3'))
  })
})
