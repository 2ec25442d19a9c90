import { useState } from 'react'
import type { Approval } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../../app/i18n/index.ts'
import { compute } from '../../app/store/compute.ts'
import { useStarted } from '../../app/store/use-started.ts'
import { Button } from '../../app/ui/button.tsx'
import { CopyText, Hash } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Callout, Panel } from '../../app/ui/panel.tsx'
import { ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { useRevealsText } from '../computations/reveals.ts'
import type { Names } from '../identities/names.ts'
import { Detail } from '../share/detail.tsx'
import { JobProgress } from '../share/job-progress.tsx'
import { ApprovalState, requesterName } from './state.tsx'

/** With fewer people than this a result tells a lot about each of them. */
const FEW = 5

/** Who asks for what, over which data, what they learn; and the decision, which the host confirms. */
export function ApprovalDetail({
  approval,
  names,
  onBack,
}: {
  approval: Approval
  names: Names
  onBack: () => void
}) {
  const t = useT()
  const reveals = useRevealsText()
  const [decision, setDecision] = useState<'approve' | 'decline'>()
  const decide = useStarted(compute.decide)
  const answer = (next: 'approve' | 'decline') => {
    setDecision(next)
    void decide.run(approval.id, next)
  }
  const who = requesterName(approval, names)
  const started = decide.jobId !== undefined
  const open = approval.state === 'waiting' && !started
  const params = Object.entries(approval.params)
  return (
    <Detail
      title={t('approvals.asks', { who, function: names.words.functionName(approval.function) })}
      backLabel={t('approvals.title')}
      onBack={onBack}
      facts={
        <>
          <ApprovalState state={approval.state} />
          <Time at={approval.requestedAt} />
        </>
      }
    >
      <Panel>
        <KeyValue
          rows={[
            [
              t('approvals.who'),
              <span key="who">
                {who}
                <span className="ms-2 text-muted">
                  <Hash value={approval.requester} />
                </span>
                {!names.knows(approval.requester) && approval.requesterLabel === undefined && (
                  <span className="block text-xs text-warning">{t('approvals.stranger')}</span>
                )}
              </span>,
            ],
            [t('approvals.learns'), reveals(approval.reveals)],
            [
              t('approvals.over'),
              <ul key="over" className="flex flex-col gap-1">
                {approval.references.map((r) => (
                  <li key={r.ref}>
                    {r.title}
                    <span className="block text-xs text-muted">
                      {t('approvals.budget')}:{' '}
                      {r.usesLeft === undefined
                        ? t('approvals.budget.none')
                        : approval.state === 'waiting'
                          ? t('approvals.budget.after', { count: Math.max(0, r.usesLeft - 1) })
                          : r.usesLeft}
                    </span>
                  </li>
                ))}
              </ul>,
            ],
            [
              t('approvals.people'),
              <span key="people">
                {t('approvals.people.value', { count: approval.owners })}
                {approval.owners < FEW && (
                  <span className="block text-xs text-warning">{t('approvals.people.few')}</span>
                )}
              </span>,
            ],
            [t('approvals.committee'), t('approvals.committee.value', { count: approval.committeeSize })],
            [t('computations.protocol'), t(`computations.protocol.${approval.protocol}`)],
            params.length > 0 && [
              t('approvals.params'),
              <ul key="params">
                {params.map(([name, value]) => {
                  const label = `computations.param.${name}`
                  const choice = `computations.param.choice.${String(value)}`
                  return (
                    <li key={name}>
                      {hasMessage(label) ? t(label) : name}:{' '}
                      <span className="break-words">
                        {hasMessage(choice)
                          ? t(choice)
                          : Array.isArray(value)
                            ? value.join(', ')
                            : String(value)}
                      </span>
                    </li>
                  )
                })}
              </ul>,
            ],
            [
              t('approvals.code'),
              <span key="code">
                {names.functionName(approval.function)}{' '}
                <span className="text-muted">
                  <Hash value={approval.codeHash} />
                </span>
              </span>,
            ],
          ]}
        />
      </Panel>
      {open && (
        <div className="flex flex-col gap-3">
          <p className="text-sm text-muted">{t('approvals.approve.note')}</p>
          {decide.pending && <HostConfirmation kind="approve" />}
          {decide.error !== undefined && <ErrorState error={decide.error} />}
          <div className="flex flex-wrap gap-2">
            <Button
              variant="primary"
              size="lg"
              loading={decide.pending && decision === 'approve'}
              disabled={decide.pending && decision !== 'approve'}
              onClick={() => answer('approve')}
            >
              {t(decide.pending && decision === 'approve' ? 'approvals.approving' : 'approvals.approve')}
            </Button>
            <Button
              size="lg"
              loading={decide.pending && decision === 'decline'}
              disabled={decide.pending && decision !== 'decline'}
              onClick={() => answer('decline')}
            >
              {t(decide.pending && decision === 'decline' ? 'approvals.declining' : 'approvals.decline')}
            </Button>
          </div>
        </div>
      )}
      {started && (
        <Panel title={t(decision === 'approve' ? 'approvals.approving' : 'approvals.declining')} level={3}>
          <JobProgress
            job={decide.job}
            label={t(decision === 'approve' ? 'approvals.approving' : 'approvals.declining')}
            cancellable={false}
            onRetry={decide.reset}
          />
          {decide.job?.state === 'done' && (
            <Callout
              tone="success"
              className="mt-4"
              title={t(decision === 'approve' ? 'approvals.approved' : 'approvals.declined')}
            />
          )}
        </Panel>
      )}
      <Details>
        <p className="text-xs text-muted">{t('approvals.request')}</p>
        <CopyText text={approval.id} />
        <p className="mt-2 text-xs text-muted">{t('approvals.hash')}</p>
        <CopyText text={approval.codeHash} />
      </Details>
    </Detail>
  )
}
