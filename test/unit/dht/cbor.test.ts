import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { encodeCanonical } from '../../../core/base/cbor.ts'
import { decodeCanonical } from '../../../core/dht/cbor.ts'

const schema = z.strictObject({ a: z.number(), data: z.custom<Uint8Array>((v) => v instanceof Uint8Array) })

/** {"a": 1, "data": h'…'}, the two entries and the length of the data as they are given. */
function message(
  size: number,
  form: { length?: number[]; swapped?: boolean; tail?: number[] } = {},
): Uint8Array {
  const a = [0x61, 0x61, 0x01]
  const length = form.length ?? [0x5a, size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]
  const data = [0x64, 0x64, 0x61, 0x74, 0x61, ...length]
  const body = new Uint8Array(size).fill(7)
  return form.swapped
    ? Buffer.concat([Uint8Array.of(0xa2, ...data), body, Uint8Array.from(a)])
    : Buffer.concat([Uint8Array.of(0xa2, ...a, ...data), body, Uint8Array.from(form.tail ?? [])])
}

describe('canonical messages', () => {
  // A short one, a long one, one that is longer than the memory that stays.
  it.each([100, 200_000, 9_000_000])('of %i bytes are taken in their one encoding only', (size) => {
    const canonical = encodeCanonical({ a: 1, data: new Uint8Array(size).fill(7) })
    expect(decodeCanonical(canonical, schema).data.length).toBe(size)
    const refused = { code: 'RECORD_INVALID' }
    const tooWide = [0x5b, 0, 0, 0, 0, size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]
    for (const bytes of [
      message(size, { length: tooWide }),
      message(size, { swapped: true }),
      message(size, { tail: [0] }),
      canonical.subarray(0, -1),
    ])
      expect(() => decodeCanonical(bytes, schema)).toThrow(expect.objectContaining(refused))
    if (size > 65_535) expect(decodeCanonical(message(size), schema).a).toBe(1)
  })
})
