/** Values in the items that are worked on at once, if it is not a single item that has more: some milliseconds of work. */
const SLICE = 500

/** All items of a list, in order, in slices of so few values that the event loop can turn between them in time. */
export function* slices(list: readonly unknown[]): Generator<unknown[]> {
  let from = 0
  let weight = 0
  for (const [i, item] of list.entries()) {
    const more = weigh(item, SLICE)
    if (i > from && weight + more > SLICE) {
      yield list.slice(from, i)
      from = i
      weight = 0
    }
    weight += more
  }
  if (list.length > 0) yield list.slice(from)
}

/** Whether `value` is a list of more than one slice, or of one item that is long itself. */
export function isLongList(value: unknown): value is unknown[] {
  return Array.isArray(value) && weigh(value, SLICE) > SLICE
}

/** How many values there are in `value`, counted until they are more than `limit`; byte arrays are one. */
function weigh(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return 1
  let sum = 1
  for (const part of Array.isArray(value) ? value : Object.values(value)) {
    sum += weigh(part, limit - sum)
    if (sum > limit) break
  }
  return sum
}
