import { Link } from '@tanstack/react-router'
import { FolderOpen, Plus, Trash2 } from 'lucide-react'
import type { Output, RecordSummary } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { cn } from '../../app/lib/cn.ts'
import { formatDecimal } from '../../app/lib/format.ts'
import type { QueryState } from '../../app/store/query.ts'
import { Button } from '../../app/ui/button.tsx'
import { SearchInput } from '../../app/ui/input.tsx'
import { Select } from '../../app/ui/select.tsx'
import { ShareRing } from '../../app/ui/share-ring.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { EmptyState, ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import type { Filter } from './page.tsx'
import { ringOf, TYPES, typeIcons } from './types.ts'

export function RecordList({
  filter,
  onFilter,
  state,
  tags,
  selected,
  onAdd,
  emptyVault,
}: {
  filter: Filter
  onFilter: (filter: Filter) => void
  state: QueryState<Output<'data.list'>> & { reload(): void }
  tags: readonly string[]
  selected: string | undefined
  onAdd: () => void
  emptyVault: boolean
}) {
  const t = useT()
  const list = state.data?.records
  const filtered = filter.query !== '' || filter.type !== 'all' || filter.tag !== ''
  return (
    <>
      <div className="flex flex-col gap-2 border-b border-line p-3">
        <SearchInput
          label={t('data.search')}
          value={filter.query}
          onValueChange={(query) => onFilter({ ...filter, query })}
        />
        <div className="flex gap-2">
          <Select<Filter['type']>
            label={t('data.type')}
            className="flex-1"
            value={filter.type}
            onValueChange={(type) => onFilter({ ...filter, type })}
            options={[
              { value: 'all', label: t('data.type.all') },
              ...TYPES.map((type) => ({ value: type, label: t(`data.type.${type}`) })),
            ]}
          />
          <Select<string>
            label={t('data.tag')}
            className="flex-1"
            value={filter.tag === '' ? ' ' : filter.tag}
            onValueChange={(tag) => onFilter({ ...filter, tag: tag.trim() })}
            options={[
              { value: ' ', label: t('data.tag.all') },
              ...tags.map((tag) => ({ value: tag, label: tag })),
            ]}
          />
        </div>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto p-2">
        {state.error !== undefined && list === undefined && (
          <ErrorState error={state.error} onRetry={state.reload} />
        )}
        {list === undefined && state.loading && <SkeletonLines lines={8} className="p-2" />}
        {list?.length === 0 &&
          (filter.trash ? (
            <EmptyState icon={<Trash2 />} title={t('data.trash.empty')} />
          ) : filtered ? (
            <EmptyState
              icon={<FolderOpen />}
              title={t('data.nothing')}
              actions={
                <Button size="sm" onClick={() => onFilter({ ...filter, query: '', type: 'all', tag: '' })}>
                  {t('data.nothing.clear')}
                </Button>
              }
            />
          ) : (
            emptyVault && (
              <EmptyState
                icon={<FolderOpen />}
                title={t('data.empty.title')}
                actions={
                  <Button variant="primary" icon={<Plus aria-hidden />} onClick={onAdd}>
                    {t('data.add')}
                  </Button>
                }
              >
                {t('data.empty.text')}
              </EmptyState>
            )
          ))}
        {list !== undefined && list.length > 0 && (
          <ul className="flex flex-col gap-px">
            {list.map((record) => (
              <Row key={record.id} record={record} active={record.id === selected} />
            ))}
          </ul>
        )}
      </div>
      <div className="flex items-center justify-between gap-2 border-t border-line px-3 py-1.5 text-xs text-muted">
        <span role="status">{list !== undefined && t('data.count', { count: list.length })}</span>
        <Button
          size="sm"
          variant="ghost"
          aria-pressed={filter.trash}
          icon={<Trash2 aria-hidden />}
          className={cn(filter.trash && 'bg-hover')}
          onClick={() => onFilter({ ...filter, trash: !filter.trash })}
        >
          {t('data.trash')}
        </Button>
      </div>
    </>
  )
}

/** The value in one line, as the list and the trash show it. */
export function previewOf(record: RecordSummary, rowsText: (count: number) => string): string {
  if (record.type === 'number') {
    const [, number, unit = ''] = /^(-?[\d.]+)(.*)$/s.exec(record.preview) ?? []
    return number === undefined ? record.preview : formatDecimal(number) + unit
  }
  return (record.type === 'table' || record.type === 'timeseries') && record.rows !== undefined
    ? rowsText(record.rows)
    : record.preview
}

function Row({ record, active }: { record: RecordSummary; active: boolean }) {
  const t = useT()
  const Icon = typeIcons[record.type]
  return (
    <li>
      <Link
        to="/data/$id"
        params={{ id: record.id }}
        aria-current={active ? 'true' : undefined}
        className={cn(
          'flex items-center gap-3 rounded-md px-2.5 py-2 -outline-offset-2 hover:bg-hover',
          active && 'bg-accent-soft hover:bg-accent-soft',
        )}
      >
        <span className="flex size-8 shrink-0 items-center justify-center rounded-md border border-line bg-surface text-muted">
          <Icon aria-hidden className="size-4" />
          <span className="sr-only">{t(`data.type.${record.type}`)}: </span>
        </span>
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm font-medium">{record.title}</span>
          <span className="flex gap-1.5 text-xs text-muted">
            <span className="min-w-0 truncate">
              {previewOf(record, (count) => t('data.rows', { count: count }))}
            </span>
            <span aria-hidden>·</span>
            <Time at={record.removedAt ?? record.updatedAt} className="shrink-0" />
          </span>
        </span>
        {record.shared > 0 && record.holdersTotal > 0 && (
          <ShareRing size={26} holders={ringOf(record)} threshold={record.threshold + 1} />
        )}
      </Link>
    </li>
  )
}
