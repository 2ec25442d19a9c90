import { useNavigate, useParams } from '@tanstack/react-router'
import { useCallback } from 'react'

type Listing = 'data' | 'identities' | 'predicates' | 'access' | 'approvals' | 'computations'

/** What a list has open, in the address (`/access/abc`), so that going back and links work. */
export function useSelection(
  screen: Listing,
): [id: string | undefined, select: (id: string | undefined) => void] {
  const { id } = useParams({ strict: false })
  const navigate = useNavigate()
  const select = useCallback(
    (next: string | undefined) => {
      if (next === undefined) void navigate({ to: `/${screen}` })
      else void navigate({ to: `/${screen}/$id`, params: { id: next } })
    },
    [navigate, screen],
  )
  return [id, select]
}
