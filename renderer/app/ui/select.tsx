import { Select as Base } from '@base-ui/react/select'
import { Check, ChevronsUpDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { cn } from '../lib/cn.ts'
import { useFieldWiring } from './field.tsx'
import { controlStyle } from './input.tsx'

export interface Option<V extends string> {
  value: V
  label: string
  description?: ReactNode
  disabled?: boolean
}

/** One of a few choices. `label` names it where no Field does. */
export function Select<V extends string>({
  value,
  onValueChange,
  options,
  placeholder,
  label,
  disabled = false,
  className,
}: {
  value: V | null
  onValueChange: (value: V) => void
  options: readonly Option<V>[]
  placeholder?: string
  label?: string
  disabled?: boolean
  className?: string
}) {
  const { 'aria-required': _, ...wiring } = useFieldWiring()
  return (
    <Base.Root
      items={options.map(({ value: v, label: l }) => ({ value: v, label: l }))}
      value={value}
      onValueChange={(next) => next !== null && onValueChange(next as V)}
      disabled={disabled}
    >
      <Base.Trigger
        {...wiring}
        aria-label={label}
        className={cn(
          controlStyle,
          'flex h-8 items-center justify-between gap-2 px-2.5 text-start select-none',
          className,
        )}
      >
        <Base.Value placeholder={placeholder ?? '—'} className="truncate data-placeholder:text-faint" />
        <Base.Icon className="text-muted">
          <ChevronsUpDown aria-hidden className="size-3.5" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-60 outline-none">
          <Base.Popup className="pop motion-pop max-h-[min(var(--available-height),22rem)] min-w-(--anchor-width) max-w-[min(28rem,90vw)] overflow-y-auto p-1">
            <Base.List>
              {options.map((option) => (
                <Base.Item
                  key={option.value}
                  value={option.value}
                  disabled={option.disabled ?? false}
                  className="grid min-h-7 cursor-default grid-cols-[1rem_1fr] items-start gap-x-2 rounded-sm px-2 py-1 text-sm outline-none select-none data-disabled:text-faint data-highlighted:bg-hover"
                >
                  <Base.ItemIndicator className="col-start-1 mt-0.5">
                    <Check aria-hidden className="size-4" />
                  </Base.ItemIndicator>
                  <span className="col-start-2 min-w-0">
                    <Base.ItemText>{option.label}</Base.ItemText>
                    {option.description !== undefined && (
                      <span className="block text-xs text-muted">{option.description}</span>
                    )}
                  </span>
                </Base.Item>
              ))}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
