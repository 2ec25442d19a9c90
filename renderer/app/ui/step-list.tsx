import { Check, LoaderCircle, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'

export interface Step {
  label: ReactNode
  hint?: ReactNode
  state: 'todo' | 'current' | 'running' | 'done' | 'failed'
}

/** Steps under each other: what is done, what runs, what comes. */
export function StepList({
  steps,
  label,
  className,
}: {
  steps: readonly Step[]
  label: string
  className?: string
}) {
  const t = useT()
  return (
    <ol aria-label={label} className={cn('flex flex-col', className)}>
      {steps.map((step, index) => (
        <li
          // biome-ignore lint/suspicious/noArrayIndexKey: steps keep their order
          key={index}
          aria-current={step.state === 'current' || step.state === 'running' ? 'step' : undefined}
          className="relative flex gap-3 pb-4 last:pb-0"
        >
          {index < steps.length - 1 && (
            <span
              aria-hidden
              className={cn(
                'absolute start-2.5 top-5 bottom-0 w-px -translate-x-1/2',
                step.state === 'done' ? 'bg-accent' : 'bg-line',
              )}
            />
          )}
          <span
            aria-hidden
            className={cn(
              'flex size-5 shrink-0 items-center justify-center rounded-full border text-xs font-medium',
              step.state === 'done' && 'border-accent bg-accent text-on-accent',
              step.state === 'failed' && 'border-danger-fill bg-danger-fill text-on-danger',
              (step.state === 'current' || step.state === 'running') && 'border-accent text-accent-text',
              step.state === 'todo' && 'border-control text-muted',
            )}
          >
            {step.state === 'done' ? (
              <Check className="size-3" strokeWidth={3} />
            ) : step.state === 'failed' ? (
              <X className="size-3" strokeWidth={3} />
            ) : step.state === 'running' ? (
              <LoaderCircle className="size-3 animate-spin" />
            ) : (
              index + 1
            )}
          </span>
          <span className="min-w-0">
            <span className={cn('block text-sm', step.state === 'todo' ? 'text-muted' : 'font-medium')}>
              {step.label}
              <span className="sr-only"> — {t(`ui.step.${step.state}`)}</span>
            </span>
            {step.hint !== undefined && <span className="block text-xs text-muted">{step.hint}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}
