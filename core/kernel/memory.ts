import { EnigmaError } from '../base/errors.ts'

const PAGE = 65536
const SMALL_LIMIT = 16384
const SLAB = 65536
const MAX_PAGES = 65536

/** The part of WebAssembly.Memory that is used here (the compiler's library has no WebAssembly types without DOM). */
export interface LinearMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

interface Block {
  at: number
  size: number
}

/**
 * Allocator over one WebAssembly memory. Small blocks come from free lists of fixed sizes, large ones from the
 * first gap that fits; neighbouring gaps are joined. Blocks are 64-byte aligned and zeroed when they are freed,
 * because they hold secrets. Grows up to 4 GiB, the limit of 32-bit addresses.
 */
export class KernelMemory {
  readonly #memory: LinearMemory
  readonly #small = new Map<number, number[]>()
  /** Sorted by address; never adjacent. */
  readonly #gaps: Block[] = []
  #end: number
  #used = 0

  /** Memory below `base` is not touched. */
  constructor(memory: LinearMemory, base: number) {
    this.#memory = memory
    this.#end = base
    const size = memory.buffer.byteLength - base
    if (size > 0) this.#addGap(base, size)
    this.#end = memory.buffer.byteLength
  }

  /** Bytes handed out and not yet freed. */
  get used(): number {
    return this.#used
  }

  /** The size a request of `bytes` occupies; free it with the same number of bytes. */
  #rounded(bytes: number): number {
    if (bytes > SMALL_LIMIT) return Math.ceil(bytes / 4096) * 4096
    const size = Math.max(64, Math.ceil(bytes / 64) * 64)
    // Four sizes for each power of two: at most a fifth is wasted.
    const step = Math.max(64, 2 ** (Math.floor(Math.log2(size)) - 2))
    return Math.ceil(size / step) * step
  }

  /** Contents are zero. */
  alloc(bytes: number): number {
    const size = this.#rounded(bytes)
    const at = size > SMALL_LIMIT ? this.#allocLarge(size) : this.#allocSmall(size)
    this.#used += size
    return at
  }

  free(at: number, bytes: number): void {
    const size = this.#rounded(bytes)
    this.bytes(at, size).fill(0)
    this.#used -= size
    if (size > SMALL_LIMIT) this.#addGap(at, size)
    else this.#small.get(size)!.push(at)
  }

  /** A view that is valid until the next allocation. */
  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, at, length)
  }

  words(at: number, length: number): BigUint64Array {
    return new BigUint64Array(this.#memory.buffer, at, length)
  }

  integers(at: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, at, length)
  }

  #allocSmall(size: number): number {
    let list = this.#small.get(size)
    if (list === undefined) {
      list = []
      this.#small.set(size, list)
    }
    if (list.length === 0) {
      const slab = this.#allocLarge(SLAB)
      for (let at = slab + Math.floor(SLAB / size) * size - size; at >= slab; at -= size) list.push(at)
    }
    return list.pop()!
  }

  #allocLarge(size: number): number {
    for (let i = 0; i < this.#gaps.length; i++) {
      const gap = this.#gaps[i]!
      if (gap.size < size) continue
      const { at } = gap
      gap.at += size
      gap.size -= size
      if (gap.size === 0) this.#gaps.splice(i, 1)
      return at
    }
    this.#grow(size)
    return this.#allocLarge(size)
  }

  #grow(size: number): void {
    const pages = this.#end / PAGE
    const last = this.#gaps.at(-1)
    const tail = last !== undefined && last.at + last.size === this.#end ? last.size : 0
    const needed = Math.ceil((size - tail) / PAGE)
    const wanted = Math.min(Math.max(needed, Math.min(pages >> 1, 1024)), MAX_PAGES - 1 - pages)
    if (needed > wanted) throw exhausted(size)
    try {
      this.#memory.grow(wanted)
    } catch {
      throw exhausted(size)
    }
    const at = this.#end
    this.#end += wanted * PAGE
    this.#addGap(at, wanted * PAGE)
  }

  #addGap(at: number, size: number): void {
    let low = 0
    let high = this.#gaps.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#gaps[middle]!.at < at) low = middle + 1
      else high = middle
    }
    const before = this.#gaps[low - 1]
    const after = this.#gaps[low]
    const joinsBefore = before !== undefined && before.at + before.size === at
    const joinsAfter = after !== undefined && at + size === after.at
    if (joinsBefore && joinsAfter) {
      before.size += size + after.size
      this.#gaps.splice(low, 1)
    } else if (joinsBefore) before.size += size
    else if (joinsAfter) {
      after.at = at
      after.size += size
    } else this.#gaps.splice(low, 0, { at, size })
  }
}

function exhausted(size: number): EnigmaError {
  return new EnigmaError('INTERNAL', `the kernel's memory is exhausted (${size} bytes asked for)`, {
    remedy: 'Work on shorter vectors, or free vectors that are no longer used.',
  })
}
