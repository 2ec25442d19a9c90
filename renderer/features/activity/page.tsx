import { Download, ListX, ShieldAlert, ShieldCheck } from 'lucide-react'
import { useDeferredValue, useEffect, useMemo, useState } from 'react'
import type { Input } from '../../../core/ipc/index.ts'
import { type MessageKey, useT } from '../../app/i18n/index.ts'
import { formatDate, formatDateTime, formatNumber } from '../../app/lib/format.ts'
import { useAction } from '../../app/store/action.ts'
import { activity, exportActivity } from '../../app/store/activity.ts'
import { call } from '../../app/store/client.ts'
import { Button } from '../../app/ui/button.tsx'
import { Hash } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { SearchInput } from '../../app/ui/input.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Page } from '../../app/ui/page.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { Select } from '../../app/ui/select.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { EmptyState, ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { type ActivityEntry, ActivityLine } from './line.tsx'

const GROUPS = ['all', 'vault', 'record', 'share', 'compute', 'identity', 'predicate', 'node'] as const
type Group = (typeof GROUPS)[number]
const PAGE = 200

/** Everything that happened to the vault, each entry bound to the one before it by its hash. */
export default function ActivityPage() {
  const t = useT()
  const [group, setGroup] = useState<Group>('all')
  const [text, setText] = useState('')
  const [limit, setLimit] = useState(PAGE)
  const query = useDeferredValue(text.trim())
  const input = useMemo<Input<'activity.list'>>(
    () => ({
      limit: Math.min(limit, 1000),
      ...(group === 'all' ? {} : { kinds: [`${group}.`] }),
      ...(query === '' ? {} : { query }),
    }),
    [group, query, limit],
  )
  const state = activity.use(input)
  const [checked, setChecked] = useState<Awaited<ReturnType<typeof verifyLog>>>()
  const verify = useAction(async () => setChecked(await verifyLog()))
  const [saved, setSaved] = useState<{ path: string; entries: number }>()
  const save = useAction(async () => setSaved(await exportActivity()))
  const entries = state.data?.entries
  const total = state.data?.total ?? 0

  // A check says something about the log as it was; new entries make it old.
  // biome-ignore lint/correctness/useExhaustiveDependencies: on new entries only
  useEffect(() => setChecked(undefined), [entries?.[0]?.seq])

  return (
    <Page
      title={t('shell.nav.activity')}
      description={t('activity.description')}
      actions={
        <>
          <Button
            icon={<ShieldCheck aria-hidden />}
            loading={verify.pending}
            onClick={() => void verify.run()}
          >
            {t('activity.verify')}
          </Button>
          <Button icon={<Download aria-hidden />} loading={save.pending} onClick={() => void save.run()}>
            {t('activity.export')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <div className="flex flex-wrap gap-2">
          <SearchInput
            className="w-72 max-w-full"
            label={t('activity.search')}
            value={text}
            onValueChange={setText}
          />
          <Select<Group>
            className="w-48"
            label={t('activity.group')}
            value={group}
            onValueChange={setGroup}
            options={GROUPS.map((value) => ({
              value,
              label: t(`activity.group.${value}` satisfies MessageKey),
            }))}
          />
        </div>
        {save.pending && <HostConfirmation kind="export" />}
        {saved !== undefined && !save.pending && (
          <Callout tone="success">
            {t('activity.exported', { path: saved.path, count: saved.entries })}
          </Callout>
        )}
        {save.error !== undefined && <ErrorState error={save.error} />}
        {verify.error !== undefined && <ErrorState error={verify.error} />}
        {checked !== undefined &&
          (checked.valid ? (
            <Callout tone="success" title={t('activity.valid', { count: checked.entries })}>
              <Details>
                <KeyValue rows={[[t('activity.head'), <Hash key="h" value={checked.head} full />]]} />
              </Details>
            </Callout>
          ) : (
            <Callout tone="danger" title={t('activity.invalid')}>
              {t('activity.invalid.text')}
              {checked.problem !== undefined && (
                <span className="block font-mono text-xs">{checked.problem}</span>
              )}
            </Callout>
          ))}
        {state.error !== undefined && entries === undefined && (
          <ErrorState error={state.error} onRetry={state.reload} />
        )}
        {entries === undefined && state.loading && <SkeletonLines lines={8} />}
        {entries?.length === 0 && (
          <EmptyState
            icon={<ListX />}
            title={t(query === '' && group === 'all' ? 'activity.empty' : 'activity.nothing')}
          />
        )}
        {entries !== undefined && entries.length > 0 && (
          <>
            <p role="status" className="text-xs text-muted">
              {t('activity.count', { shown: formatNumber(entries.length), total: formatNumber(total) })}
            </p>
            <Days entries={entries} />
            {entries.length < total && limit < 1000 && (
              <Button className="self-center" loading={state.loading} onClick={() => setLimit(limit + PAGE)}>
                {t('activity.more')}
              </Button>
            )}
          </>
        )}
      </div>
    </Page>
  )
}

const verifyLog = () => call('activity.verify', {})

function Days({ entries }: { entries: readonly ActivityEntry[] }) {
  const days = new Map<string, ActivityEntry[]>()
  for (const entry of entries) {
    const day = new Date(entry.at).toDateString()
    days.set(day, [...(days.get(day) ?? []), entry])
  }
  return (
    <div className="flex flex-col gap-5">
      {[...days.entries()].map(([day, list]) => (
        <div key={day}>
          <h2 className="mb-1 text-xs font-medium text-muted">{formatDate(list[0]!.at)}</h2>
          <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
            {list.map((entry) => (
              <Entry key={entry.seq} entry={entry} />
            ))}
          </ul>
        </div>
      ))}
    </div>
  )
}

function Entry({ entry }: { entry: ActivityEntry }) {
  const t = useT()
  const suspicious = entry.kind === 'log.damaged' || Number(entry.facts.failedAttempts ?? 0) > 0
  return (
    <li className="px-3 py-1.5">
      <div className="flex items-baseline gap-3 text-sm">
        <span className="w-10 shrink-0 text-end text-xs text-muted">{entry.seq}</span>
        <span className="min-w-0 flex-1">
          {suspicious && <ShieldAlert aria-hidden className="me-1.5 inline size-4 text-warning" />}
          <ActivityLine entry={entry} />
        </span>
        <Time at={entry.at} className="shrink-0 text-xs text-muted" />
      </div>
      <Details className="ms-13" label={t('activity.details')}>
        <KeyValue
          className="pb-1 text-xs"
          rows={[
            [
              t('activity.kind'),
              <code key="k" className="font-mono">
                {entry.kind}
              </code>,
            ],
            [t('activity.at'), formatDateTime(entry.at)],
            ...Object.entries(entry.facts).map(
              ([name, value]) => [name, <FactValue key={name} value={value} />] as const,
            ),
            [t('activity.hash'), <Hash key="h" value={entry.hash} />],
          ]}
        />
      </Details>
    </li>
  )
}

function FactValue({ value }: { value: string }) {
  return /^0x[0-9a-f]{20,}$/.test(value) ? <Hash value={value} /> : <span className="break-all">{value}</span>
}
