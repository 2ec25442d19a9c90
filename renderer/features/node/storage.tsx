import { useState } from 'react'
import type { NodeStatus } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatBytes, formatNumber } from '../../app/lib/format.ts'
import { useAction } from '../../app/store/action.ts'
import { nodeStatus } from '../../app/store/node.ts'
import { saveSettings, settings } from '../../app/store/settings.ts'
import { Button } from '../../app/ui/button.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input } from '../../app/ui/input.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { Progress } from '../../app/ui/progress.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { toast } from '../../app/ui/toast.tsx'

const MEGABYTE = 1_000_000
/** From here on new shares may soon be refused. */
const NEARLY_FULL = 0.9

/** Other people's shares on this computer, and the limit for them. */
export function StoragePanel({ status }: { status: NodeStatus }) {
  const t = useT()
  const used = status.quotaBytes === 0 ? 1 : status.storedBytes / status.quotaBytes
  return (
    <Panel title={t('node.storage')}>
      <Progress
        value={Math.min(1, used)}
        tone={used >= NEARLY_FULL ? 'warning' : 'accent'}
        label={t('node.storage.value', {
          used: formatBytes(status.storedBytes),
          quota: formatBytes(status.quotaBytes),
        })}
      />
      <p className="mt-2 text-sm text-muted">
        {t('node.storage.shares', { count: status.sharesHeld })}
        {used >= NEARLY_FULL && <span className="block text-warning">{t('node.storage.full')}</span>}
      </p>
      <p className="mt-2 text-sm text-muted">
        {t('node.material', {
          triples: formatNumber(status.material.triple ?? 0),
          bits: formatNumber(status.material.bit ?? 0),
          audited: formatNumber(status.material.committedTriples ?? 0),
        })}
      </p>
      <QuotaForm storedBytes={status.storedBytes} />
    </Panel>
  )
}

function QuotaForm({ storedBytes }: { storedBytes: number }) {
  const t = useT()
  const { data } = settings.use({})
  const [text, setText] = useState<string>()
  const save = useAction(async (bytes: number) => {
    await saveSettings({ storageQuotaBytes: bytes })
    await nodeStatus.refresh({})
    setText(undefined)
    toast({ title: t('node.quota.saved'), tone: 'success' })
  })
  if (data === undefined) return null
  const current = String(Math.round(data.storageQuotaBytes / MEGABYTE))
  const shown = text ?? current
  const megabytes = /^\d{1,7}$/.test(shown.trim()) ? Number(shown) : Number.NaN
  const valid = megabytes >= 0 && megabytes <= 1_000_000
  return (
    <form
      className="mt-4 flex flex-col gap-2 border-t border-line pt-4"
      onSubmit={(event) => {
        event.preventDefault()
        if (valid && text !== undefined) void save.run(megabytes * MEGABYTE)
      }}
    >
      <Field
        label={`${t('node.quota')} (${t('node.quota.unit')})`}
        error={valid ? undefined : t('node.quota.invalid')}
        hint={valid && megabytes * MEGABYTE < storedBytes ? t('node.quota.below') : undefined}
      >
        <div className="flex items-center gap-2">
          <QuotaInput value={shown} onChange={setText} />
          <Button
            type="submit"
            loading={save.pending}
            disabled={!valid || text === undefined || text === current}
          >
            {t(save.pending ? 'node.quota.saving' : 'node.quota.save')}
          </Button>
        </div>
      </Field>
      {save.error !== undefined && <ErrorState error={save.error} compact />}
    </form>
  )
}

function QuotaInput({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Input
      inputMode="numeric"
      className="w-32"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}
