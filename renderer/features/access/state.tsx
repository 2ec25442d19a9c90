import { Ban, CircleCheck, Clock } from 'lucide-react'
import type { AccessGrant } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { Badge } from '../../app/ui/badge.tsx'

export function GrantState({ state }: { state: AccessGrant['state'] }) {
  const t = useT()
  return (
    <Badge
      tone={state === 'active' ? 'success' : 'neutral'}
      icon={
        state === 'active' ? (
          <CircleCheck aria-hidden />
        ) : state === 'revoked' ? (
          <Ban aria-hidden />
        ) : (
          <Clock aria-hidden />
        )
      }
    >
      {t(`access.state.${state}`)}
    </Badge>
  )
}
