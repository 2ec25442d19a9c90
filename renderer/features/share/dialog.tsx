import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Predicate } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { record } from '../../app/store/data.ts'
import { isActive } from '../../app/store/jobs.ts'
import { sharePlan, sharing } from '../../app/store/sharing.ts'
import { useLast } from '../../app/store/use-settled.ts'
import { useStarted } from '../../app/store/use-started.ts'
import { Button } from '../../app/ui/button.tsx'
import { Dialog } from '../../app/ui/dialog.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { EmptyState, ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { type ShareChoice, ShareForm } from './form.tsx'
import { JobProgress } from './job-progress.tsx'

/** Split and store one record's numbers: what, under which rule, with how many holders; then its progress. */
export function ShareDialog({
  recordId,
  open,
  onOpenChange,
}: {
  recordId: string
  open: boolean
  onOpenChange: (open: boolean) => void
}) {
  const t = useT()
  const navigate = useNavigate()
  const source = record.use(open ? { id: recordId } : undefined)
  const [choice, setChoice] = useState<ShareChoice>({ column: undefined, n: 5, t: 2 })
  const [rule, setRule] = useState<{ predicate?: Predicate; predicateId?: string; identity?: string }>()
  const plan = sharePlan.use(
    open
      ? {
          recordId,
          n: choice.n,
          t: choice.t,
          ...(choice.column === undefined ? {} : { column: choice.column }),
        }
      : undefined,
  )
  const planned = useLast(plan.data)
  const start = useStarted(sharing.share)
  const title = source.data?.record.title ?? ''
  const started = start.jobId !== undefined
  const job = start.job
  const column = choice.column ?? planned?.columns[0]
  const close = (next: boolean) => {
    if (!next && (job === undefined || !isActive(job))) start.reset()
    onOpenChange(next)
  }
  const nothing = planned !== undefined && planned.length === 0
  const fatal = source.error ?? (planned === undefined ? plan.error : undefined)
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      size={started ? 'md' : 'xl'}
      dismissible={false}
      title={t(started ? 'share.progress.title' : 'share.title', { title })}
      {...(started ? {} : { description: t('share.lead') })}
      footer={
        started ? (
          <>
            {job?.state === 'done' && (
              <Button
                onClick={() => {
                  close(false)
                  void navigate({ to: '/access' })
                }}
              >
                {t('share.done.access')}
              </Button>
            )}
            <Button variant={job?.state === 'done' ? 'primary' : 'secondary'} onClick={() => close(false)}>
              {t(job === undefined || isActive(job) ? 'share.back' : 'share.close')}
            </Button>
          </>
        ) : (
          <>
            <Button onClick={() => close(false)}>{t('share.cancel')}</Button>
            <Button
              variant="primary"
              loading={start.pending}
              disabled={rule === undefined || planned === undefined || nothing || plan.error !== undefined}
              onClick={() =>
                rule !== undefined &&
                void start.run({
                  recordId,
                  ...rule,
                  n: choice.n,
                  t: choice.t,
                  ...(column === undefined ? {} : { column }),
                })
              }
            >
              {t(start.pending ? 'share.starting' : 'share.start')}
            </Button>
          </>
        )
      }
    >
      {started ? (
        <div className="flex flex-col gap-4">
          <JobProgress
            job={job}
            label={t('share.progress.title', { title })}
            onRetry={start.reset}
            note={
              job !== undefined && isActive(job) ? (
                <p className="text-sm text-muted">{t('share.progress.text')}</p>
              ) : null
            }
          />
          {job?.state === 'done' && (
            <Callout tone="success" title={t('share.done.title')}>
              {t('share.done.text', { n: choice.n })}
            </Callout>
          )}
          {(job?.state === 'failed' || job?.state === 'cancelled') && (
            <Callout title={t(job.state === 'failed' ? 'share.failed.title' : 'share.cancelled.title')}>
              {t('share.failed.text')}
            </Callout>
          )}
        </div>
      ) : fatal !== undefined ? (
        <ErrorState error={fatal} onRetry={source.error === undefined ? plan.reload : source.reload} />
      ) : planned === undefined || source.data === undefined ? (
        <SkeletonLines lines={6} />
      ) : nothing ? (
        <EmptyState title={t('share.column.none')} />
      ) : (
        <div className="flex flex-col gap-4">
          {start.pending && <HostConfirmation kind="share" />}
          {start.error !== undefined && <ErrorState error={start.error} />}
          {plan.error !== undefined && <ErrorState error={plan.error} onRetry={plan.reload} compact />}
          <ShareForm plan={planned} choice={{ ...choice, column }} onChoice={setChoice} onRule={setRule} />
        </div>
      )}
    </Dialog>
  )
}
