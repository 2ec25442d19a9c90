import type { useT } from '../../app/i18n/index.ts'
import { formatDecimal } from '../../app/lib/format.ts'

/** A range of a histogram, its lower edge included, and how many values lie in it. */
export interface Bin {
  readonly from?: string
  readonly to?: string
  readonly count: string
}

/** The ranges of a histogram's counts; undefined when there is not one count more than edges. */
export function binsOf(counts: readonly string[], edges: readonly string[]): Bin[] | undefined {
  if (counts.length !== edges.length + 1) return undefined
  return counts.map((count, i) => {
    const [from, to] = [edges[i - 1], edges[i]]
    return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), count }
  })
}

export function rangeText(t: ReturnType<typeof useT>, { from, to }: Bin): string {
  if (from === undefined) return t('computations.bins.below', { to: formatDecimal(to ?? '') })
  if (to === undefined) return t('computations.bins.from', { from: formatDecimal(from) })
  return t('computations.bins.between', { from: formatDecimal(from), to: formatDecimal(to) })
}
