import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../core/circuits/evaluate.ts'
import { parseFixed } from '../../../core/circuits/fixed.ts'
import { builtin } from '../../../core/circuits/functions.ts'
import { bn254Scalar } from '../../../core/field/fields.ts'

/** The released decimals of a function over references, as any engine would compute them. */
function run(id: string, params: unknown, references: readonly (readonly string[])[]): string[] {
  const fn = builtin(id)
  const parsed = fn.parseParams(params)
  const shapes = references.map((r) => r.length)
  fn.checkShapes(parsed, shapes)
  const { circuit, params: values } = fn.build(parsed, shapes)
  const output = evaluate(
    circuit,
    bn254Scalar.modulus,
    references.map((r) => r.map(parseFixed)),
    values,
  )
  return fn.decode(output, bn254Scalar.modulus, parsed, shapes).map((v) => v.decimal)
}

const people = [['31.5'], ['-2'], ['7'], ['7'], ['100.000001']]

describe('statistics of order', () => {
  it('median, percentiles and extremes', () => {
    expect(run('median', {}, people)).toEqual(['7'])
    expect(run('median', {}, people.slice(0, 2))).toEqual(['14.75'])
    expect(run('median', {}, [['4']])).toEqual(['4'])
    expect(run('min', {}, people)).toEqual(['-2'])
    expect(run('max', {}, people)).toEqual(['100.000001'])
    for (const [p, expected] of [
      ['0.000001', '-2'],
      ['20', '-2'],
      ['20.000001', '7'],
      ['75', '31.5'],
      ['100', '100.000001'],
    ] as const)
      expect(run('percentile', { percentile: p }, people)).toEqual([expected])
  })

  it('end when an owner has shared what no value encodes', () => {
    const huge = '1'.padEnd(60, '0')
    for (const id of ['median', 'min', 'max'])
      expect(() => {
        const fn = builtin(id)
        const { circuit, params } = fn.build(fn.parseParams({}), [1, 1, 1])
        evaluate(circuit, bn254Scalar.modulus, [[BigInt(huge)], [1n], [2n]], params)
      }).toThrow('zero has no inverse')
  })

  it('counts and histograms', () => {
    expect(run('histogram', { edges: ['0', '7', '50'] }, people)).toEqual(['1', '0', '3', '1'])
    const count = (condition: string) => run('countWhere', { condition, threshold: '7' }, people)[0]
    expect(['below', 'atMost', 'atLeast', 'above', 'equal'].map(count)).toEqual(['1', '3', '4', '2', '2'])
  })

  it('the position of one value among the others', () => {
    expect(run('relativePosition', { subject: 0 }, people)).toEqual(['75'])
    expect(run('relativePosition', { subject: 1 }, people)).toEqual(['0'])
    // One below, one equal, of four others.
    expect(run('relativePosition', { subject: 2 }, people)).toEqual(['37.5'])
    expect(run('relativePosition', { subject: 4 }, people)).toEqual(['100'])
  })

  it('probabilities of a logistic score', () => {
    expect(
      run('logisticScore', { weights: ['1', '-1'], bias: '0.5' }, [
        ['1', '1.5'],
        ['3', '1'],
      ]),
    ).toEqual(['0.5', '0.924141820'].map((x) => x.replace(/0$/, '')))
  })

  it('the mean of logistic scores', () => {
    const params = { weights: ['1', '-1'], bias: '0.5' }
    // (0.5 + 0.92414182)/2 to six places, and scores beyond what is told apart from 0 and 1.
    expect(
      run('logisticMean', params, [
        ['1', '1.5'],
        ['3', '1'],
      ]),
    ).toEqual(['0.712071'])
    expect(
      run('logisticMean', params, [
        ['9223372036854', '-9223372036854'],
        ['0', '99'],
      ]),
    ).toEqual(['0.5'])
    expect(run('logisticMean', params, [['-50', '0']])).toEqual(['0'])
    expect(builtin('logisticMean').disclosure(params)).toBe('weighted-aggregate')
    expect(builtin('logisticMean').contributors(builtin('logisticMean').parseParams(params), [2, 2])).toEqual(
      [[0, 1]],
    )
  })

  it('the mean of logistic scores ends when a score is none of valid values', () => {
    const fn = builtin('logisticMean')
    const program = fn.build(fn.parseParams({ weights: ['2'] }), [1, 1])
    const evaluated = (x: bigint) =>
      evaluate(program.circuit, bn254Scalar.modulus, [[x], [1n]], program.params)
    expect(() => evaluated(1n << 80n)).toThrow('zero has no inverse')
    expect(() => evaluated(-(1n << 200n))).toThrow('zero has no inverse')
    expect(evaluated((1n << 63n) - 1n)).toHaveLength(1)
  })

  it('agree with statistics that were computed elsewhere', () => {
    const text = readFileSync(new URL('../../vectors/statistics.json', import.meta.url), 'utf8')
    const { values, expected } = JSON.parse(text) as {
      values: string[]
      expected: Record<string, string>
    }
    const shares = values.map((v) => [v])
    for (const [name, result] of Object.entries(expected)) {
      const [id, argument] = name.split(':') as [string, string | undefined]
      const params =
        id === 'percentile'
          ? { percentile: argument }
          : id === 'countWhere'
            ? { condition: 'below', threshold: argument }
            : {}
      expect([name, run(id, params, shares)[0]]).toEqual([name, result])
    }
  })

  it('refuse what makes no sense, naming the field', () => {
    for (const [id, params, field] of [
      ['percentile', { percentile: '0' }, 'percentile'],
      ['percentile', { percentile: '100.1' }, 'percentile'],
      ['histogram', { edges: ['1', '1'] }, 'edges'],
      ['countWhere', { condition: 'near', threshold: '1' }, 'condition'],
      ['relativePosition', { subject: -1 }, 'subject'],
    ] as const)
      expect(() => builtin(id).parseParams(params)).toThrow(field)
    const many = Array.from({ length: 513 }, () => ['1'])
    expect(() => run('median', {}, many)).toThrow('at most 512')
    expect(() => run('logisticMean', { weights: ['1'] }, many)).toThrow('at most 500')
    expect(() => run('logisticMean', { weights: ['1', '2'] }, people)).toThrow('2 weights')
    const heavy = Array.from({ length: 64 }, () => '9000000000000')
    expect(() => run('logisticMean', { weights: heavy }, [heavy])).toThrow('too large')
    expect(() => run('relativePosition', { subject: 5 }, people)).toThrow('subject')
    expect(() => run('relativePosition', { subject: 0 }, [['1', '2'], ['3']])).toThrow('subject')
  })
})
