import type { ReactNode } from 'react'
import { cn } from '../../app/lib/cn.ts'

/** One line of a list pane; opens its detail. */
export function ListItem({
  current,
  onSelect,
  title,
  badge,
  children,
  start,
}: {
  current: boolean
  onSelect: () => void
  title: ReactNode
  badge?: ReactNode
  children?: ReactNode
  start?: ReactNode
}) {
  return (
    <button
      type="button"
      aria-current={current || undefined}
      onClick={onSelect}
      className={cn(
        'flex w-full items-center gap-3 rounded-md px-3 py-2 text-start -outline-offset-2 hover:bg-hover',
        current && 'bg-accent-soft hover:bg-accent-soft',
      )}
    >
      {start}
      <span className="flex min-w-0 flex-1 flex-col gap-0.5">
        <span className="flex items-center justify-between gap-2">
          <span className="min-w-0 truncate text-sm font-medium">{title}</span>
          {badge}
        </span>
        {children !== undefined && (
          <span className="flex min-w-0 flex-col text-xs text-muted">{children}</span>
        )}
      </span>
    </button>
  )
}
