import { Collapsible } from '@base-ui/react/collapsible'
import { ChevronRight } from 'lucide-react'
import type { ReactNode } from 'react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'

/** One click deeper: digests, transactions, the protocol's own words. */
export function Details({
  label,
  children,
  defaultOpen = false,
  className,
}: {
  label?: ReactNode
  children: ReactNode
  defaultOpen?: boolean
  className?: string
}) {
  const t = useT()
  return (
    <Collapsible.Root defaultOpen={defaultOpen} className={cn('min-w-0', className)}>
      <Collapsible.Trigger className="group -ms-1 flex min-h-6 items-center gap-1 rounded-sm px-1 text-xs text-muted hover:text-text">
        <ChevronRight
          aria-hidden
          className="size-3.5 transition-transform duration-100 group-data-panel-open:rotate-90"
        />
        {label ?? t('ui.protocolDetails')}
      </Collapsible.Trigger>
      <Collapsible.Panel className="pt-2">{children}</Collapsible.Panel>
    </Collapsible.Root>
  )
}
