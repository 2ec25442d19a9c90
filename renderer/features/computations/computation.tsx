import { useState } from 'react'
import { type ComputeJob, EnigmaError } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { compute } from '../../app/store/compute.ts'
import { trackJob } from '../../app/store/jobs.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button } from '../../app/ui/button.tsx'
import { CopyText, Hash } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { AlertDialog } from '../../app/ui/dialog.tsx'
import { JobTrack } from '../../app/ui/job-track.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import type { Names } from '../identities/names.ts'
import { Detail } from '../share/detail.tsx'
import { AuditPanel } from './audit.tsx'
import { ComputationResult } from './result.tsx'
import { ComputeBadge, isOpen, stoppedAt } from './state.tsx'

/** One computation: its track, its result for the requester, why it failed, and the digests below. */
export function ComputationDetail({
  job,
  title,
  names,
  onBack,
  onAgain,
}: {
  job: ComputeJob
  title: string
  names: Names
  onBack: () => void
  onAgain: () => void
}) {
  const t = useT()
  const [cancelling, setCancelling] = useState(false)
  const cancel = useAction(async () => trackJob(await compute.cancel(job.id)))
  const asked = job.roles.includes('requester')
  return (
    <Detail
      title={title}
      backLabel={t('computations.title')}
      onBack={onBack}
      facts={
        <>
          <ComputeBadge state={job.state} />
          {job.roles.map((role) => (
            <Badge key={role}>{t(`computations.role.${role}`)}</Badge>
          ))}
          <Time at={job.createdAt} />
          {job.attempt > 1 && <span>{t('computations.attempt', { number: job.attempt })}</span>}
        </>
      }
      actions={
        isOpen(job) &&
        asked && (
          <Button loading={cancel.pending} onClick={() => setCancelling(true)}>
            {t(cancel.pending ? 'computations.cancelling' : 'computations.cancel')}
          </Button>
        )
      }
    >
      <Panel>
        <JobTrack
          state={job.state}
          progress={job.progress}
          stoppedAt={stoppedAt(job)}
          rounds={job.rounds}
          approvals={job.approvals}
          prepares={job.protocol !== 'honest-majority'}
        />
        <p className="mt-4 text-sm text-muted">
          {t(`computations.state.text.${job.state}`, {
            given: job.approvals.given,
            needed: job.approvals.needed,
          })}
        </p>
      </Panel>
      {cancel.error !== undefined && <ErrorState error={cancel.error} />}
      {job.state === 'done' &&
        (asked ? (
          <ComputationResult id={job.id} />
        ) : (
          <p className="text-sm text-muted">{t('computations.result.others')}</p>
        ))}
      {job.state === 'done' && job.protocol === 'spdz-audited' && <AuditPanel id={job.id} />}
      {job.state === 'failed' && (
        <section aria-label={t('computations.failed.title')} className="flex flex-col gap-2">
          {job.error !== undefined && <ErrorState error={EnigmaError.fromObject(job.error)} />}
          {asked && (
            <div>
              <Button onClick={onAgain}>{t('computations.failed.retry')}</Button>
            </div>
          )}
        </section>
      )}
      <Panel>
        <KeyValue
          rows={[
            [t('computations.step.function'), names.functionName(job.function)],
            [
              t('computations.data'),
              t('computations.over', { references: job.references, owners: job.owners }),
            ],
            [
              t('computations.approvals'),
              job.approvals.needed === 0
                ? t('computations.approvals.none')
                : [
                    t('computations.approvals.value', {
                      given: job.approvals.given,
                      needed: job.approvals.needed,
                    }),
                    job.approvals.declined > 0 &&
                      t('computations.approvals.declined', { count: job.approvals.declined }),
                  ]
                    .filter(Boolean)
                    .join(' · '),
            ],
            [t('computations.protocol'), t(`computations.protocol.${job.protocol}`)],
            [
              t('computations.committee'),
              job.committee.length === 0
                ? t('computations.committee.pending')
                : t('computations.committee.value', { count: job.committee.length, t: job.threshold }),
            ],
            job.excluded.length > 0 && [
              t('computations.excluded'),
              <ul key="excluded">
                {job.excluded.map(({ node, reason }) => (
                  <li key={node}>
                    <Hash value={node} />{' '}
                    <span className="text-muted">{t('computations.excluded.reason', { reason })}</span>
                  </li>
                ))}
              </ul>,
            ],
            job.rounds !== undefined && [
              t('computations.rounds'),
              t('computations.rounds.value', { done: job.rounds.done, total: job.rounds.total }),
            ],
          ]}
        />
      </Panel>
      <Details>
        <KeyValue
          rows={[
            [t('computations.details.id'), <CopyText key="id" text={job.id} />],
            [t('computations.details.requester'), <CopyText key="requester" text={job.requester} />],
            [t('computations.details.code'), <CopyText key="code" text={job.codeHash} />],
            job.resultDigest !== undefined && [
              t('computations.details.result'),
              <CopyText key="result" text={job.resultDigest} />,
            ],
            job.transcriptDigest !== undefined && [
              t('computations.details.transcript'),
              <CopyText key="transcript" text={job.transcriptDigest} />,
            ],
            job.committee.length > 0 && [
              t('computations.committee'),
              <ul key="committee">
                {job.committee.map((node) => (
                  <li key={node}>
                    <Hash value={node} />
                  </li>
                ))}
              </ul>,
            ],
          ]}
        />
      </Details>
      <AlertDialog
        open={cancelling}
        onOpenChange={setCancelling}
        title={t('computations.cancel.title')}
        confirmLabel={t('computations.cancel')}
        onConfirm={() => {
          setCancelling(false)
          void cancel.run()
        }}
      >
        {t('computations.cancel.text')}
      </AlertDialog>
    </Detail>
  )
}
