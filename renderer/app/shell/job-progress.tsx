import { Ban, CircleCheck, CircleX, Hourglass, LoaderCircle, X } from 'lucide-react'
import type { Job } from '../../../core/ipc/index.ts'
import { hasMessage, type Translate, useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { cancelJob, isActive } from '../store/jobs.ts'
import { IconButton } from '../ui/button.tsx'
import { Progress } from '../ui/progress.tsx'
import { ErrorState, useErrorText } from '../ui/states.tsx'

/** "Splitting into shares": what a job does now. */
export function phaseText(t: Translate, job: Pick<Job, 'kind' | 'phase' | 'state'>): string {
  if (job.state !== 'running') return t(`shell.job.state.${job.state}`)
  const own = `shell.job.phase.${job.kind}.${job.phase}`
  const common = `shell.job.phase.${job.phase}`
  return hasMessage(own) ? t(own) : hasMessage(common) ? t(common) : t('shell.job.state.running')
}

export function jobTitle(t: Translate, job: Pick<Job, 'kind' | 'title'>): string {
  return job.title === ''
    ? t(`shell.job.kind.${job.kind}`)
    : t('shell.job.titled', { kind: t(`shell.job.kind.${job.kind}`), title: job.title })
}

const icons = {
  running: LoaderCircle,
  waiting: Hourglass,
  done: CircleCheck,
  failed: CircleX,
  cancelled: Ban,
}
const iconTones: Record<Job['state'], string> = {
  running: 'text-accent-text animate-spin',
  waiting: 'text-warning',
  done: 'text-success',
  failed: 'text-danger',
  cancelled: 'text-muted',
}

/** One long task: what it is, where it stands, a way to cancel it; its error when it failed. */
export function JobProgress({
  job,
  showError = false,
  className,
}: {
  job: Job
  /** The whole error with its remedy instead of one line. */
  showError?: boolean
  className?: string
}) {
  const t = useT()
  const errorText = useErrorText()
  const active = isActive(job)
  const Icon = icons[job.state]
  return (
    <div className={cn('flex min-w-0 items-start gap-2.5', className)}>
      <Icon aria-hidden className={cn('mt-0.5 size-4 shrink-0', iconTones[job.state])} />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{jobTitle(t, job)}</p>
        {active ? (
          <Progress label={phaseText(t, job)} value={job.progress} className="mt-0.5" />
        ) : job.error !== undefined && showError ? (
          <ErrorState error={job.error} className="mt-1" />
        ) : (
          <p className={cn('text-xs', job.state === 'failed' ? 'text-danger' : 'text-muted')}>
            {job.error === undefined ? phaseText(t, job) : errorText(job.error).what}
          </p>
        )}
      </div>
      {active && (
        <IconButton
          size="sm"
          label={t('shell.job.cancel', { title: jobTitle(t, job) })}
          onClick={() => void cancelJob(job.id).catch(() => undefined)}
        >
          <X aria-hidden />
        </IconButton>
      )}
    </div>
  )
}
