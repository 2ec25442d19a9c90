import type { ReactNode } from 'react'
import { cn } from '../lib/cn.ts'
import { formatPercent } from '../lib/format.ts'

/** `value` from 0 to 1; undefined while it is not known how much there is. */
export function Progress({
  value,
  label,
  detail,
  showLabel = true,
  tone = 'accent',
  className,
}: {
  value: number | undefined
  label: string
  detail?: ReactNode
  showLabel?: boolean
  tone?: 'accent' | 'success' | 'warning' | 'danger'
  className?: string
}) {
  const fill = { accent: 'bg-accent', success: 'bg-success', warning: 'bg-warning', danger: 'bg-danger' }[
    tone
  ]
  return (
    <div className={cn('min-w-0', className)}>
      {showLabel && (
        <div className="mb-1 flex items-baseline justify-between gap-3 text-xs">
          <span className="min-w-0 truncate text-muted">{label}</span>
          <span className="shrink-0">{detail ?? (value === undefined ? null : formatPercent(value))}</span>
        </div>
      )}
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={value === undefined ? undefined : Math.round(value * 100)}
        className="h-1.5 overflow-hidden rounded-full bg-line"
      >
        <div
          className={cn(
            'h-full rounded-full transition-[width] duration-150',
            fill,
            value === undefined && 'w-1/3 animate-skeleton',
          )}
          style={value === undefined ? undefined : { width: `${Math.min(1, Math.max(0, value)) * 100}%` }}
        />
      </div>
    </div>
  )
}
