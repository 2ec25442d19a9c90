import type { ShareInfo } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatDecimal } from '../../app/lib/format.ts'
import { CopyButton, Hash } from '../../app/ui/copy.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { Table } from '../../app/ui/table.tsx'

/** The values in the open, and which holders sent wrong pieces. */
export function Revealed({
  values,
  badHolders,
  share,
}: {
  values: readonly string[]
  badHolders: readonly string[]
  share: ShareInfo
}) {
  const t = useT()
  const [only] = values
  return (
    <div className="flex flex-col gap-4">
      {badHolders.length > 0 && (
        <Callout tone="warning" title={t('declassify.bad', { count: badHolders.length })}>
          <p>{t('declassify.bad.text')}</p>
          <ul className="mt-1">
            {badHolders.map((holder) => (
              <li key={holder}>
                <Hash value={holder} />
              </li>
            ))}
          </ul>
        </Callout>
      )}
      {values.length === 1 && only !== undefined ? (
        <div className="flex items-center gap-2 rounded-lg border border-line bg-sunken p-4">
          <output className="min-w-0 flex-1 text-2xl font-semibold break-all select-all">
            {formatDecimal(only)}
          </output>
          <CopyButton text={only} label={t('declassify.copy')} />
        </div>
      ) : (
        <div>
          <div className="mb-2 flex items-center justify-between gap-2">
            <h3 className="text-sm font-medium">
              {share.column ?? t('declassify.values')}{' '}
              <span className="font-normal text-muted">
                {t('declassify.what.value', { count: values.length })}
              </span>
            </h3>
            <CopyButton text={values.join('\n')} label={t('declassify.copy')} />
          </div>
          <ValueTable values={values} label={t('declassify.values')} />
        </div>
      )}
      <p className="text-sm text-muted">{t('declassify.done.text')}</p>
    </div>
  )
}

interface Row {
  index: number
  value: string
}
const rowKey = (row: Row) => String(row.index)

export function ValueTable({ values, label }: { values: readonly string[]; label: string }) {
  const t = useT()
  return (
    <Table<Row>
      label={label}
      maxHeight={320}
      rows={values.map((value, i) => ({ index: i + 1, value }))}
      rowKey={rowKey}
      columns={[
        { id: 'row', header: t('declassify.row'), cell: (row) => row.index, className: 'w-24' },
        {
          id: 'value',
          header: t('declassify.value'),
          align: 'end',
          cell: (row) => formatDecimal(row.value),
        },
      ]}
    />
  )
}
