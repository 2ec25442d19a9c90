import { CircleCheck, TriangleAlert } from 'lucide-react'
import type { NodeStatus } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatWei } from '../../app/lib/format.ts'
import { node } from '../../app/store/node.ts'
import { useStarted } from '../../app/store/use-started.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button } from '../../app/ui/button.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { JobProgress } from '../share/job-progress.tsx'

/** The deposit that vouches for this node, what puts it at risk, and whether the node serves others. */
export function DepositPanel({ status }: { status: NodeStatus }) {
  const t = useT()
  const register = useStarted(node.register)
  const done = register.job?.state === 'done'
  const busy = register.jobId !== undefined && !done
  return (
    <Panel
      title={t('node.deposit')}
      description={t('node.deposit.text')}
      actions={
        <Badge tone={status.registered ? 'success' : 'neutral'}>
          {t(status.registered ? 'node.registered' : 'node.notRegistered')}
        </Badge>
      }
    >
      <div className="flex flex-col gap-4">
        <p className="flex flex-wrap items-baseline gap-x-3 text-sm">
          <span className="text-lg font-semibold">
            {status.depositWei === '0' ? t('node.deposit.none') : `${formatWei(status.depositWei)} ETH`}
          </span>
          <span className="text-muted">{t(status.serving ? 'node.serving' : 'node.notServing')}</span>
        </p>
        <div>
          <h3 className="text-sm font-medium">{t('node.risk.title')}</h3>
          <ul className="mt-1 flex flex-col gap-1 text-sm text-muted">
            {(['cheat', 'lose', 'away'] as const).map((risk) => (
              <li key={risk} className="flex items-start gap-2">
                <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warning" />
                {t(`node.risk.${risk}`)}
              </li>
            ))}
            <li className="flex items-start gap-2">
              <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-success" />
              {t('node.risk.safe')}
            </li>
          </ul>
        </div>
        <div className="flex flex-col gap-3 border-t border-line pt-4">
          {!status.registered && <p className="text-sm text-muted">{t('node.register.text')}</p>}
          {register.pending && <HostConfirmation kind="spend" />}
          {register.error !== undefined && <ErrorState error={register.error} />}
          {busy ? (
            <JobProgress job={register.job} label={t('node.registering')} onRetry={register.reset} />
          ) : (
            <div className="flex flex-wrap gap-2">
              {status.registered ? (
                <Button loading={register.pending} onClick={() => void register.run(!status.serving)}>
                  {t(status.serving ? 'node.register.stopServe' : 'node.register.becomeServe')}
                </Button>
              ) : (
                <>
                  <Button
                    variant="primary"
                    loading={register.pending}
                    onClick={() => void register.run(true)}
                  >
                    {t('node.register.serve')}
                  </Button>
                  <Button disabled={register.pending} onClick={() => void register.run(false)}>
                    {t('node.register.client')}
                  </Button>
                </>
              )}
            </div>
          )}
        </div>
      </div>
    </Panel>
  )
}
