import { Tabs as Base } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'
import { cn } from '../lib/cn.ts'

export interface Tab<V extends string> {
  value: V
  label: ReactNode
  count?: number
  content: ReactNode
}

export function Tabs<V extends string>({
  label,
  tabs,
  value,
  onValueChange,
  className,
}: {
  label: string
  tabs: readonly Tab<V>[]
  value: V
  onValueChange: (value: V) => void
  className?: string
}) {
  return (
    <Base.Root value={value} onValueChange={(next) => onValueChange(next as V)} className={className}>
      <Base.List aria-label={label} className="relative flex gap-1 overflow-x-auto border-b border-line">
        {tabs.map((tab) => (
          <Base.Tab
            key={tab.value}
            value={tab.value}
            className="flex h-9 shrink-0 items-center gap-1.5 rounded-t-md px-2.5 text-sm text-muted -outline-offset-2 hover:text-text data-active:font-medium data-active:text-text"
          >
            {tab.label}
            {tab.count !== undefined && (
              <span className="rounded-full bg-hover px-1.5 text-xs text-muted">{tab.count}</span>
            )}
          </Base.Tab>
        ))}
        <Base.Indicator className="absolute bottom-0 left-0 h-0.5 w-(--active-tab-width) translate-x-(--active-tab-left) bg-accent transition-[translate,width] duration-150" />
      </Base.List>
      {tabs.map((tab) => (
        <Base.Panel key={tab.value} value={tab.value} className={cn('pt-4 -outline-offset-2')}>
          {tab.content}
        </Base.Panel>
      ))}
    </Base.Root>
  )
}
