import { Link } from '@tanstack/react-router'
import { ArrowRight, CircleCheck, CircleX, ShieldCheck, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Approval, ChecklistItem } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../../app/i18n/index.ts'
import { cn } from '../../app/lib/cn.ts'
import { formatRelative } from '../../app/lib/format.ts'
import { JobProgress } from '../../app/shell/job-progress.tsx'
import { activity } from '../../app/store/activity.ts'
import { approvals } from '../../app/store/compute.ts'
import { isActive, jobs } from '../../app/store/jobs.ts'
import { checklist } from '../../app/store/node.ts'
import { shares } from '../../app/store/sharing.ts'
import { buttonStyle } from '../../app/ui/button.tsx'
import { Page } from '../../app/ui/page.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { ShareRing } from '../../app/ui/share-ring.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { ActivityLine } from '../activity/line.tsx'

const targets = {
  durability: '/access',
  approvals: '/approvals',
  backup: '/settings/$id',
  rehearsal: '/settings/$id',
  node: '/node',
  chain: '/node',
  deposit: '/node',
} as const satisfies Record<ChecklistItem['id'], string>

/** What needs a look, in one place: the checklist with its next step, running work, requests, the last events. */
export default function HomePage() {
  const t = useT()
  return (
    <Page title={t('shell.nav.home')} description={t('home.description')}>
      <div className="grid grid-cols-[minmax(0,3fr)_minmax(0,2fr)] items-start gap-5 max-[62rem]:grid-cols-1">
        <div className="flex min-w-0 flex-col gap-5">
          <Checklist />
          <SharesAtAGlance />
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          <Running />
          <Waiting />
          <Recent />
        </div>
      </div>
    </Page>
  )
}

function MoreLink({
  to,
  children,
}: {
  to: '/activity' | '/approvals' | '/access' | '/data'
  children: ReactNode
}) {
  return (
    <Link to={to} className={cn(buttonStyle({ variant: 'link', size: 'inline' }))}>
      {children}
    </Link>
  )
}

const rank = { problem: 0, attention: 1, ok: 2 }

function Checklist() {
  const t = useT()
  const state = checklist.use({})
  const items = [...(state.data?.items ?? [])].sort((a, b) => rank[a.state] - rank[b.state])
  const open = items.filter((item) => item.state !== 'ok').length
  return (
    <Panel padded={false}>
      {state.data === undefined ? (
        <div className="p-4">
          {state.error === undefined ? (
            <SkeletonLines lines={5} />
          ) : (
            <ErrorState error={state.error} onRetry={state.reload} />
          )}
        </div>
      ) : (
        <>
          <div className="flex items-center gap-4 border-b border-line p-4">
            <span
              aria-hidden
              className={cn(
                'flex size-11 shrink-0 items-center justify-center rounded-full',
                open === 0 ? 'bg-success-soft text-success' : 'bg-warning-soft text-warning',
              )}
            >
              {open === 0 ? <ShieldCheck className="size-6" /> : <TriangleAlert className="size-6" />}
            </span>
            <div className="min-w-0">
              <h2 className="text-lg font-semibold">{t('home.summary', { count: open })}</h2>
              <p className="text-sm text-muted">
                {open === 0 ? t('home.summary.ok') : t('home.summary.next')}
              </p>
            </div>
          </div>
          <ul>
            {items.map((item, index) => (
              <ChecklistRow key={item.id} item={item} primary={index === 0 && item.state !== 'ok'} />
            ))}
          </ul>
        </>
      )}
    </Panel>
  )
}

function ChecklistRow({ item, primary }: { item: ChecklistItem; primary: boolean }) {
  const t = useT()
  const facts: Record<string, string | number> = { ...item.facts }
  if (typeof facts.at === 'number') facts.ago = formatRelative(facts.at)
  // A state may have a variant without its fact, e.g. "never backed up".
  const bare = Object.keys(item.facts).length === 0
  const wanted = `home.check.${item.id}.${item.state}${bare ? '.bare' : ''}`
  const fallback = `home.check.${item.id}.${item.state}`
  const key = hasMessage(wanted) ? wanted : fallback
  const actionKey = `home.check.${item.id}.action`
  const Icon = item.state === 'ok' ? CircleCheck : item.state === 'problem' ? CircleX : TriangleAlert
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-4 py-2.5 last:border-b-0">
      <Icon
        aria-hidden
        className={cn(
          'size-4 shrink-0',
          item.state === 'ok' ? 'text-success' : item.state === 'problem' ? 'text-danger' : 'text-warning',
        )}
      />
      <div className="min-w-0 flex-1 basis-56">
        <p className="text-sm font-medium">
          {t(`home.check.${item.id}`)}
          <span className="sr-only"> — {t(`home.state.${item.state}`)}</span>
        </p>
        {hasMessage(key) && <p className="text-xs text-muted">{t(key, facts)}</p>}
      </div>
      {item.state !== 'ok' && hasMessage(actionKey) && (
        <Link
          to={targets[item.id]}
          params={{ id: item.id === 'backup' ? 'backup' : 'security' }}
          className={buttonStyle({ variant: primary ? 'primary' : 'secondary', size: 'sm' })}
        >
          {t(actionKey)}
        </Link>
      )}
    </li>
  )
}

function SharesAtAGlance() {
  const t = useT()
  const { data } = shares.use({})
  const active = data?.shares.filter((share) => share.state === 'active') ?? []
  if (active.length === 0) return null
  return (
    <Panel title={t('home.shares')} actions={<MoreLink to="/access">{t('home.shares.all')}</MoreLink>}>
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(9.5rem,1fr))] gap-x-4 gap-y-5">
        {active.slice(0, 8).map((share) => (
          <li key={share.ref} className="flex min-w-0 flex-col items-center text-center">
            <ShareRing size={84} holders={share.holders} threshold={share.t + 1} label={share.title} />
            <Link
              to="/data/$id"
              params={{ id: share.recordId }}
              className="mt-1 line-clamp-2 min-h-6 max-w-full rounded-sm text-sm font-medium break-words hover:underline"
            >
              {share.title}
            </Link>
            {share.column !== undefined && <p className="text-xs text-muted">{share.column}</p>}
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Running() {
  const t = useT()
  const { data } = jobs.use({})
  const active = data?.jobs.filter(isActive) ?? []
  if (active.length === 0) return null
  return (
    <Panel title={t('home.running')}>
      <div className="flex flex-col gap-3">
        {active.map((job) => (
          <JobProgress key={job.id} job={job} />
        ))}
      </div>
    </Panel>
  )
}

function Waiting() {
  const t = useT()
  const { data } = approvals.use({})
  const waiting = data?.approvals.filter((a) => a.state === 'waiting') ?? []
  if (waiting.length === 0) return null
  return (
    <Panel
      padded={false}
      title={t('home.waiting')}
      actions={<MoreLink to="/approvals">{t('home.waiting.all')}</MoreLink>}
    >
      <ul>
        {waiting.slice(0, 3).map((approval) => (
          <WaitingRow key={approval.id} approval={approval} />
        ))}
      </ul>
    </Panel>
  )
}

function WaitingRow({ approval }: { approval: Approval }) {
  const t = useT()
  const functionKey = `home.function.${approval.function}`
  return (
    <li className="border-b border-line last:border-b-0">
      <Link
        to="/approvals/$id"
        params={{ id: approval.id }}
        className="flex items-center gap-3 px-4 py-2.5 -outline-offset-2 hover:bg-hover"
      >
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm font-medium">
            {approval.requesterLabel ?? t('home.waiting.stranger')}
          </span>
          <span className="block text-xs text-muted">
            {t('home.waiting.what', {
              function: hasMessage(functionKey) ? t(functionKey) : approval.function,
              owners: approval.owners,
            })}{' '}
            · <Time at={approval.requestedAt} />
          </span>
        </span>
        <ArrowRight aria-hidden className="size-4 shrink-0 text-muted" />
      </Link>
    </li>
  )
}

function Recent() {
  const t = useT()
  const state = activity.use({ limit: 6 })
  return (
    <Panel title={t('home.recent')} actions={<MoreLink to="/activity">{t('home.recent.all')}</MoreLink>}>
      {state.data === undefined ? (
        state.error === undefined ? (
          <SkeletonLines lines={4} />
        ) : (
          <ErrorState compact error={state.error} onRetry={state.reload} />
        )
      ) : state.data.entries.length === 0 ? (
        <p className="text-sm text-muted">{t('home.recent.empty')}</p>
      ) : (
        <ul className="flex flex-col gap-2">
          {state.data.entries.map((entry) => (
            <li key={entry.seq} className="flex items-baseline gap-3 text-sm">
              <span className="min-w-0 flex-1">
                <ActivityLine entry={entry} />
              </span>
              <Time at={entry.at} className="shrink-0 text-xs text-muted" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
