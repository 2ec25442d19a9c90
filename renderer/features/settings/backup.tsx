import { type FormEvent, useState } from 'react'
import { EnigmaError, type Output } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatBytes } from '../../app/lib/format.ts'
import { upload } from '../../app/lib/upload.ts'
import { useAction } from '../../app/store/action.ts'
import { vault, vaultStatus } from '../../app/store/vault.ts'
import { Button } from '../../app/ui/button.tsx'
import { CopyText } from '../../app/ui/copy.tsx'
import { DropZone } from '../../app/ui/drop-zone.tsx'
import { Field } from '../../app/ui/field.tsx'
import { PasswordInput } from '../../app/ui/input.tsx'
import { Callout, Panel } from '../../app/ui/panel.tsx'
import { ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'

/** base64 grows by a third; the contract takes 64 MB of it. */
const MAX_BYTES = 64 * 1024 * 1024

export function Backup() {
  return (
    <div className="flex flex-col gap-4">
      <ExportNow />
      <ImportBackup />
    </div>
  )
}

function ExportNow() {
  const t = useT()
  const last = vaultStatus.use({}).data?.lastExportAt
  const [password, setPassword] = useState('')
  const [written, setWritten] = useState<Output<'vault.export'>>()
  const save = useAction(() => vault.exportTo({ password }))
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const result = await save.run()
    setPassword('')
    if (result !== undefined) setWritten(result)
  }
  return (
    <Panel
      title={t('settings.export')}
      description={
        last === undefined ? (
          t('settings.neverBackedUp')
        ) : (
          <>
            {t('settings.lastBackup')} <Time at={last} />
          </>
        )
      }
    >
      <p className="mb-3 text-sm text-muted">{t('settings.export.text')}</p>
      <form className="flex max-w-md flex-col gap-3" onSubmit={(event) => void submit(event)}>
        <Field label={t('settings.export.password')} hint={t('settings.export.password.hint')}>
          <PasswordInput
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        {save.pending ? (
          <HostConfirmation kind="export" />
        ) : (
          <div>
            <Button type="submit" variant="primary" disabled={password === ''}>
              {t('home.check.backup.action')}
            </Button>
          </div>
        )}
      </form>
      {save.error !== undefined && <ErrorState error={save.error} className="mt-3" />}
      {written !== undefined && !save.pending && (
        <Callout
          tone="success"
          className="mt-3"
          title={t('settings.export.done', { count: written.records, size: formatBytes(written.bytes) })}
        >
          <CopyText text={written.path} />
        </Callout>
      )}
    </Panel>
  )
}

function ImportBackup() {
  const t = useT()
  const [file, setFile] = useState<File>()
  const [password, setPassword] = useState('')
  const [merged, setMerged] = useState<Output<'vault.import'>>()
  const load = useAction(async (chosen: File) => {
    if (chosen.size > MAX_BYTES)
      throw new EnigmaError('IMPORT_INVALID', `${chosen.name} is larger than ${formatBytes(MAX_BYTES)}`)
    return vault.importFrom({ password, upload: await upload(chosen) })
  })
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (file === undefined) return
    const result = await load.run(file)
    setPassword('')
    if (result === undefined) return
    setMerged(result)
    setFile(undefined)
  }
  return (
    <Panel title={t('settings.import')}>
      <form className="flex flex-col gap-3" onSubmit={(event) => void submit(event)}>
        <p className="text-sm text-muted">{t('settings.import.text')}</p>
        <DropZone
          accept=".enigma,.enigma-export"
          label={
            file === undefined
              ? t('data.file.drop')
              : t('data.file.chosen', { name: file.name, size: formatBytes(file.size) })
          }
          disabled={load.pending}
          onFile={setFile}
        />
        {file !== undefined && (
          <>
            <Field label={t('settings.import.password')} className="max-w-md">
              <PasswordInput value={password} onChange={(event) => setPassword(event.target.value)} />
            </Field>
            <div>
              <Button type="submit" variant="primary" loading={load.pending} disabled={password === ''}>
                {t('settings.import.go')}
              </Button>
            </div>
          </>
        )}
        {load.error !== undefined && <ErrorState error={load.error} />}
        {merged !== undefined && <Callout tone="success">{t('settings.import.done', merged)}</Callout>}
      </form>
    </Panel>
  )
}
