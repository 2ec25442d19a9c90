import type { ReactNode } from 'react'
import { EnigmaError, type Job } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { cancelJob, isActive } from '../../app/store/jobs.ts'
import { Button } from '../../app/ui/button.tsx'
import { Progress } from '../../app/ui/progress.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { StepList } from '../../app/ui/step-list.tsx'
import { PHASES, stepOf } from './phases.ts'

/** The words for a job's phase; some kinds of work have words of their own. */
function usePhaseText(kind: Job['kind'] | undefined): (phase: string) => string {
  const t = useT()
  return (phase) => {
    const own = `share.phase.${kind}.${phase}`
    const common = `share.phase.${phase}`
    return hasMessage(own) ? t(own) : hasMessage(common) ? t(common) : t('share.phase.other')
  }
}

/** A job's steps and bar, live; its error when it failed. `job` undefined: it was only just started. */
export function JobProgress({
  job,
  label,
  onRetry,
  cancellable = true,
  note,
}: {
  job: Job | undefined
  label: string
  onRetry?: () => void
  cancellable?: boolean
  note?: ReactNode
}) {
  const t = useT()
  const phaseText = usePhaseText(job?.kind)
  const cancel = useAction(cancelJob)
  if (job === undefined) return <SkeletonLines lines={3} />
  const at = stepOf(job)
  const stopped = job.state === 'failed' || job.state === 'cancelled'
  return (
    <div className="flex flex-col gap-4">
      <Progress
        value={job.progress}
        label={label}
        tone={job.state === 'done' ? 'success' : job.state === 'failed' ? 'danger' : 'accent'}
      />
      <StepList
        label={label}
        steps={PHASES[job.kind].map((phase, i) => ({
          label: phaseText(phase),
          state: i < at ? 'done' : i > at ? 'todo' : stopped ? 'failed' : 'running',
        }))}
      />
      {job.state === 'waiting' && job.phase === 'unlock' && (
        <p className="text-sm text-muted">{phaseText('unlock')}</p>
      )}
      {note}
      {job.error !== undefined && <ErrorState error={EnigmaError.fromObject(job.error)} onRetry={onRetry} />}
      {cancel.error !== undefined && <ErrorState error={cancel.error} compact />}
      {cancellable && isActive(job) && (
        <div>
          <Button size="sm" loading={cancel.pending} onClick={() => void cancel.run(job.id)}>
            {t('share.cancel')}
          </Button>
        </div>
      )}
    </div>
  )
}
