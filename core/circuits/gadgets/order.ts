import { EnigmaError } from '../../base/errors.ts'
import type { CircuitBuilder } from '../builder.ts'
import type { NodeRef } from '../types.ts'
import { lessThan, select } from './compare.ts'

/** Most elements of one sort: its cost grows with n·log² n. */
export const MAX_SORT = 512

/** Compares x with y element by element and gives (min, max): one comparison and one product an element. */
export function minMax(
  b: CircuitBuilder,
  x: NodeRef,
  y: NodeRef,
  k: number,
  modulus: bigint,
): { min: NodeRef; max: NodeRef } {
  const less = lessThan(b, x, y, k, modulus)
  const min = select(b, less, x, y)
  return { min, max: b.sub(b.add(x, y), min) }
}

/** The smallest or largest element, by a tree of ⌈log₂ n⌉ levels. */
export function extreme(
  b: CircuitBuilder,
  x: NodeRef,
  which: 'min' | 'max',
  k: number,
  modulus: bigint,
): NodeRef {
  let current = x
  for (let n = b.length(x); n > 1; n = Math.ceil(n / 2)) {
    const half = Math.floor(n / 2)
    const pair = minMax(b, b.slice(current, 0, half), b.slice(current, half, 2 * half), k, modulus)
    current = n % 2 === 1 ? b.concat([pair[which], b.slice(current, n - 1, n)]) : pair[which]
  }
  return current
}

/** 1 at the first largest element, 0 elsewhere. */
export function argMax(b: CircuitBuilder, x: NodeRef, k: number, modulus: bigint): NodeRef {
  const n = b.length(x)
  let values = x
  // Which of its leaves each node of the tree stands for: blocks of n indicators, one for each value.
  let chosen = Array.from({ length: n }, (_, i) =>
    b.constant(Array.from({ length: n }, (_, j) => (i === j ? 1n : 0n))),
  )
  while (chosen.length > 1) {
    const half = Math.floor(chosen.length / 2)
    const every = (first: number) => Array.from({ length: half }, (_, i) => 2 * i + first)
    const [left, right] = [b.blocks(values, 1, every(0)), b.blocks(values, 1, every(1))]
    // Neighbours, and a later one wins only if it is larger.
    const less = lessThan(b, left, right, k, modulus)
    const next = select(b, less, right, left)
    const stretched = b.blocks(
      less,
      1,
      Array.from({ length: half * n }, (_, i) => Math.floor(i / n)),
    )
    const side = (first: number) => b.concat(every(first).map((i) => chosen[i]!))
    const indicators = select(b, stretched, side(1), side(0))
    const rest = chosen.length % 2 === 1
    values = rest ? b.concat([next, b.slice(values, 2 * half, 2 * half + 1)]) : next
    chosen = [
      ...Array.from({ length: half }, (_, i) => b.slice(indicators, i * n, (i + 1) * n)),
      ...(rest ? [chosen[2 * half]!] : []),
    ]
  }
  return chosen[0]!
}

/** Compare-exchanges of Batcher's odd-even merge sort for n elements, layer by layer; each layer touches an element once. */
export function sortingNetwork(n: number): [number, number][][] {
  const layers: [number, number][][] = []
  for (let p = 1; p < n; p *= 2)
    for (let q = p; q >= 1; q /= 2) {
      const layer: [number, number][] = []
      for (let j = q % p; j <= n - 1 - q; j += 2 * q)
        for (let i = 0; i < Math.min(q, n - j - q); i++)
          if (Math.floor((i + j) / (2 * p)) === Math.floor((i + j + q) / (2 * p)))
            layer.push([i + j, i + j + q])
      if (layer.length > 0) layers.push(layer)
    }
  return layers
}

/** Ascending order of up to MAX_SORT elements: about n·log² n/4 comparisons in log² n/2 layers. */
export function sort(b: CircuitBuilder, x: NodeRef, k: number, modulus: bigint): NodeRef {
  const n = b.length(x)
  if (n > MAX_SORT)
    throw new EnigmaError('CIRCUIT_INPUT', `at most ${MAX_SORT} values can be put in order, not ${n}`, {
      remedy: 'Name fewer references, or ask for a count or a histogram.',
    })
  let current = x
  for (const layer of sortingNetwork(n)) {
    const low = layer.map(([i]) => i)
    const high = layer.map(([, j]) => j)
    const { min, max } = minMax(b, b.blocks(current, 1, low), b.blocks(current, 1, high), k, modulus)
    const touched = new Map([
      ...low.map((i, at) => [i, at] as const),
      ...high.map((j, at) => [j, layer.length + at] as const),
    ])
    const all = b.concat([min, max, current])
    current = b.blocks(
      all,
      1,
      Array.from({ length: n }, (_, i) => touched.get(i) ?? 2 * layer.length + i),
    )
  }
  return current
}

/** For each of several public thresholds how many elements are below it: n comparisons a threshold, in one go. */
export function countsBelow(
  b: CircuitBuilder,
  x: NodeRef,
  thresholds: readonly bigint[],
  k: number,
  modulus: bigint,
): NodeRef {
  const n = b.length(x)
  const repeated = b.concat(thresholds.map(() => x))
  const limits = b.blocks(
    b.constant(thresholds),
    1,
    Array.from({ length: n * thresholds.length }, (_, i) => Math.floor(i / n)),
  )
  const below = lessThan(b, repeated, limits, k, modulus)
  return b.concat(thresholds.map((_, i) => b.sum(b.slice(below, i * n, (i + 1) * n))))
}

/** The entry of a public table at a secret index in 0…table.length − 1: an equality and no product each. */
export function lookUp(
  b: CircuitBuilder,
  index: NodeRef,
  table: readonly bigint[],
  equals: (difference: NodeRef) => NodeRef,
): NodeRef {
  const size = table.length
  const entries = Array.from({ length: size }, (_, i) => BigInt(i))
  const n = b.length(index)
  const repeated = b.blocks(
    index,
    1,
    Array.from({ length: n * size }, (_, i) => Math.floor(i / size)),
  )
  const wanted = b.concat(Array.from({ length: n }, () => b.constant(entries)))
  const hits = equals(b.sub(repeated, wanted))
  const values = b.mul(hits, b.concat(Array.from({ length: n }, () => b.constant(table))))
  return b.concat(Array.from({ length: n }, (_, i) => b.sum(b.slice(values, i * size, (i + 1) * size))))
}
