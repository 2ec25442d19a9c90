import { Download } from 'lucide-react'
import { lazy, Suspense, useMemo, useState } from 'react'
import type { RecordValue } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatBytes, formatDateTime, formatDecimal } from '../../app/lib/format.ts'
import { useAction } from '../../app/store/action.ts'
import { data } from '../../app/store/data.ts'
import { Button } from '../../app/ui/button.tsx'
import { CopyButton, Hash } from '../../app/ui/copy.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { Skeleton } from '../../app/ui/skeleton.tsx'
import { ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { Table, type TableColumn } from '../../app/ui/table.tsx'

const SeriesChart = lazy(() => import('./series-chart.tsx'))

/** A decrypted value, in the form its type asks for. */
export function ValueView({ id, value }: { id: string; value: RecordValue }) {
  if (value.type === 'number')
    return (
      <p className="flex flex-wrap items-baseline gap-2 rounded-lg border border-line px-4 py-3">
        <span className="text-2xl font-semibold break-all">{formatDecimal(value.value)}</span>
        {value.unit !== undefined && <span className="text-muted">{value.unit}</span>}
        <CopyButton text={value.value} className="self-center" />
      </p>
    )
  if (value.type === 'text')
    return (
      <div className="flex items-start gap-2 rounded-lg border border-line py-3 ps-4 pe-2">
        <p className="min-w-0 flex-1 text-sm leading-6 break-words whitespace-pre-wrap">{value.value}</p>
        <CopyButton text={value.value} />
      </div>
    )
  if (value.type === 'table') return <TableValue value={value} />
  if (value.type === 'timeseries') return <SeriesValue value={value} />
  return <FileValue id={id} value={value} />
}

type Row = { index: number; cells: readonly string[] }

/** A key to sort exact decimals by; text when it is none. */
const numeric = (text: string): number | string => (/^-?\d/.test(text) ? Number(text) : text)
const rowKey = (row: Row) => String(row.index)

function TableValue({ value }: { value: Extract<RecordValue, { type: 'table' }> }) {
  const t = useT()
  const rows = useMemo<Row[]>(() => value.rows.map((cells, index) => ({ index, cells })), [value])
  const columns = useMemo<TableColumn<Row>[]>(
    () =>
      value.columns.map((column, i) => ({
        id: `${i}`,
        header: column.name,
        align: column.kind === 'number' ? 'end' : 'start',
        sort: (row) => (column.kind === 'number' ? numeric(row.cells[i] ?? '') : (row.cells[i] ?? '')),
        cell: (row) =>
          column.kind === 'number' ? (
            formatDecimal(row.cells[i] ?? '')
          ) : (
            <span className="block max-w-96 truncate">{row.cells[i]}</span>
          ),
      })),
    [value],
  )
  return (
    <>
      <Table label={t('data.value')} columns={columns} rows={rows} rowKey={rowKey} maxHeight={360} />
      <p className="mt-1 text-xs text-muted">{t('data.rows', { count: rows.length })}</p>
    </>
  )
}

function SeriesValue({ value }: { value: Extract<RecordValue, { type: 'timeseries' }> }) {
  const t = useT()
  const rows = useMemo(() => value.points.map((point, index) => ({ index, ...point })), [value])
  const unit = value.unit === undefined ? '' : ` (${value.unit})`
  const columns = useMemo<TableColumn<(typeof rows)[number]>[]>(
    () => [
      { id: 'at', header: t('data.series.time'), sort: (p) => p.at, cell: (p) => formatDateTime(p.at) },
      {
        id: 'value',
        header: `${t('data.value')}${unit}`,
        align: 'end',
        sort: (p) => Number(p.value),
        cell: (p) => formatDecimal(p.value),
      },
    ],
    [t, unit],
  )
  return (
    <div className="flex flex-col gap-3">
      <Suspense fallback={<Skeleton className="h-52" />}>
        <SeriesChart points={value.points} unit={value.unit ?? ''} />
      </Suspense>
      <Table
        label={t('data.value')}
        columns={columns}
        rows={rows}
        rowKey={(p) => String(p.index)}
        maxHeight={240}
      />
      <p className="text-xs text-muted">{t('data.rows', { count: rows.length })}</p>
    </div>
  )
}

function FileValue({ id, value }: { id: string; value: Extract<RecordValue, { type: 'file' }> }) {
  const t = useT()
  const save = useAction(() => data.saveFile(id))
  const [path, setPath] = useState<string>()
  const start = async () => setPath((await save.run())?.path)
  return (
    <div className="flex flex-col gap-3 rounded-lg border border-line p-4">
      <KeyValue
        rows={[
          [t('data.file.name'), value.fileName],
          [t('data.file.size'), formatBytes(value.bytes)],
          [t('data.file.type'), value.mediaType],
          [t('data.file.digest'), <Hash key="d" value={value.digest} />],
        ]}
      />
      {save.pending ? (
        <HostConfirmation kind="export" />
      ) : (
        <div>
          <Button icon={<Download aria-hidden />} onClick={() => void start()}>
            {t('data.file.save')}
          </Button>
          <p className="mt-1 text-xs text-muted">{t('data.file.save.hint')}</p>
        </div>
      )}
      {path !== undefined && <Callout tone="success">{t('data.file.saved', { path })}</Callout>}
      {save.error !== undefined && <ErrorState error={save.error} />}
    </div>
  )
}
