import { Ban, CircleCheck, CircleX, LoaderCircle } from 'lucide-react'
import type { ComputeJob, ComputeState } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { Badge } from '../../app/ui/badge.tsx'

const STATIONS = [
  'requested',
  'approvals',
  'committee',
  'inputs',
  'preparing',
  'computing',
  'output',
  'done',
] as const
export type Station = (typeof STATIONS)[number]

const stopped = (state: ComputeState): state is 'failed' | 'cancelled' =>
  state === 'failed' || state === 'cancelled'

/** Still under way. */
export const isOpen = (job: Pick<ComputeJob, 'state'>): boolean => job.state !== 'done' && !stopped(job.state)

/** 0 to 1 over all stations. */
export function overall(job: Pick<ComputeJob, 'state' | 'progress'>): number {
  const at = STATIONS.indexOf(job.state as Station)
  return at < 0 ? 0 : Math.min(1, (at + job.progress) / (STATIONS.length - 1))
}

/** How far a job came that failed or was cancelled, from what is known about it. */
export function stoppedAt(job: ComputeJob): Station {
  if (job.resultDigest !== undefined) return 'output'
  if ((job.rounds?.done ?? 0) > 0) return 'computing'
  if (job.committee.length > 0) return 'inputs'
  if (job.approvals.needed > 0 && job.approvals.given < job.approvals.needed) return 'approvals'
  return job.approvals.needed > 0 ? 'committee' : 'requested'
}

export function ComputeBadge({ state }: { state: ComputeState }) {
  const t = useT()
  const tone =
    state === 'done' ? 'success' : state === 'failed' ? 'danger' : stopped(state) ? 'neutral' : 'accent'
  const Icon =
    state === 'done' ? CircleCheck : state === 'failed' ? CircleX : stopped(state) ? Ban : LoaderCircle
  return (
    <Badge tone={tone} icon={<Icon aria-hidden />}>
      {t(`computations.state.${state}`)}
    </Badge>
  )
}
