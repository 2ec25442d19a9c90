import { Clock, Link2, Plus, User, Users } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Identity } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { useSelection } from '../../app/store/selection.ts'
import { identities, shares } from '../../app/store/sharing.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button } from '../../app/ui/button.tsx'
import { CopyText, Hash } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { Page, Panes } from '../../app/ui/page.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { ShareRing } from '../../app/ui/share-ring.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { Table, type TableColumn } from '../../app/ui/table.tsx'
import { Time } from '../../app/ui/time.tsx'
import { Detail } from '../share/detail.tsx'
import { ListItem } from '../share/list-item.tsx'
import { IdentityDiagram } from './diagram.tsx'
import { Invitations } from './invitations.tsx'
import { type Names, useNames } from './names.ts'
import { NewIdentityDialog, OwnKey } from './new-identity.tsx'

export default function IdentitiesPage() {
  const t = useT()
  const names = useNames()
  const { data, error, reload } = identities.use({})
  const [selected, select] = useSelection('identities')
  const [creating, setCreating] = useState(false)
  const all = data?.identities ?? []
  const current = all.find((i) => i.address === selected)
  return (
    <Page
      title={t('identities.title')}
      description={t('identities.lead')}
      width="full"
      actions={
        <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setCreating(true)}>
          {t('identities.new')}
        </Button>
      }
    >
      <Panes
        listLabel={t('identities.list')}
        detailLabel={current === undefined ? t('identities.about') : nameOf(current, names)}
        detailOpen={current !== undefined || (data !== undefined && all.length === 0)}
        list={
          error !== undefined && data === undefined ? (
            <ErrorState error={error} onRetry={reload} className="m-3" />
          ) : data === undefined ? (
            <SkeletonLines className="p-4" />
          ) : (
            <ul className="min-h-0 flex-1 overflow-y-auto p-2">
              {all.map((identity) => (
                <li key={identity.address}>
                  <ListItem
                    current={identity.address === selected}
                    onSelect={() => select(identity.address)}
                    start={
                      identity.kind === 'shared' ? (
                        <Users aria-hidden className="size-4 shrink-0 text-muted" />
                      ) : (
                        <User aria-hidden className="size-4 shrink-0 text-muted" />
                      )
                    }
                    title={nameOf(identity, names)}
                    badge={identity.state === 'pending' ? <State identity={identity} /> : undefined}
                  >
                    <span className="truncate">
                      {t(`identities.kind.${identity.kind}`)}
                      {identity.kind === 'shared' &&
                        ` · ${t('identities.members', { count: identity.members.length })}`}
                    </span>
                  </ListItem>
                </li>
              ))}
            </ul>
          )
        }
        detail={
          current !== undefined ? (
            <IdentityDetail identity={current} names={names} onBack={() => select(undefined)} />
          ) : (
            <div className="mx-auto flex max-w-2xl flex-col gap-6 p-6 max-md:p-4">
              <Invitations names={names} />
              <IdentityDiagram />
              <div className="text-center">
                <h2 className="font-medium">
                  {all.length === 0 ? t('identities.empty.title') : t('identities.select')}
                </h2>
                <p className="mx-auto mt-1 max-w-md text-sm text-muted">{t('identities.empty.text')}</p>
              </div>
              <OwnKey />
            </div>
          )
        }
      />
      <NewIdentityDialog
        open={creating}
        onOpenChange={setCreating}
        onCreated={(address) => address !== undefined && select(address)}
      />
    </Page>
  )
}

function nameOf(identity: Identity, names: Names): string {
  return identity.label === '' ? names.name(identity.address) : identity.label
}

function State({ identity }: { identity: Identity }) {
  const t = useT()
  return identity.state === 'active' ? (
    <Badge tone="success" icon={<Link2 aria-hidden />}>
      {t('identities.state.active')}
    </Badge>
  ) : (
    <Badge tone="warning" icon={<Clock aria-hidden />}>
      {t('identities.state.pending')}
    </Badge>
  )
}

type Member = Identity['members'][number]
const memberKey = (member: Member) => member.account

function IdentityDetail({
  identity,
  names,
  onBack,
}: {
  identity: Identity
  names: Names
  onBack: () => void
}) {
  const t = useT()
  const { data } = shares.use({})
  const under = data?.shares.filter((s) => s.identity === identity.address && s.state === 'active') ?? []
  const columns = useMemo<TableColumn<Member>[]>(
    () => [
      {
        id: 'name',
        header: t('identities.name'),
        sort: (m) => names.name(m.account),
        cell: (m) => <span className="font-medium">{names.name(m.account)}</span>,
      },
      {
        id: 'role',
        header: t('identities.role'),
        sort: (m) => m.role,
        cell: (m) => (
          <>
            {t(`identities.role.${m.role}`)}
            <span className="block text-xs text-muted">{t(`identities.role.${m.role}.text`)}</span>
          </>
        ),
      },
      {
        id: 'key',
        header: t('identities.publicKey'),
        cell: (m) => (m.publicKey === undefined ? <Hash value={m.account} /> : <Hash value={m.publicKey} />),
      },
    ],
    [t, names],
  )
  return (
    <Detail
      title={nameOf(identity, names)}
      backLabel={t('identities.back')}
      onBack={onBack}
      facts={
        <>
          <State identity={identity} />
          <span>{t(`identities.kind.${identity.kind}`)}</span>
          {identity.createdAt > 0 && <Time at={identity.createdAt} />}
        </>
      }
    >
      <section>
        <h3 className="mb-2 text-sm font-semibold">{t('identities.members.title')}</h3>
        <Table
          label={t('identities.members.title')}
          columns={columns}
          rows={identity.members}
          rowKey={memberKey}
        />
      </section>
      <Panel title={t('identities.shares.title')} level={3}>
        {under.length === 0 ? (
          <p className="text-sm text-muted">{t('identities.shares.none')}</p>
        ) : (
          <ul className="flex flex-col gap-2">
            {under.map((share) => (
              <li key={share.ref} className="flex items-center gap-3 text-sm">
                <ShareRing holders={share.holders} threshold={share.t + 1} size={28} />
                <span className="min-w-0 truncate">
                  {share.title}
                  {share.column !== undefined && <span className="text-muted"> · {share.column}</span>}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Details>
        <p className="text-xs text-muted">{t('identities.address')}</p>
        <CopyText text={identity.address} />
      </Details>
    </Detail>
  )
}
