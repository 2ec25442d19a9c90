import { CircleAlert, Laptop, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Authority } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { Button } from './button.tsx'
import { CopyButton } from './copy.tsx'
import { Details } from './details.tsx'
import { Spinner } from './spinner.tsx'

/** What to show instead of an empty list: what it is for, and the one thing to do. */
export function EmptyState({
  icon,
  title,
  children,
  actions,
  className,
}: {
  icon?: ReactNode
  title: string
  children?: ReactNode
  actions?: ReactNode
  className?: string
}) {
  return (
    <div className={cn('mx-auto flex max-w-md flex-col items-center px-4 py-10 text-center', className)}>
      {icon !== undefined && (
        <div aria-hidden className="mb-3 text-faint [&_svg]:size-8 [&_svg]:stroke-[1.5]">
          {icon}
        </div>
      )}
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="mt-1 text-sm text-muted">{children}</div>}
      {actions !== undefined && <div className="mt-4 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  )
}

/** An EnigmaError, or its plain form inside a job. */
export interface AnyError {
  code: string
  message: string
  remedy?: string | undefined
}

/** The words for an error's code, in the reader's language; falls back to the domain-free text. */
export function useErrorText() {
  const t = useT()
  return (error: AnyError) => {
    const say = (part: 'what' | 'lost' | 'todo'): string => {
      const key = `errors.${error.code}.${part}`
      return hasMessage(key) ? t(key) : t(`errors.INTERNAL.${part}`)
    }
    return { what: say('what'), lost: say('lost'), todo: say('todo') }
  }
}

/** What happened, whether anything was lost, what to do, and the code. */
export function ErrorState({
  error,
  onRetry,
  compact = false,
  className,
}: {
  error: AnyError
  onRetry?: (() => void) | undefined
  compact?: boolean
  className?: string
}) {
  const t = useT()
  const text = useErrorText()(error)
  return (
    <div
      role="alert"
      className={cn(
        'flex items-start gap-2.5 rounded-lg border border-danger-line bg-danger-soft px-3 py-2.5 text-sm text-text',
        className,
      )}
    >
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{text.what}</p>
        {!compact && <p className="text-muted">{text.lost}</p>}
        <p className="text-muted">{text.todo}</p>
        <div className="mt-1.5 flex flex-wrap items-center gap-2">
          {onRetry !== undefined && (
            <Button size="sm" icon={<RotateCw aria-hidden />} onClick={onRetry}>
              {t('ui.tryAgain')}
            </Button>
          )}
          <span className="text-xs text-muted">
            {t('ui.errorCode')} <code className="font-mono">{error.code}</code>
          </span>
        </div>
        <Details label={t('ui.technicalMessage')} className="mt-1">
          <p className="flex items-start gap-1 font-mono text-xs break-words text-muted">
            <span className="min-w-0 flex-1">
              {error.message}
              {error.remedy !== undefined && ` (${error.remedy})`}
            </span>
            <CopyButton text={`${error.code}: ${error.message}`} />
          </p>
        </Details>
      </div>
    </div>
  )
}

/** While a call waits for the owner's word in the host's own window, which this page can neither see nor answer. */
export function HostConfirmation({ kind, className }: { kind: Authority; className?: string }) {
  const t = useT()
  return (
    <div
      role="status"
      className={cn(
        'flex items-start gap-2.5 rounded-lg border border-accent-line bg-accent-soft px-3 py-2.5 text-sm',
        className,
      )}
    >
      <Laptop aria-hidden className="mt-0.5 size-4 shrink-0 text-accent-text" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{t('ui.confirmInHost')}</p>
        <p className="text-muted">{t(`ui.confirmInHost.${kind}`)}</p>
      </div>
      <Spinner decorative className="mt-0.5 text-accent-text" />
    </div>
  )
}
