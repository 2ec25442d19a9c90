import { Calculator, Plus } from 'lucide-react'
import { useState } from 'react'
import type { ComputeJob } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { computations } from '../../app/store/compute.ts'
import { useSelection } from '../../app/store/selection.ts'
import { Button } from '../../app/ui/button.tsx'
import { Page, Panes } from '../../app/ui/page.tsx'
import { Progress } from '../../app/ui/progress.tsx'
import { Select } from '../../app/ui/select.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { EmptyState, ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { useNames } from '../identities/names.ts'
import { ListItem } from '../share/list-item.tsx'
import { ComputationDetail } from './computation.tsx'
import { ComputeBadge, isOpen, overall } from './state.tsx'
import { RequestWizard } from './wizard.tsx'

type Filter = 'all' | 'requested' | 'mine' | 'helped'

const passes = (job: ComputeJob, filter: Filter): boolean =>
  filter === 'all' ||
  (filter === 'requested' && job.roles.includes('requester')) ||
  (filter === 'mine' && job.roles.includes('owner')) ||
  (filter === 'helped' && (job.roles.includes('committee') || job.roles.includes('holder')))

export default function ComputationsPage() {
  const t = useT()
  const names = useNames()
  const { data, error, reload } = computations.use({})
  const [selected, select] = useSelection('computations')
  const [filter, setFilter] = useState<Filter>('all')
  const [asking, setAsking] = useState(false)
  const all = data?.jobs ?? []
  const shown = all.filter((job) => passes(job, filter)).sort((a, b) => b.createdAt - a.createdAt)
  const current = all.find((job) => job.id === selected)
  const titleOf = (job: ComputeJob) => job.label ?? names.functionName(job.function)
  const ask = (
    <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setAsking(true)}>
      {t('computations.new')}
    </Button>
  )
  return (
    <Page
      title={t('computations.title')}
      description={t('computations.lead')}
      width="full"
      actions={data !== undefined && all.length === 0 ? undefined : ask}
    >
      {data !== undefined && all.length === 0 ? (
        <EmptyState icon={<Calculator />} title={t('computations.empty.title')} actions={ask}>
          {t('computations.empty.text')}
        </EmptyState>
      ) : (
        <Panes
          listLabel={t('computations.list')}
          detailLabel={current === undefined ? t('computations.select') : titleOf(current)}
          detailOpen={current !== undefined}
          list={
            <>
              <div className="border-b border-line p-3">
                <Select
                  label={t('computations.filter.label')}
                  value={filter}
                  onValueChange={setFilter}
                  options={(['all', 'requested', 'mine', 'helped'] as const).map((value) => ({
                    value,
                    label: t(`computations.filter.${value}`),
                  }))}
                />
              </div>
              {error !== undefined && data === undefined ? (
                <ErrorState error={error} onRetry={reload} className="m-3" />
              ) : data === undefined ? (
                <SkeletonLines className="p-4" />
              ) : shown.length === 0 ? (
                <EmptyState title={t('computations.filter.none')} />
              ) : (
                <ul className="min-h-0 flex-1 overflow-y-auto p-2">
                  {shown.map((job) => (
                    <li key={job.id}>
                      <ListItem
                        current={job.id === selected}
                        onSelect={() => select(job.id)}
                        title={titleOf(job)}
                        badge={<ComputeBadge state={job.state} />}
                      >
                        <span className="truncate">
                          {t('computations.over', { references: job.references, owners: job.owners })}
                        </span>
                        {isOpen(job) ? (
                          <Progress
                            className="mt-1"
                            showLabel={false}
                            label={t(`computations.state.${job.state}`)}
                            value={overall(job)}
                          />
                        ) : (
                          <Time at={job.finishedAt ?? job.createdAt} />
                        )}
                      </ListItem>
                    </li>
                  ))}
                </ul>
              )}
            </>
          }
          detail={
            current === undefined ? (
              <EmptyState icon={<Calculator />} title={t('computations.select')} />
            ) : (
              <ComputationDetail
                key={current.id}
                job={current}
                title={titleOf(current)}
                names={names}
                onBack={() => select(undefined)}
                onAgain={() => setAsking(true)}
              />
            )
          }
        />
      )}
      <RequestWizard
        open={asking}
        onOpenChange={setAsking}
        onFollow={(id) => select(id ?? computations.peek({})?.jobs.find(isOpen)?.id)}
      />
    </Page>
  )
}
