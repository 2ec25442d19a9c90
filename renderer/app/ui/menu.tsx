import { Menu as Base } from '@base-ui/react/menu'
import type { ReactElement, ReactNode } from 'react'
import { cn } from '../lib/cn.ts'

export interface MenuItem {
  label: ReactNode
  icon?: ReactNode
  shortcut?: ReactNode
  onSelect: () => void
  danger?: boolean
  disabled?: boolean
  /** A line above this item. */
  separated?: boolean
}

/** A menu of actions under `trigger` (a Button or IconButton). */
export function Menu({
  trigger,
  items,
  align = 'end',
}: {
  trigger: ReactElement<Record<string, unknown>>
  items: readonly MenuItem[]
  align?: 'start' | 'end'
}) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} className="z-60 outline-none">
          <Base.Popup className="pop motion-pop min-w-44 p-1 outline-none">
            {items.map((item, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a menu's items keep their order
              <div key={index}>
                {item.separated && <Base.Separator className="my-1 h-px bg-line" />}
                <Base.Item
                  disabled={item.disabled ?? false}
                  onClick={item.onSelect}
                  className={cn(
                    'flex min-h-7 cursor-default items-center gap-2 rounded-sm px-2 py-1 text-sm outline-none select-none data-disabled:text-faint data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:text-muted',
                    item.danger && 'text-danger data-highlighted:bg-danger-soft [&_svg]:text-danger',
                  )}
                >
                  {item.icon}
                  <span className="min-w-0 flex-1">{item.label}</span>
                  {item.shortcut}
                </Base.Item>
              </div>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
