import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../core/base/bytes.ts'
import { MiB } from '../../../core/base/units.ts'

describe('hexadecimal', () => {
  it('is read with and without prefix, in either case', () => {
    expect(fromHex('0x00fFA1')).toEqual(Uint8Array.of(0, 255, 161))
    expect(fromHex('00Ffa1')).toEqual(Uint8Array.of(0, 255, 161))
    expect(fromHex('')).toEqual(new Uint8Array())
    expect(fromHex('0x')).toEqual(new Uint8Array())
  })

  it.each(['0', '0x1', 'xy', '0x0g', '00 11', '00\n', '0x0x00', '\u0141\u0141', '-1'])(
    'is not %j',
    (text) => {
      expect(() => fromHex(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    },
  )

  it('has the length that was asked for', () => {
    expect(() => fromHex('0x00', 2)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('is as long as it likes', () => {
    const bytes = new Uint8Array(8 * MiB).fill(171)
    expect(Buffer.compare(fromHex(toHex(bytes)), bytes)).toBe(0)
  })
})
