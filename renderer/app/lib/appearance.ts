import { useEffect, useSyncExternalStore } from 'react'
import type { Settings } from '../../../core/ipc/index.ts'

const dark = matchMedia('(prefers-color-scheme: dark)')

function subscribe(listener: () => void): () => void {
  dark.addEventListener('change', listener)
  return () => dark.removeEventListener('change', listener)
}

/** Puts the theme on the document; "system" follows the system while the app runs. */
export function useTheme(theme: Settings['theme']): 'light' | 'dark' {
  const systemDark = useSyncExternalStore(subscribe, () => dark.matches)
  const shown = theme === 'system' ? (systemDark ? 'dark' : 'light') : theme
  useEffect(() => {
    document.documentElement.dataset.theme = shown
  }, [shown])
  return shown
}
