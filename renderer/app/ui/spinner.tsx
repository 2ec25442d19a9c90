import { LoaderCircle } from 'lucide-react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'

/** `decorative` when the surrounding element already says that it is busy. */
export function Spinner({ className, decorative = false }: { className?: string; decorative?: boolean }) {
  const t = useT()
  return (
    <span
      className="inline-flex"
      {...(decorative ? { 'aria-hidden': true } : { role: 'status', 'aria-label': t('ui.loading') })}
    >
      <LoaderCircle aria-hidden className={cn('size-4 animate-spin', className)} />
    </span>
  )
}
