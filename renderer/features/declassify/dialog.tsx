import { useState } from 'react'
import type { ShareInfo } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { revealed, sharing } from '../../app/store/sharing.ts'
import { useStarted } from '../../app/store/use-started.ts'
import { Button } from '../../app/ui/button.tsx'
import { Dialog } from '../../app/ui/dialog.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input } from '../../app/ui/input.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { ShareRingFigure } from '../../app/ui/share-ring.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { JobProgress } from '../share/job-progress.tsx'
import { Revealed } from './revealed.tsx'

/** Puts a share back together for its owner, after typed words here and a confirmation by the host. */
export function DeclassifyDialog({
  share,
  open,
  onOpenChange,
}: {
  share: ShareInfo
  open: boolean
  onOpenChange: (open: boolean) => void
}) {
  const t = useT()
  const [typed, setTyped] = useState('')
  const start = useStarted(() => sharing.declassify(share.ref))
  const job = start.job
  const done = job?.state === 'done'
  const result = revealed.use(open && done && start.jobId !== undefined ? { jobId: start.jobId } : undefined)
  const word = t('declassify.word')
  const confirmed = typed.trim().toLowerCase() === word.toLowerCase()
  const healthy = share.holders.filter((h) => h.healthy).length
  const started = start.jobId !== undefined
  const close = (next: boolean) => {
    if (!next) {
      setTyped('')
      start.reset()
    }
    onOpenChange(next)
  }
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      dismissible={!started}
      title={t('declassify.title', { title: share.title })}
      description={t('declassify.lead')}
      footer={
        started ? (
          <Button variant={done ? 'primary' : 'secondary'} onClick={() => close(false)}>
            {t('declassify.close')}
          </Button>
        ) : (
          <>
            <Button onClick={() => close(false)}>{t('declassify.cancel')}</Button>
            <Button
              type="submit"
              form="declassify-form"
              variant="danger"
              disabled={!confirmed}
              loading={start.pending}
            >
              {t(start.pending ? 'declassify.starting' : 'declassify.start')}
            </Button>
          </>
        )
      }
    >
      {!started ? (
        <form
          id="declassify-form"
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            if (confirmed && !start.pending) void start.run()
          }}
        >
          <ShareRingFigure
            holders={share.holders}
            threshold={share.t + 1}
            revoked={share.state === 'revoked'}
          />
          <KeyValue
            rows={[
              [
                t('declassify.what'),
                share.column === undefined
                  ? t('declassify.what.value', { count: share.length })
                  : `${share.column} · ${t('declassify.what.value', { count: share.length })}`,
              ],
              [t('declassify.who'), t('declassify.who.value')],
              [t('declassify.how'), t('declassify.how.value', { needed: share.t + 1, n: share.n })],
            ]}
          />
          <p className="text-sm text-muted">{t('declassify.effect')}</p>
          {healthy < share.t + 1 && (
            <Callout tone="warning">
              {t('declassify.few', { healthy, n: share.n, needed: share.t + 1 })}
            </Callout>
          )}
          <Field label={t('declassify.type', { word })}>
            <Input
              value={typed}
              autoComplete="off"
              spellCheck={false}
              className="max-w-60"
              onChange={(event) => setTyped(event.target.value)}
            />
          </Field>
          {start.pending && <HostConfirmation kind="declassify" />}
          {start.error !== undefined && <ErrorState error={start.error} />}
        </form>
      ) : done ? (
        result.error !== undefined ? (
          <ErrorState error={result.error} onRetry={result.reload} />
        ) : result.data === undefined ? (
          <SkeletonLines lines={3} />
        ) : (
          <Revealed values={result.data.values} badHolders={result.data.badHolders} share={share} />
        )
      ) : (
        <JobProgress job={job} label={t('declassify.progress.title')} onRetry={start.reset} />
      )}
    </Dialog>
  )
}
