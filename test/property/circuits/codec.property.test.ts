import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasCode } from '../../../core/base/errors.ts'
import { codeHash, decodeCircuit, encodeCircuit } from '../../../core/circuits/codec.ts'
import { cost } from '../../../core/circuits/cost.ts'
import { instance } from './random-circuit.ts'

describe('the canonical encoding', () => {
  it('is inverted exactly, and the hash follows it', () => {
    fc.assert(
      fc.property(instance, ({ circuit }) => {
        const bytes = encodeCircuit(circuit)
        const again = decodeCircuit(bytes)
        expect(again).toEqual(circuit)
        expect(encodeCircuit(again)).toEqual(bytes)
        expect(codeHash(again)).toBe(codeHash(circuit))
        expect(cost(again)).toEqual(cost(circuit))
      }),
      { numRuns: 300 },
    )
  })

  it('refuses every other encoding: a mutated program is refused or is another program', () => {
    fc.assert(
      fc.property(instance, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ circuit }, at, flip) => {
        const bytes = encodeCircuit(circuit)
        bytes[at % bytes.length]! ^= flip
        try {
          expect(encodeCircuit(decodeCircuit(bytes))).toEqual(bytes)
        } catch (error) {
          expect(hasCode(error, 'CIRCUIT_INVALID')).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('refuses truncations and bytes that follow', () => {
    fc.assert(
      fc.property(instance, fc.nat(), ({ circuit }, cut) => {
        const bytes = encodeCircuit(circuit)
        expect(() => decodeCircuit(bytes.subarray(0, cut % bytes.length))).toThrow()
        expect(() => decodeCircuit(Uint8Array.of(...bytes, 0))).toThrow('bytes follow')
      }),
      { numRuns: 100 },
    )
  })

  it('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        const bytes = Uint8Array.of(0x45, 0x56, 0x43, 1, ...tail)
        try {
          decodeCircuit(bytes)
        } catch (error) {
          expect(hasCode(error, 'CIRCUIT_INVALID')).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
