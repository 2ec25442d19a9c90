import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

/** What a list has selected, in the address (`?id=…`), so that going back and links work. */
export function useSelection(): [id: string | undefined, select: (id: string | undefined) => void] {
  const search = useSearch({ strict: false }) as { id?: unknown }
  const navigate = useNavigate()
  const select = useCallback(
    (id: string | undefined) => {
      // The router's own types know the search of one route at a time; this hook serves all of them.
      const change = { to: '.', search: id === undefined ? {} : { id } } as Parameters<typeof navigate>[0]
      void navigate(change)
    },
    [navigate],
  )
  return [typeof search.id === 'string' ? search.id : undefined, select]
}
