import { ArrowLeft } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '../../app/ui/button.tsx'

/** The frame of a detail pane: a way back on narrow windows, heading, facts, actions. */
export function Detail({
  title,
  facts,
  actions,
  backLabel,
  onBack,
  children,
}: {
  title: ReactNode
  facts?: ReactNode
  actions?: ReactNode
  backLabel: string
  onBack: () => void
  children: ReactNode
}) {
  return (
    <article className="mx-auto flex max-w-4xl flex-col gap-4 p-6 max-md:p-4">
      <header className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0 flex-1">
          <Button
            variant="link"
            size="inline"
            className="mb-1 min-[56.25rem]:hidden"
            icon={<ArrowLeft aria-hidden />}
            onClick={onBack}
          >
            {backLabel}
          </Button>
          <h2 className="text-xl font-semibold break-words">{title}</h2>
          {facts !== undefined && (
            <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">{facts}</div>
          )}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </article>
  )
}
