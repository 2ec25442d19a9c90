import { ArrowLeft, MoreHorizontal, Pencil, RotateCcw, Share2, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { data, record as recordQuery } from '../../app/store/data.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button, IconButton } from '../../app/ui/button.tsx'
import { Details } from '../../app/ui/details.tsx'
import { AlertDialog } from '../../app/ui/dialog.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Menu } from '../../app/ui/menu.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { toast } from '../../app/ui/toast.tsx'
import { ShareDialog } from '../share/dialog.tsx'
import { EditDialog } from './edit-dialog.tsx'
import { History } from './history.tsx'
import { Sharing } from './sharing.tsx'
import { canShare, typeIcons } from './types.ts'
import { ValueView } from './value-view.tsx'

/** One item: its value, who may use it, its earlier versions. */
export function RecordDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useT()
  const state = recordQuery.use({ id })
  const [sharing, setSharing] = useState(false)
  const [editing, setEditing] = useState(false)
  const [purging, setPurging] = useState(false)
  const act = useAction((work: () => Promise<unknown>) => work().then(() => true))
  const found = state.data

  if (found === undefined)
    return (
      <div className="p-6">
        {state.error === undefined ? (
          <SkeletonLines lines={6} />
        ) : (
          <>
            <BackButton onClose={onClose} />
            <ErrorState error={state.error} onRetry={state.reload} />
          </>
        )}
      </div>
    )

  const { record, value, history, shares } = found
  const Icon = typeIcons[record.type]
  const removed = record.removedAt !== undefined
  const activeShares = shares.filter((share) => share.state === 'active').length

  const undelete = () => act.run(() => data.undelete(id))
  const remove = async () => {
    if ((await act.run(() => data.remove(id))) === undefined) return
    onClose()
    toast({
      title: t('data.removed', { title: record.title }),
      action: { label: t('data.undo'), onClick: () => void data.undelete(id).catch(() => undefined) },
    })
  }
  const purge = async () => {
    if ((await act.run(() => data.remove(id, true))) === undefined) return
    setPurging(false)
    onClose()
    toast({ title: t('data.purged', { title: record.title }) })
  }

  return (
    <article className="mx-auto flex max-w-4xl flex-col gap-6 px-6 py-5 max-md:px-4">
      <header>
        <BackButton onClose={onClose} />
        <div className="flex flex-wrap items-start gap-x-4 gap-y-3">
          <div className="min-w-0 flex-1 basis-64">
            <p className="flex items-center gap-1.5 text-xs text-muted">
              <Icon aria-hidden className="size-3.5" />
              {t(`data.type.${record.type}`)}
              <span aria-hidden>·</span>
              <span>
                {t('data.changed')} <Time at={record.updatedAt} />
              </span>
            </p>
            <h2 className="mt-0.5 text-xl font-semibold break-words">{record.title}</h2>
            {record.tags.length > 0 && (
              <ul aria-label={t('data.tags')} className="mt-2 flex flex-wrap gap-1.5">
                {record.tags.map((tag) => (
                  <li key={tag}>
                    <Badge>{tag}</Badge>
                  </li>
                ))}
              </ul>
            )}
          </div>
          {!removed && (
            <div className="flex items-center gap-2">
              {canShare(record.type) && (
                <Button variant="primary" icon={<Share2 aria-hidden />} onClick={() => setSharing(true)}>
                  {t('data.share')}
                </Button>
              )}
              <Button icon={<Pencil aria-hidden />} onClick={() => setEditing(true)}>
                {t('data.edit')}
              </Button>
              <Menu
                trigger={
                  <IconButton label={t('data.more')}>
                    <MoreHorizontal aria-hidden />
                  </IconButton>
                }
                items={[
                  {
                    label: t('data.remove'),
                    icon: <Trash2 aria-hidden />,
                    danger: true,
                    onSelect: () => void remove(),
                  },
                ]}
              />
            </div>
          )}
        </div>
      </header>

      {removed && (
        <Callout
          tone="warning"
          title={t('data.inTrash')}
          actions={
            <>
              <Button
                size="sm"
                icon={<RotateCcw aria-hidden />}
                loading={act.pending}
                onClick={() => void undelete()}
              >
                {t('data.undelete')}
              </Button>
              <Button size="sm" variant="danger-quiet" onClick={() => setPurging(true)}>
                {t('data.purge')}
              </Button>
            </>
          }
        >
          {t('data.inTrash.text')}
        </Callout>
      )}
      {act.error !== undefined && <ErrorState error={act.error} />}

      <div>
        <h3 className="mb-2 text-sm font-semibold">{t('data.value')}</h3>
        <ValueView id={id} value={value} />
      </div>

      {canShare(record.type) && (
        <div>
          <h3 className="mb-2 text-sm font-semibold">{t('data.sharing')}</h3>
          <Sharing shares={shares} onShare={removed ? undefined : () => setSharing(true)} />
        </div>
      )}

      <div>
        <h3 className="mb-2 text-sm font-semibold">{t('data.history')}</h3>
        <History id={id} versions={history} readOnly={removed} sharesActive={activeShares} />
      </div>

      <Details>
        <KeyValue
          rows={[
            [
              t('data.recordId'),
              <code key="id" className="font-mono text-xs break-all">
                {record.id}
              </code>,
            ],
            [t('data.created'), <Time key="created" at={record.createdAt} absolute />],
            [t('data.updated'), <Time key="updated" at={record.updatedAt} absolute />],
          ]}
        />
      </Details>

      {sharing && <ShareDialog recordId={id} open={sharing} onOpenChange={setSharing} />}
      {editing && (
        <EditDialog
          record={record}
          value={value}
          sharesActive={activeShares}
          onClose={() => setEditing(false)}
        />
      )}
      <AlertDialog
        open={purging}
        onOpenChange={setPurging}
        title={t('data.purge.title')}
        confirmLabel={t('data.purge')}
        onConfirm={() => void purge()}
        loading={act.pending}
        typed={t('data.purge.word')}
      >
        {t('data.purge.text', { title: record.title })}
      </AlertDialog>
    </article>
  )
}

function BackButton({ onClose }: { onClose: () => void }) {
  const t = useT()
  return (
    <Button
      variant="ghost"
      size="sm"
      icon={<ArrowLeft aria-hidden />}
      className="mb-2 -ms-2 hidden max-[56.25rem]:inline-flex"
      onClick={onClose}
    >
      {t('data.back')}
    </Button>
  )
}
