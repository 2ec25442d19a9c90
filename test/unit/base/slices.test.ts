import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLongList, slices } from '../../../core/base/slices.ts'

describe('slices of a list', () => {
  it('are all of it in order, each with something in it', () => {
    const item = fc.oneof(fc.integer(), fc.array(fc.integer(), { maxLength: 900 }), fc.jsonValue())
    fc.assert(
      fc.property(fc.array(item, { maxLength: 900 }), (list) => {
        const cut = [...slices(list)]
        expect(cut.flat(1)).toEqual(list)
        expect(cut.every((slice) => slice.length > 0)).toBe(true)
      }),
    )
  })

  it('have few values, or one item', () => {
    const heavy = Array.from({ length: 5 }, () => Array.from({ length: 600 }, () => 1))
    expect([...slices(heavy)].map((slice) => slice.length)).toEqual([1, 1, 1, 1, 1])
    const light = Array.from({ length: 1000 }, () => ({ a: 1, b: [2, 3] }))
    expect([...slices(light)].map((slice) => slice.length)).toEqual(Array.from({ length: 10 }, () => 100))
    const bytes = Array.from({ length: 4 }, () => new Uint8Array(10_000))
    expect([...slices(bytes)]).toEqual([bytes])
  })

  it('are needed for long lists only', () => {
    expect(isLongList(Array.from({ length: 499 }, () => 1))).toBe(false)
    expect(isLongList(Array.from({ length: 500 }, () => 1))).toBe(true)
    expect(isLongList([[Array.from({ length: 500 }, () => 1)]])).toBe(true)
    expect(isLongList({ length: 1000 })).toBe(false)
    expect(isLongList([new Uint8Array(10_000)])).toBe(false)
  })
})
