import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { isMac } from '../ui/kbd.tsx'
import { BELOW, GROUPS, screenPath } from './navigation.ts'

/** The screens of Alt+1 … Alt+9, in the order of the navigation. */
export const NUMBERED = [...GROUPS.flatMap((group) => group.screens), ...BELOW].slice(0, 9)

/** Shortcuts all have a modifier key, so that none fires while someone dictates or types. */
export function useShortcuts(handlers: { onPalette: () => void; onLock: () => void }): void {
  const navigate = useNavigate()
  const latest = useRef(handlers)
  latest.current = handlers
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const mod = isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
      const key = event.key.toLowerCase()
      if (mod && !event.shiftKey && !event.altKey && key === 'k') {
        event.preventDefault()
        latest.current.onPalette()
      } else if (mod && event.shiftKey && !event.altKey && key === 'l') {
        event.preventDefault()
        latest.current.onLock()
      } else if (mod && !event.shiftKey && !event.altKey && key === ',') {
        event.preventDefault()
        void navigate({ to: '/settings' })
      } else if (event.altKey && !event.ctrlKey && !event.metaKey && /^Digit[1-9]$/.test(event.code)) {
        const screen = NUMBERED[Number(event.code.slice(5)) - 1]
        if (screen === undefined) return
        event.preventDefault()
        void navigate({ to: screenPath(screen) })
      }
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [navigate])
}
