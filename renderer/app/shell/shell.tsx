import { Outlet, useRouterState } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { useT } from '../i18n/index.ts'
import { vault } from '../store/vault.ts'
import { ConnectionBanner } from './connection.tsx'
import { Palette } from './palette.tsx'
import { useShortcuts } from './shortcuts.ts'
import { SideBar } from './side-bar.tsx'

/** Navigation, the screen, and what is always at hand: palette, running jobs, lock. */
export function Shell() {
  const t = useT()
  const [palette, setPalette] = useState(false)
  const screen = useRouterState({ select: (s) => s.location.pathname.split('/')[1] ?? '' })
  const first = useRef(true)
  const main = useRef<HTMLElement>(null)

  useShortcuts({
    onPalette: () => setPalette((open) => !open),
    onLock: () => void vault.lock().catch(() => undefined),
  })

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the screen changes
  useEffect(() => {
    if (first.current) {
      first.current = false
      return
    }
    // A lazily loaded screen's heading may come a little later than the address.
    let tries = 0
    const timer = setInterval(() => {
      tries += 1
      const title = document.getElementById('page-title')
      if (title === null && tries < 40) return
      clearInterval(timer)
      const inside = document.activeElement?.closest('[role="dialog"], main')
      if (inside == null) title?.focus({ preventScroll: true })
    }, 50)
    return () => clearInterval(timer)
  }, [screen])

  return (
    <div className="flex h-full flex-col">
      {/* biome-ignore lint/a11y/useValidAnchor: a skip link; the hash belongs to the router */}
      <a
        href="#main"
        className="fixed start-2 top-2 z-70 -translate-y-20 rounded-md bg-accent px-3 py-2 text-sm font-medium text-on-accent focus:translate-y-0"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        {t('shell.skip')}
      </a>
      <ConnectionBanner />
      <div className="flex min-h-0 flex-1">
        <SideBar onPalette={() => setPalette(true)} />
        <main id="main" ref={main} tabIndex={-1} className="min-w-0 flex-1 bg-surface outline-none">
          <Outlet />
        </main>
      </div>
      <Palette open={palette} onOpenChange={setPalette} />
    </div>
  )
}
