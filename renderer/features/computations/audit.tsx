import { useState } from 'react'
import type { AuditReport } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatBytes, formatNumber } from '../../app/lib/format.ts'
import { useAction } from '../../app/store/action.ts'
import { compute } from '../../app/store/compute.ts'
import { Button } from '../../app/ui/button.tsx'
import { Hash } from '../../app/ui/copy.tsx'
import { Callout, Panel } from '../../app/ui/panel.tsx'
import { ErrorState } from '../../app/ui/states.tsx'

/** The verifier: anybody checks a finished computation from the ledger and its public transcript. */
export function AuditPanel({ id }: { id: string }) {
  const t = useT()
  const [report, setReport] = useState<AuditReport>()
  const verify = useAction(async () => {
    setReport(undefined)
    setReport(await compute.audit(id))
  })
  return (
    <Panel
      title={t('computations.audit')}
      description={t('computations.audit.text')}
      level={3}
      actions={
        <Button loading={verify.pending} onClick={() => void verify.run()}>
          {t(verify.pending ? 'computations.audit.verifying' : 'computations.audit.verify')}
        </Button>
      }
    >
      <div aria-live="polite">
        {verify.error !== undefined && <ErrorState error={verify.error} compact />}
        {report !== undefined && <Verdict report={report} />}
      </div>
    </Panel>
  )
}

function Verdict({ report }: { report: AuditReport }) {
  const t = useT()
  const facts = (
    <p className="mt-1 text-xs text-muted">
      {t('computations.audit.facts', {
        nodes: report.parties.length,
        size: formatBytes(report.bytes),
        seconds: formatNumber(Math.max(0.01, Math.round(report.seconds * 100) / 100)),
      })}
    </p>
  )
  if (report.valid)
    return (
      <Callout tone={report.mine === false ? 'danger' : 'success'}>
        <p className="font-medium">
          {t(report.mine === false ? 'computations.audit.other' : 'computations.audit.valid')}
        </p>
        {report.mine === true && <p>{t('computations.audit.mine')}</p>}
        {facts}
      </Callout>
    )
  return (
    <Callout tone="danger">
      <p className="font-medium">{t('computations.audit.invalid')}</p>
      <p>{report.reason}</p>
      {report.culprit !== undefined && (
        <p>
          {t('computations.audit.culprit')} <Hash value={report.culprit} />
          {report.evidence === true && <> · {t('computations.audit.evidence')}</>}
        </p>
      )}
      {facts}
    </Callout>
  )
}
