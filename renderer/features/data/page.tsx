import { useNavigate, useParams } from '@tanstack/react-router'
import { Database, Plus, Trash2 } from 'lucide-react'
import { useDeferredValue, useMemo, useState } from 'react'
import type { Input } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { records } from '../../app/store/data.ts'
import { Button } from '../../app/ui/button.tsx'
import { Page, Panes } from '../../app/ui/page.tsx'
import { EmptyState } from '../../app/ui/states.tsx'
import { AddDialog } from './add-dialog.tsx'
import { RecordDetail } from './detail.tsx'
import { RecordList } from './list.tsx'
import type { RecordType } from './types.ts'

export interface Filter {
  query: string
  type: RecordType | 'all'
  tag: string
  trash: boolean
}

/** Everything in the vault: a list to search, one item beside it. `/data/new` opens the form. */
export default function DataPage() {
  const t = useT()
  const navigate = useNavigate()
  const { id: param } = useParams({ strict: false })
  const adding = param === 'new'
  const id = adding ? undefined : param
  const [filter, setFilter] = useState<Filter>({ query: '', type: 'all', tag: '', trash: false })
  const query = useDeferredValue(filter.query.trim())
  const input = useMemo<Input<'data.list'>>(
    () => ({
      ...(query === '' ? {} : { query }),
      ...(filter.type === 'all' ? {} : { type: filter.type }),
      ...(filter.tag === '' ? {} : { tag: filter.tag }),
      ...(filter.trash ? { removed: true } : {}),
    }),
    [query, filter.type, filter.tag, filter.trash],
  )
  const list = records.use(input)
  const all = records.use({})
  const tags = useMemo(
    () => [...new Set((all.data?.records ?? []).flatMap((r) => r.tags))].sort((a, b) => a.localeCompare(b)),
    [all.data],
  )
  const open = (next: string | undefined) =>
    void (next === undefined
      ? navigate({ to: '/data' })
      : navigate({ to: '/data/$id', params: { id: next } }))

  return (
    <Page
      width="full"
      title={t('shell.nav.data')}
      description={t('data.description')}
      actions={
        <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => open('new')}>
          {t('data.add')}
        </Button>
      }
    >
      <Panes
        listLabel={t('data.list')}
        detailLabel={t('data.detail')}
        detailOpen={id !== undefined}
        list={
          <RecordList
            filter={filter}
            onFilter={setFilter}
            state={list}
            tags={tags}
            selected={id}
            onAdd={() => open('new')}
            emptyVault={all.data?.records.length === 0}
          />
        }
        detail={
          id !== undefined ? (
            <RecordDetail key={id} id={id} onClose={() => open(undefined)} />
          ) : (
            <div className="flex h-full items-center justify-center">
              {filter.trash ? (
                <EmptyState icon={<Trash2 />} title={t('data.trash.title')}>
                  {t('data.trash.text')}
                </EmptyState>
              ) : (
                <EmptyState icon={<Database />} title={t('data.none.title')}>
                  {t('data.none.text')}
                </EmptyState>
              )}
            </div>
          )
        }
      />
      <AddDialog open={adding} onOpenChange={(next) => !next && open(undefined)} onAdded={open} />
    </Page>
  )
}
