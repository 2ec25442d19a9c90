import type { AccessGrant } from '../../../core/ipc/index.ts'

export type By = 'person' | 'data' | 'purpose'

export interface GrantGroup {
  /** An account, a title, a code hash; empty for what the rule leaves open. */
  key: string
  grants: AccessGrant[]
}

const keysOf = (grant: AccessGrant, by: By): readonly string[] => {
  if (by === 'data') return [grant.recordId ?? grant.ref]
  const named = by === 'person' ? grant.accounts : grant.functions
  return named.length === 0 ? [''] : named
}

/** Grants under each person, datum or purpose; one that names two people stands under both. Open ones last. */
export function groupGrants(grants: readonly AccessGrant[], by: By): GrantGroup[] {
  const groups = new Map<string, AccessGrant[]>()
  for (const grant of grants)
    for (const key of keysOf(grant, by)) groups.set(key, [...(groups.get(key) ?? []), grant])
  return [...groups]
    .map(([key, list]) => ({ key, grants: list }))
    .sort((a, b) => Number(a.key === '') - Number(b.key === ''))
}
