import { useT } from '../../app/i18n/index.ts'
import { formatDecimal } from '../../app/lib/format.ts'
import { Table } from '../../app/ui/table.tsx'
import { type Bin, rangeText } from './bins.ts'

const rowKey = (bin: Bin) => `${bin.from ?? ''}/${bin.to ?? ''}`

/** The counts of a histogram beside their ranges, drawn as bars of the largest one's width. */
export function BinTable({ bins }: { bins: readonly Bin[] }) {
  const t = useT()
  const most = Math.max(1, ...bins.map(({ count }) => Number(count)))
  return (
    <>
      <Table<Bin>
        label={t('computations.result')}
        maxHeight={320}
        rows={bins}
        rowKey={rowKey}
        columns={[
          { id: 'range', header: t('computations.bins.range'), cell: (bin) => rangeText(t, bin) },
          {
            id: 'bar',
            header: t('computations.bins.bar'),
            hideHeader: true,
            className: 'w-1/2',
            cell: ({ count }) => (
              <div
                aria-hidden
                className="h-2 rounded-full bg-accent"
                style={{ width: `${(100 * Number(count)) / most}%` }}
              />
            ),
          },
          {
            id: 'count',
            header: t('computations.bins.count'),
            align: 'end',
            className: 'w-24',
            cell: ({ count }) => formatDecimal(count),
          },
        ]}
      />
      <p className="mt-2 text-xs text-muted">{t('computations.bins.text')}</p>
    </>
  )
}
