import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn('h-4 animate-skeleton rounded-sm bg-hover', className)} />
}

/** Placeholder lines for a list or text that is on its way. */
export function SkeletonLines({ lines = 4, className }: { lines?: number; className?: string }) {
  const t = useT()
  return (
    <div role="status" aria-label={t('ui.loading')} className={cn('flex flex-col gap-3', className)}>
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical placeholders
        <Skeleton key={i} className={['w-11/12', 'w-3/4', 'w-5/6', 'w-2/3'][i % 4]!} />
      ))}
    </div>
  )
}
