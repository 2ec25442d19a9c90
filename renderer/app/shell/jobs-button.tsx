import { Popover } from '@base-ui/react/popover'
import { CircleCheck, LoaderCircle } from 'lucide-react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { formatPercent } from '../lib/format.ts'
import { isActive, jobs } from '../store/jobs.ts'
import { SkeletonLines } from '../ui/skeleton.tsx'
import { JobProgress } from './job-progress.tsx'

/** Long tasks that run now, from everywhere in the app; a panel with their progress. */
export function JobsButton({ className }: { className?: string }) {
  const t = useT()
  const { data } = jobs.use({})
  const list = data?.jobs ?? []
  const active = list.filter(isActive)
  const recent = list.filter((job) => !isActive(job)).slice(0, 4)
  const mean = active.reduce((sum, job) => sum + job.progress, 0) / Math.max(1, active.length)
  const label = active.length === 0 ? t('shell.jobs.none') : t('shell.jobs.running', { count: active.length })
  return (
    <Popover.Root>
      <Popover.Trigger className={className}>
        {active.length > 0 ? (
          <LoaderCircle aria-hidden className="size-4 shrink-0 animate-spin text-accent-text" />
        ) : (
          <CircleCheck aria-hidden className="size-4 shrink-0" />
        )}
        <span className="min-w-0 flex-1 truncate text-start max-[56.25rem]:sr-only">{label}</span>
        {active.length > 0 && (
          <span className="text-xs text-muted max-[56.25rem]:sr-only">{formatPercent(mean)}</span>
        )}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner side="right" align="end" sideOffset={8} className="z-60">
          <Popover.Popup className="pop motion-pop flex max-h-[70vh] w-88 max-w-[90vw] flex-col outline-none">
            <Popover.Title className="border-b border-line px-4 py-2.5 text-sm font-semibold">
              {t('shell.jobs.title')}
            </Popover.Title>
            <div className="flex flex-col gap-3 overflow-y-auto p-4">
              {data === undefined && <SkeletonLines lines={2} />}
              {active.map((job) => (
                <JobProgress key={job.id} job={job} />
              ))}
              {data !== undefined && list.length === 0 && (
                <p className="text-sm text-muted">{t('shell.jobs.empty')}</p>
              )}
              {recent.length > 0 && (
                <div className={cn('flex flex-col gap-3', active.length > 0 && 'border-t border-line pt-3')}>
                  <p className="text-xs font-medium text-muted">{t('shell.jobs.recent')}</p>
                  {recent.map((job) => (
                    <JobProgress key={job.id} job={job} />
                  ))}
                </div>
              )}
            </div>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
