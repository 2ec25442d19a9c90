import { describe, expect, it } from 'vitest'
import { Prg } from '../../../core/base/random.ts'
import { bn254Scalar as f } from '../../../core/field/fields.ts'

describe('vectors beyond 2 GiB of kernel memory', () => {
  it('addresses above the sign bit work', () => {
    const million = 1 << 20
    const seed = new Uint8Array(32).fill(1)
    // Never freed: freeing would write 2 GiB of zeros, and untouched pages cost nothing.
    const held = Array.from({ length: 66 }, () => f.zeros(million))
    const a = f.random(1000, new Prg(seed))
    const b = f.mul(a, a)
    // A block this long is placed after all others.
    const long = f.concat([...new Array<typeof a>(100).fill(a)])
    expect(f.equal(f.slice(f.mul(long, long), 99_000, 100_000), b)).toBe(true)
    expect(f.toBigints(f.sum(f.slice(long, 0, 1000)))).toEqual(f.toBigints(f.sum(a)))
    expect(held.length).toBe(66)
  })
})
