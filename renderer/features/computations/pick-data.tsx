import { useMemo, useState } from 'react'
import type { ComputeFunction, Reference } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatDate } from '../../app/lib/format.ts'
import { references } from '../../app/store/compute.ts'
import { Button } from '../../app/ui/button.tsx'
import { Checkbox } from '../../app/ui/checkbox.tsx'
import { SearchInput } from '../../app/ui/input.tsx'
import { Select } from '../../app/ui/select.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { EmptyState, ErrorState } from '../../app/ui/states.tsx'
import { Table, type TableColumn } from '../../app/ui/table.tsx'
import type { Names } from '../identities/names.ts'
import { MAX_REFERENCES, ownersOf, suits } from './wizard-model.ts'

const ALL = 'all'
const rowKey = (reference: Reference) => reference.ref

/** References to compute over: searched, filtered by identity, chosen one by one or all that are shown. */
export function PickData({
  fn,
  selected,
  onChange,
  names,
}: {
  fn: ComputeFunction | undefined
  selected: readonly string[]
  onChange: (refs: string[]) => void
  names: Names
}) {
  const t = useT()
  const { data, error, reload } = references.use({})
  const [query, setQuery] = useState('')
  const [identity, setIdentity] = useState<string>(ALL)
  const all = useMemo(() => data?.references.filter((r) => r.state === 'active') ?? [], [data])
  const chosen = useMemo(() => new Set(selected), [selected])
  const identities = useMemo(
    () => [...new Map(all.map((r) => [r.identity, r.identityLabel || names.name(r.identity)]))],
    [all, names],
  )
  const shown = useMemo(() => {
    const wanted = query.trim().toLowerCase()
    return all.filter(
      (r) =>
        (identity === ALL || r.identity === identity) &&
        (wanted === '' ||
          [r.title ?? '', r.identityLabel ?? '', names.name(r.owner), r.owner, r.ref]
            .join(' ')
            .toLowerCase()
            .includes(wanted)),
    )
  }, [all, query, identity, names])
  const fitting = shown.filter((r) => suits(fn, r))
  const columns = useMemo<TableColumn<Reference>[]>(() => {
    const title = (r: Reference) => r.title ?? r.identityLabel ?? t('computations.untitled')
    const toggle = (ref: string, on: boolean) =>
      onChange(on ? [...selected, ref] : selected.filter((s) => s !== ref))
    return [
      {
        id: 'pick',
        header: t('computations.wizard.data.select'),
        hideHeader: true,
        className: 'w-10',
        cell: (r) => (
          <Checkbox
            label={
              <span className="sr-only">
                {t('computations.wizard.data.pick', { title: title(r), owner: names.name(r.owner) })}
              </span>
            }
            checked={chosen.has(r.ref)}
            disabled={!suits(fn, r) && !chosen.has(r.ref)}
            onCheckedChange={(on) => toggle(r.ref, on)}
          />
        ),
      },
      {
        id: 'owner',
        header: t('computations.wizard.data.owner'),
        sort: (r) => names.name(r.owner),
        cell: (r) => names.name(r.owner),
      },
      {
        id: 'data',
        header: t('computations.data'),
        sort: title,
        cell: (r) => (
          <span className="flex min-w-0 items-baseline gap-2">
            <span className="truncate">{title(r)}</span>
            {!suits(fn, r) && (
              <span className="shrink-0 text-xs text-warning">
                {t('computations.wizard.data.unsuitable')}
              </span>
            )}
          </span>
        ),
      },
      {
        id: 'values',
        header: t('computations.wizard.data.values'),
        align: 'end',
        className: 'w-24',
        sort: (r) => r.length,
        cell: (r) => r.length,
      },
      {
        id: 'created',
        header: t('computations.wizard.data.created'),
        className: 'w-32',
        sort: (r) => r.createdAt,
        cell: (r) => <span className="whitespace-nowrap">{formatDate(r.createdAt)}</span>,
      },
    ]
  }, [t, names, fn, chosen, selected, onChange])
  if (error !== undefined && data === undefined) return <ErrorState error={error} onRetry={reload} />
  if (data === undefined) return <SkeletonLines lines={6} />
  if (all.length === 0)
    return (
      <EmptyState title={t('computations.wizard.data.none')}>
        {t('computations.wizard.data.none.text')}
      </EmptyState>
    )
  const owners = ownersOf(all.filter((r) => chosen.has(r.ref)))
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <SearchInput
          label={t('computations.wizard.data.search')}
          value={query}
          onValueChange={setQuery}
          className="min-w-48 flex-1"
        />
        <Select
          label={t('computations.wizard.data.identity')}
          className="w-56"
          value={identity}
          onValueChange={setIdentity}
          options={[
            { value: ALL, label: t('computations.wizard.data.allIdentities') },
            ...identities.map(([value, label]) => ({ value, label })),
          ]}
        />
      </div>
      <Table
        label={t('computations.wizard.data')}
        columns={columns}
        rows={shown}
        rowKey={rowKey}
        maxHeight={320}
        empty={<EmptyState title={t('computations.wizard.data.noMatch')} className="py-6" />}
      />
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="text-sm" aria-live="polite">
          {t('computations.wizard.data.selected', { references: selected.length, owners })}
          {selected.length > MAX_REFERENCES && (
            <span className="block text-danger">{t('computations.wizard.data.too')}</span>
          )}
        </p>
        <div className="flex gap-2">
          <Button size="sm" disabled={selected.length === 0} onClick={() => onChange([])}>
            {t('computations.wizard.data.clear')}
          </Button>
          <Button
            size="sm"
            disabled={fitting.every((r) => chosen.has(r.ref))}
            onClick={() => onChange([...new Set([...selected, ...fitting.map((r) => r.ref)])])}
          >
            {t('computations.wizard.data.selectAll')}
          </Button>
        </div>
      </div>
    </div>
  )
}
