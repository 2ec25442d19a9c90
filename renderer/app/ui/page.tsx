import { type ReactNode, useEffect } from 'react'
import { cn } from '../lib/cn.ts'

/** The frame of a screen: heading, one line of explanation, actions, content that scrolls. */
export function Page({
  title,
  description,
  actions,
  width = 'wide',
  children,
}: {
  title: string
  description?: ReactNode
  actions?: ReactNode
  /** `full` has no padding: for panes. `text` keeps forms readable. */
  width?: 'text' | 'wide' | 'full'
  children: ReactNode
}) {
  useEffect(() => {
    document.title = `${title} · Enigma`
  }, [title])
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex min-h-14 shrink-0 flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-6 py-2.5 max-md:px-4">
        <div className="min-w-0 flex-1 basis-60">
          {/* The router moves the focus here after navigation, so that the page's name is read out. */}
          <h1 id="page-title" tabIndex={-1} className="text-lg font-semibold outline-none">
            {title}
          </h1>
          {description !== undefined && <p className="text-xs text-muted">{description}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {width === 'full' ? (
        <div className="min-h-0 flex-1">{children}</div>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <div tabIndex={0} className="min-h-0 flex-1 overflow-y-auto -outline-offset-2">
          <div
            className={cn(
              'mx-auto w-full px-6 py-5 max-md:px-4',
              width === 'text' ? 'max-w-3xl' : 'max-w-6xl',
            )}
          >
            {children}
          </div>
        </div>
      )}
    </div>
  )
}

/**
 * List and detail side by side. Below 900 px one at a time: the detail while `detailOpen`, else the list; the
 * detail then needs its own way back.
 */
export function Panes({
  list,
  detail,
  detailOpen,
  listLabel,
  detailLabel,
}: {
  list: ReactNode
  detail: ReactNode
  detailOpen: boolean
  listLabel: string
  detailLabel: string
}) {
  return (
    <div className="flex h-full min-h-0">
      <section
        aria-label={listLabel}
        className={cn(
          'flex min-h-0 w-80 shrink-0 flex-col border-e border-line bg-list max-[56.25rem]:w-full max-[56.25rem]:border-e-0',
          detailOpen && 'max-[56.25rem]:hidden',
        )}
      >
        {list}
      </section>
      <section
        aria-label={detailLabel}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        className={cn(
          'min-h-0 min-w-0 flex-1 overflow-y-auto bg-surface -outline-offset-2',
          !detailOpen && 'max-[56.25rem]:hidden',
        )}
      >
        {detail}
      </section>
    </div>
  )
}
