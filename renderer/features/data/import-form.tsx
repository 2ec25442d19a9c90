import { X } from 'lucide-react'
import { useMemo, useState } from 'react'
import { type CellError, EnigmaError, type Output } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../../app/i18n/index.ts'
import { formatBytes, formatNumber } from '../../app/lib/format.ts'
import { upload } from '../../app/lib/upload.ts'
import { useAction } from '../../app/store/action.ts'
import { data } from '../../app/store/data.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button, IconButton } from '../../app/ui/button.tsx'
import { Checkbox } from '../../app/ui/checkbox.tsx'
import { DropZone } from '../../app/ui/drop-zone.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input } from '../../app/ui/input.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { Table, type TableColumn } from '../../app/ui/table.tsx'
import { parseTags } from './types.ts'

const MAX_BYTES = 32 * 1024 * 1024

interface Source {
  format: 'csv' | 'json'
  fileName: string
  upload: string
}

/** A CSV or JSON file: what the columns are read as, the first rows, and each cell that does not fit. */
export function ImportForm({ onAdded }: { onAdded: (id: string) => void }) {
  const t = useT()
  const [source, setSource] = useState<Source>()
  const [title, setTitle] = useState('')
  const [tags, setTags] = useState('')
  const [skipInvalid, setSkipInvalid] = useState(false)
  const [preview, setPreview] = useState<Output<'data.previewImport'>>()
  const read = useAction(async (file: File) => {
    if (file.size > MAX_BYTES)
      throw new EnigmaError(
        'IMPORT_INVALID',
        `${file.name} has ${formatBytes(file.size)}, the limit is 32 MB`,
      )
    const next: Source = {
      format: /\.json$/i.test(file.name) ? 'json' : 'csv',
      fileName: file.name.slice(0, 255),
      upload: await upload(file),
    }
    const found = await data.previewImport(next)
    setSource(next)
    setPreview(found)
    setSkipInvalid(false)
    setTitle(file.name.replace(/\.[^.]+$/, '').slice(0, 200))
  })
  const importIt = useAction(async (from: Source) => {
    const { id } = await data.importTable({ ...from, title, tags: parseTags(tags), skipInvalid })
    onAdded(id)
  })

  if (source === undefined || preview === undefined)
    return (
      <div className="flex flex-col gap-3">
        <DropZone
          accept=".csv,.json,.tsv,text/csv,application/json"
          label={t('data.import.drop')}
          hint={t('data.import.hint')}
          disabled={read.pending}
          onFile={(file) => void read.run(file)}
        />
        {read.pending && <SkeletonLines lines={3} />}
        {read.error !== undefined && <ErrorState error={read.error} />}
      </div>
    )

  const badRows = new Set(preview.errors.map((e) => e.row)).size
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault()
        void importIt.run(source)
      }}
    >
      <div className="flex items-center gap-2 text-sm">
        <span className="min-w-0 flex-1 truncate font-medium">{source.fileName}</span>
        <span className="text-muted">{t('data.rows', { count: preview.rows })}</span>
        <IconButton size="sm" label={t('data.import.other')} onClick={() => setSource(undefined)}>
          <X aria-hidden />
        </IconButton>
      </div>
      <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
        <Field label={t('data.form.title')} required>
          <Input required maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} />
        </Field>
        <Field label={t('data.tags')} optionalText={t('ui.optional')}>
          <Input value={tags} onChange={(event) => setTags(event.target.value)} />
        </Field>
      </div>
      <Preview preview={preview} />
      {preview.errorCount > 0 && (
        <>
          <Callout
            tone="warning"
            title={t('data.import.errors', { count: preview.errorCount, rows: badRows })}
          >
            {t('data.import.errors.text')}
          </Callout>
          <CellErrors errors={preview.errors} />
          <Checkbox
            label={t('data.import.skip')}
            hint={t('data.import.skip.hint')}
            checked={skipInvalid}
            onCheckedChange={setSkipInvalid}
          />
        </>
      )}
      {importIt.error !== undefined && <ErrorState error={importIt.error} />}
      <div className="flex justify-end">
        <Button
          type="submit"
          variant="primary"
          loading={importIt.pending}
          disabled={title.trim() === '' || (preview.errorCount > 0 && !skipInvalid)}
        >
          {t('data.add.keep')}
        </Button>
      </div>
    </form>
  )
}

type Row = { index: number; cells: readonly string[] }
const rowKey = (row: { index: number }) => String(row.index)

function Preview({ preview }: { preview: Output<'data.previewImport'> }) {
  const t = useT()
  const rows = useMemo<Row[]>(() => preview.sample.map((cells, index) => ({ index, cells })), [preview])
  const columns = useMemo<TableColumn<Row>[]>(
    () =>
      preview.columns.map((column, i) => ({
        id: `${i}`,
        header: `${column.name} · ${t(`data.column.${column.kind}`)}`,
        align: column.kind === 'number' ? 'end' : 'start',
        cell: (row) => <span className="block max-w-60 truncate">{row.cells[i]}</span>,
      })),
    [preview, t],
  )
  return (
    <div>
      <p className="mb-1 flex items-center gap-2 text-xs text-muted">
        {t('data.import.preview', { count: rows.length })}
        <Badge>{t('data.import.columns', { count: preview.columns.length })}</Badge>
      </p>
      <Table
        label={t('data.import.preview', { count: rows.length })}
        columns={columns}
        rows={rows}
        rowKey={rowKey}
        maxHeight={240}
      />
    </div>
  )
}

function CellErrors({ errors }: { errors: readonly CellError[] }) {
  const t = useT()
  const rows = useMemo(() => errors.map((error, index) => ({ index, ...error })), [errors])
  const columns = useMemo<TableColumn<(typeof rows)[number]>[]>(() => {
    const say = (error: CellError) => {
      const key = `data.problem.${error.problem}`
      return hasMessage(key) ? t(key) : `${error.problem}. ${error.remedy}`
    }
    return [
      {
        id: 'row',
        header: t('data.import.row'),
        align: 'end',
        cell: (e) => formatNumber(e.row),
        sort: (e) => e.row,
      },
      { id: 'column', header: t('data.import.column'), cell: (e) => e.column, sort: (e) => e.column },
      {
        id: 'cell',
        header: t('data.import.cell'),
        cell: (e) => (
          <code className="font-mono text-xs break-all">
            {e.excerpt === '' ? t('data.import.emptyCell') : e.excerpt}
          </code>
        ),
      },
      { id: 'problem', header: t('data.import.problem'), cell: say },
    ]
  }, [t])
  return (
    <Table label={t('data.import.problems')} columns={columns} rows={rows} rowKey={rowKey} maxHeight={180} />
  )
}
