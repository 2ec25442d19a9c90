import { useNavigate } from '@tanstack/react-router'
import { KeyRound } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { useSelection } from '../../app/store/selection.ts'
import { access } from '../../app/store/sharing.ts'
import { Button } from '../../app/ui/button.tsx'
import { Switch } from '../../app/ui/checkbox.tsx'
import { Page, Panes } from '../../app/ui/page.tsx'
import { Select } from '../../app/ui/select.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { EmptyState, ErrorState } from '../../app/ui/states.tsx'
import { type Names, useNames } from '../identities/names.ts'
import { ListItem } from '../share/list-item.tsx'
import { GrantDetail } from './grant.tsx'
import { type By, type GrantGroup, groupGrants } from './groups.ts'
import { GrantState } from './state.tsx'

export default function AccessPage() {
  const t = useT()
  const names = useNames()
  const navigate = useNavigate()
  const { data, error, reload } = access.use({})
  const [selected, select] = useSelection('access')
  const [by, setBy] = useState<By>('data')
  const [ended, setEnded] = useState(false)
  const grants = useMemo(
    () => data?.grants.filter((g) => ended || g.state === 'active' || g.ref === selected) ?? [],
    [data, ended, selected],
  )
  const groups = useMemo(() => groupGrants(grants, by), [grants, by])
  const current = data?.grants.find((g) => g.ref === selected)
  const endedCount = data?.grants.filter((g) => g.state !== 'active').length ?? 0
  const empty = (
    <EmptyState
      icon={<KeyRound />}
      title={t('access.empty.title')}
      actions={
        <Button variant="primary" onClick={() => void navigate({ to: '/data' })}>
          {t('access.empty.action')}
        </Button>
      }
    >
      {t('access.empty.text')}
    </EmptyState>
  )
  return (
    <Page title={t('access.title')} description={t('access.lead')} width="full">
      {data !== undefined && data.grants.length === 0 ? (
        empty
      ) : (
        <Panes
          listLabel={t('access.title')}
          detailLabel={current?.title ?? t('access.select')}
          detailOpen={current !== undefined}
          list={
            <>
              <div className="flex flex-col gap-2 border-b border-line p-3">
                <Select
                  label={t('access.by.label')}
                  value={by}
                  onValueChange={setBy}
                  options={(['data', 'person', 'purpose'] as const).map((value) => ({
                    value,
                    label: t(`access.by.${value}`),
                  }))}
                />
                {endedCount > 0 && (
                  <Switch label={t('access.showEnded')} checked={ended} onCheckedChange={setEnded} />
                )}
              </div>
              {error !== undefined && data === undefined ? (
                <ErrorState error={error} onRetry={reload} className="m-3" />
              ) : data === undefined ? (
                <SkeletonLines className="p-4" />
              ) : groups.length === 0 ? (
                <EmptyState title={t('access.empty.title')} />
              ) : (
                <div className="min-h-0 flex-1 overflow-y-auto p-2">
                  {groups.map((group) => (
                    <GroupList
                      key={group.key}
                      group={group}
                      by={by}
                      names={names}
                      selected={selected}
                      onSelect={select}
                    />
                  ))}
                </div>
              )}
            </>
          }
          detail={
            current === undefined ? (
              <EmptyState icon={<KeyRound />} title={t('access.select')} />
            ) : (
              <GrantDetail grant={current} names={names} onBack={() => select(undefined)} />
            )
          }
        />
      )}
    </Page>
  )
}

function GroupList({
  group,
  by,
  names,
  selected,
  onSelect,
}: {
  group: GrantGroup
  by: By
  names: Names
  selected: string | undefined
  onSelect: (ref: string) => void
}) {
  const t = useT()
  const heading =
    by === 'data'
      ? undefined
      : group.key === ''
        ? t(by === 'person' ? 'access.anyone' : 'access.anyPurpose')
        : by === 'person'
          ? names.name(group.key)
          : names.functionName(group.key)
  return (
    <section {...(heading === undefined ? {} : { 'aria-label': heading })}>
      {heading !== undefined && (
        <h2 className="flex items-baseline justify-between gap-2 px-3 pt-3 pb-1 text-xs font-medium text-muted">
          <span className="truncate">{heading}</span>
          <span className="shrink-0 font-normal">{t('access.grants', { count: group.grants.length })}</span>
        </h2>
      )}
      <ul>
        {group.grants.map((grant) => (
          <li key={grant.ref}>
            <ListItem
              current={grant.ref === selected}
              onSelect={() => onSelect(grant.ref)}
              title={grant.title}
              badge={grant.state === 'active' ? undefined : <GrantState state={grant.state} />}
            >
              <span className="truncate">
                {grant.accounts.length === 0
                  ? t('access.anyone')
                  : grant.accounts.map((a) => names.name(a)).join(', ')}
              </span>
              <span className="truncate">
                {grant.functions.length === 0
                  ? t('access.anyPurpose')
                  : grant.functions.map((f) => names.functionName(f)).join(', ')}
              </span>
            </ListItem>
          </li>
        ))}
      </ul>
    </section>
  )
}
