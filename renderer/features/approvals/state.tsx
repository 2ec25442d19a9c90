import { CircleCheck, CircleX, Hourglass, Lock } from 'lucide-react'
import type { Approval } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { Badge, type Tone } from '../../app/ui/badge.tsx'
import type { Names } from '../identities/names.ts'

export function requesterName(approval: Approval, names: Names): string {
  return approval.requesterLabel ?? names.name(approval.requester)
}

const states: Record<Approval['state'], { tone: Tone; icon: typeof Lock }> = {
  waiting: { tone: 'warning', icon: Hourglass },
  approved: { tone: 'success', icon: CircleCheck },
  declined: { tone: 'danger', icon: CircleX },
  closed: { tone: 'neutral', icon: Lock },
}

export function ApprovalState({ state }: { state: Approval['state'] }) {
  const t = useT()
  const { tone, icon: Icon } = states[state]
  return (
    <Badge tone={tone} icon={<Icon aria-hidden />}>
      {t(`approvals.state.${state}`)}
    </Badge>
  )
}
