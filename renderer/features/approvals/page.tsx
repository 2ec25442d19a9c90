import { ClipboardCheck } from 'lucide-react'
import type { Approval } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { approvals } from '../../app/store/compute.ts'
import { useSelection } from '../../app/store/selection.ts'
import { Page, Panes } from '../../app/ui/page.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { EmptyState, ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { useNames } from '../identities/names.ts'
import { ListItem } from '../share/list-item.tsx'
import { ApprovalDetail } from './approval.tsx'
import { ApprovalState, requesterName } from './state.tsx'

export default function ApprovalsPage() {
  const t = useT()
  const names = useNames()
  const { data, error, reload } = approvals.use({})
  const [selected, select] = useSelection('approvals')
  const all = data?.approvals ?? []
  const waiting = all.filter((a) => a.state === 'waiting')
  const decided = all.filter((a) => a.state !== 'waiting')
  const current = all.find((a) => a.id === selected)
  const section = (title: string, list: Approval[]) =>
    list.length > 0 && (
      <section aria-label={title}>
        <h2 className="flex items-baseline justify-between px-3 pt-3 pb-1 text-xs font-medium text-muted">
          {title}
          <span className="font-normal">{list.length}</span>
        </h2>
        <ul>
          {list.map((approval) => (
            <li key={approval.id}>
              <ListItem
                current={approval.id === selected}
                onSelect={() => select(approval.id)}
                title={requesterName(approval, names)}
                badge={approval.state === 'waiting' ? undefined : <ApprovalState state={approval.state} />}
              >
                <span className="truncate">
                  {names.functionName(approval.function)} ·{' '}
                  {approval.references.map((r) => r.title).join(', ')}
                </span>
                <Time at={approval.requestedAt} />
              </ListItem>
            </li>
          ))}
        </ul>
      </section>
    )
  return (
    <Page title={t('approvals.title')} description={t('approvals.lead')} width="full">
      {data !== undefined && all.length === 0 ? (
        <EmptyState icon={<ClipboardCheck />} title={t('approvals.empty.title')}>
          {t('approvals.empty.text')}
        </EmptyState>
      ) : (
        <Panes
          listLabel={t('approvals.title')}
          detailLabel={current === undefined ? t('approvals.select') : requesterName(current, names)}
          detailOpen={current !== undefined}
          list={
            error !== undefined && data === undefined ? (
              <ErrorState error={error} onRetry={reload} className="m-3" />
            ) : data === undefined ? (
              <SkeletonLines className="p-4" />
            ) : (
              <div className="min-h-0 flex-1 overflow-y-auto p-2">
                {waiting.length === 0 && (
                  <p className="px-3 py-4 text-sm text-muted">{t('approvals.empty.title')}</p>
                )}
                {section(t('approvals.tab.waiting'), waiting)}
                {section(t('approvals.tab.decided'), decided)}
              </div>
            )
          }
          detail={
            current === undefined ? (
              <EmptyState
                icon={<ClipboardCheck />}
                title={t(waiting.length === 0 ? 'approvals.empty.title' : 'approvals.select')}
              />
            ) : (
              <ApprovalDetail
                key={current.id}
                approval={current}
                names={names}
                onBack={() => select(undefined)}
              />
            )
          }
        />
      )}
    </Page>
  )
}
