import { cn } from '../lib/cn.ts'

export const isMac = /mac/i.test(navigator.platform)

/** Keys of a shortcut; "Mod" is ⌘ on a Mac and Ctrl elsewhere. */
export function Kbd({ keys, className }: { keys: readonly string[]; className?: string }) {
  return (
    <kbd aria-hidden className={cn('inline-flex gap-0.5 font-sans text-xs text-muted', className)}>
      {keys.map((key) => (
        <span
          key={key}
          className="inline-flex h-5 min-w-5 items-center justify-center rounded-sm border border-line bg-sunken px-1"
        >
          {key === 'Mod' ? (isMac ? '⌘' : 'Ctrl') : key}
        </span>
      ))}
    </kbd>
  )
}
