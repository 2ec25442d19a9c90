import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createInstance } from '../../../core/kernel/instance.ts'
import { KernelMemory, type LinearMemory } from '../../../core/kernel/memory.ts'

const PAGE = 65536

/** Stands for WebAssembly.Memory with a limit. */
function fakeMemory(pages: number, limit: number): LinearMemory {
  let buffer = new ArrayBuffer(pages * PAGE)
  return {
    get buffer() {
      return buffer
    },
    grow(more) {
      const before = buffer.byteLength / PAGE
      if (before + more > limit) throw new RangeError('limit')
      const next = new ArrayBuffer(buffer.byteLength + more * PAGE)
      new Uint8Array(next).set(new Uint8Array(buffer))
      buffer = next
      return before
    },
  }
}

describe('KernelMemory', () => {
  it('hands out zeroed, aligned blocks that never overlap', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            size: fc.oneof(fc.nat(300), fc.integer({ min: 10_000, max: 20_000 }), fc.nat(300_000)),
            release: fc.nat(20),
          }),
          { maxLength: 60 },
        ),
        (steps) => {
          const memory = new KernelMemory(fakeMemory(2, 4096), PAGE)
          const live: { at: number; size: number }[] = []
          for (const { size, release } of steps) {
            const at = memory.alloc(size)
            expect(at % 64).toBe(0)
            expect(at).toBeGreaterThanOrEqual(PAGE)
            const bytes = memory.bytes(at, size)
            expect(bytes.every((b) => b === 0)).toBe(true)
            bytes.fill(255)
            for (const other of live)
              expect(
                at + size <= other.at || other.at + other.size <= at || size === 0 || other.size === 0,
              ).toBe(true)
            live.push({ at, size })
            if (release < live.length) {
              const [gone] = live.splice(release, 1)
              memory.free(gone!.at, gone!.size)
            }
          }
          for (const { at, size } of live) memory.free(at, size)
          expect(memory.used).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('joins gaps, so that freed memory serves larger blocks', () => {
    const linear = fakeMemory(2, 4096)
    const memory = new KernelMemory(linear, PAGE)
    const blocks = Array.from({ length: 16 }, () => memory.alloc(1 << 20))
    const size = linear.buffer.byteLength
    for (const i of [3, 1, 2, 0, 7, 5, 6, 4, 15, 13, 14, 12, 8, 10, 9, 11]) memory.free(blocks[i]!, 1 << 20)
    memory.free(memory.alloc(16 << 20), 16 << 20)
    expect(linear.buffer.byteLength).toBe(size)
  })

  it('reports exhaustion and goes on working', () => {
    const memory = new KernelMemory(fakeMemory(2, 20), PAGE)
    expect(() => memory.alloc(64 * PAGE)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    const at = memory.alloc(4 * PAGE)
    memory.free(at, 4 * PAGE)
    expect(memory.used).toBe(0)
  })
})

describe('createInstance', () => {
  it('refuses moduli that the kernel cannot work with', () => {
    for (const modulus of [1n << 255n, (1n << 256n) + 1n, 101n, -7n])
      expect(() => createInstance(modulus)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
