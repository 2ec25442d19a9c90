import { Ban, Check, X } from 'lucide-react'
import type { ComputeState } from '../../../core/ipc/index.ts'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { formatPercent } from '../lib/format.ts'

const STATIONS = [
  'requested',
  'approvals',
  'committee',
  'inputs',
  'preparing',
  'computing',
  'output',
  'done',
] as const
type Station = (typeof STATIONS)[number]

/**
 * The way of a computation: request → approvals → committee → phases → result. For a job that failed or was
 * cancelled, `stoppedAt` is the station it had reached. `progress` is 0 to 1 within the current station.
 */
export function JobTrack({
  state,
  progress,
  stoppedAt = 'requested',
  rounds,
  approvals,
  prepares = false,
  compact = false,
  className,
}: {
  state: ComputeState
  progress: number
  stoppedAt?: Station
  rounds?: { done: number; total: number } | undefined
  approvals?: { needed: number; given: number; declined: number } | undefined
  /** Whether the protocol has a preparing phase (SPDZ). */
  prepares?: boolean
  compact?: boolean
  className?: string
}) {
  const t = useT()
  const stopped = state === 'failed' || state === 'cancelled'
  const stations = STATIONS.filter((station) => prepares || station !== 'preparing')
  const at = stations.indexOf(stopped ? stoppedAt : (state as Station))
  const finished = state === 'done'
  const note = (station: Station): string | undefined => {
    if (station === 'approvals' && approvals !== undefined && approvals.needed > 0)
      return t('ui.track.approvals.count', { given: approvals.given, needed: approvals.needed })
    if (station === 'computing' && rounds !== undefined && rounds.total > 0)
      return t('ui.track.rounds', { done: rounds.done, total: rounds.total })
    return undefined
  }
  const summary = finished
    ? t('ui.track.finished')
    : stopped
      ? t(state === 'failed' ? 'ui.track.failedAt' : 'ui.track.cancelledAt', {
          step: t(`ui.track.${stoppedAt}`),
        })
      : t('ui.track.now', {
          step: t(`ui.track.${stations[at] ?? 'requested'}`),
          percent: formatPercent(progress),
        })
  return (
    <div className={cn('min-w-0', className)}>
      <p className="sr-only" aria-live="polite">
        {summary}
      </p>
      <ol aria-label={t('ui.track.label')} className="flex min-w-0 items-start">
        {stations.map((station, i) => {
          const done = finished || i < at
          const current = !finished && i === at
          // How much of the line to the next station is drawn.
          const share = done ? 1 : current && !stopped ? Math.min(1, Math.max(0, progress)) : 0
          return (
            <li
              key={station}
              aria-current={current ? 'step' : undefined}
              className={cn('relative min-w-0', i < stations.length - 1 ? 'flex-1' : 'shrink-0')}
            >
              {i < stations.length - 1 && (
                <span aria-hidden className="absolute start-5 end-0 top-2 h-0.5 overflow-hidden bg-line">
                  <span
                    className="block h-full bg-accent transition-[width] duration-150"
                    style={{ width: `${share * 100}%` }}
                  />
                </span>
              )}
              <span
                aria-hidden
                className={cn(
                  'relative flex size-[18px] items-center justify-center rounded-full border-2 bg-surface',
                  done && 'border-accent bg-accent text-on-accent',
                  current && !stopped && 'border-accent',
                  current && state === 'failed' && 'border-danger-fill bg-danger-fill text-on-danger',
                  current && state === 'cancelled' && 'border-muted bg-muted text-surface',
                  !done && !current && 'border-control/60',
                )}
              >
                {done ? (
                  <Check className="size-2.5" strokeWidth={4} />
                ) : current && state === 'failed' ? (
                  <X className="size-2.5" strokeWidth={4} />
                ) : current && state === 'cancelled' ? (
                  <Ban className="size-2.5" strokeWidth={3} />
                ) : current ? (
                  <span className="size-2 rounded-full bg-accent" />
                ) : null}
              </span>
              <span
                className={cn(
                  'mt-1 block truncate pe-2 text-xs',
                  current ? 'font-medium text-text' : 'text-muted',
                  compact && !current && 'max-[48rem]:sr-only',
                  compact && 'text-[0.6875rem]',
                )}
              >
                {t(`ui.track.${station}`)}
                <span className="sr-only">
                  {' '}
                  —{' '}
                  {t(
                    done
                      ? 'ui.step.done'
                      : current
                        ? stopped
                          ? 'ui.step.failed'
                          : 'ui.step.running'
                        : 'ui.step.todo',
                  )}
                </span>
                {!compact && note(station) !== undefined && (
                  <span className="block truncate font-normal text-muted">{note(station)}</span>
                )}
              </span>
            </li>
          )
        })}
      </ol>
    </div>
  )
}
