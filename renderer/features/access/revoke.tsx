import { useT } from '../../app/i18n/index.ts'
import { sharing } from '../../app/store/sharing.ts'
import { useStarted } from '../../app/store/use-started.ts'
import { Button } from '../../app/ui/button.tsx'
import { Dialog } from '../../app/ui/dialog.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { JobProgress } from '../share/job-progress.tsx'

/** Withdraws one grant, after saying what that does and what it does not. */
export function RevokeDialog({
  reference,
  title,
  open,
  onOpenChange,
}: {
  reference: string
  title: string
  open: boolean
  onOpenChange: (open: boolean) => void
}) {
  const t = useT()
  const revoke = useStarted(() => sharing.revoke(reference))
  const started = revoke.jobId !== undefined
  const done = revoke.job?.state === 'done'
  const close = (next: boolean) => {
    if (!next) revoke.reset()
    onOpenChange(next)
  }
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      dismissible={!revoke.pending}
      title={t('access.revoke.title', { title })}
      footer={
        started ? (
          <Button variant={done ? 'primary' : 'secondary'} onClick={() => close(false)}>
            {t('access.close')}
          </Button>
        ) : (
          <>
            <Button onClick={() => close(false)}>{t('access.cancel')}</Button>
            <Button variant="danger" loading={revoke.pending} onClick={() => void revoke.run()}>
              {t(revoke.pending ? 'access.revoke.running' : 'access.revoke.confirm')}
            </Button>
          </>
        )
      }
    >
      {started ? (
        <div className="flex flex-col gap-4">
          <JobProgress
            job={revoke.job}
            label={t('access.revoke.running')}
            cancellable={false}
            onRetry={revoke.reset}
          />
          {done && <Callout tone="success" title={t('access.revoke.done')} />}
        </div>
      ) : (
        <div className="flex flex-col gap-3">
          <Callout tone="warning" title={t('access.revoke.effect')}>
            {t('access.revoke.undo')}
          </Callout>
          <p className="text-sm text-muted">{t('access.revoke.shares')}</p>
          {revoke.pending && <HostConfirmation kind="revoke" />}
          {revoke.error !== undefined && <ErrorState error={revoke.error} />}
        </div>
      )}
    </Dialog>
  )
}
