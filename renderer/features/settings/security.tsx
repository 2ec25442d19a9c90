import { type FormEvent, useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { formatDuration } from '../../app/lib/format.ts'
import { passwordScore } from '../../app/lib/strength.ts'
import { useAction } from '../../app/store/action.ts'
import { saveSettings, settings } from '../../app/store/settings.ts'
import { vault, vaultStatus } from '../../app/store/vault.ts'
import { Button } from '../../app/ui/button.tsx'
import { Field } from '../../app/ui/field.tsx'
import { PasswordInput } from '../../app/ui/input.tsx'
import { Callout, Panel } from '../../app/ui/panel.tsx'
import { NewPasswordFields } from '../../app/ui/password-fields.tsx'
import { PhraseField, phraseWords } from '../../app/ui/phrase-field.tsx'
import { Select } from '../../app/ui/select.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { toast } from '../../app/ui/toast.tsx'

const MINUTES = [1, 5, 15, 30, 60, 240]

export function Security() {
  return (
    <div className="flex flex-col gap-4">
      <AutoLock />
      <Rehearsal />
      <ChangePassword />
    </div>
  )
}

function AutoLock() {
  const t = useT()
  const { data } = settings.use({})
  const save = useAction((autoLockMinutes: number) => saveSettings({ autoLockMinutes }))
  const current = data?.autoLockMinutes
  const choices = current === undefined || MINUTES.includes(current) ? MINUTES : [...MINUTES, current]
  return (
    <Panel title={t('settings.autoLock')}>
      <Field label={t('settings.autoLock.label')} hint={t('settings.autoLock.hint')} className="max-w-72">
        <Select<string>
          value={current === undefined ? null : String(current)}
          onValueChange={(minutes) => void save.run(Number(minutes))}
          options={choices.map((minutes) => ({
            value: String(minutes),
            label: formatDuration(minutes * 60),
          }))}
        />
      </Field>
      {save.error !== undefined && <ErrorState error={save.error} className="mt-3" />}
    </Panel>
  )
}

/** Types the words from the paper: proves that it is right, and changes nothing. */
function Rehearsal() {
  const t = useT()
  const last = vaultStatus.use({}).data?.lastRehearsalAt
  const [open, setOpen] = useState(false)
  const [phrase, setPhrase] = useState('')
  const [tried, setTried] = useState(false)
  const [matches, setMatches] = useState<boolean>()
  const rehearse = useAction(() => vault.rehearse(phraseWords(phrase).join(' ')))
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (phraseWords(phrase).length !== 24) return
    const result = await rehearse.run()
    setMatches(result?.matches)
    if (result?.matches === true) {
      setPhrase('')
      setOpen(false)
      setTried(false)
    }
  }
  return (
    <Panel
      title={t('settings.rehearsal')}
      description={
        last === undefined ? (
          t('settings.neverTested')
        ) : (
          <>
            {t('settings.lastTested')} <Time at={last} />
          </>
        )
      }
      actions={!open && <Button onClick={() => setOpen(true)}>{t('home.check.rehearsal.action')}</Button>}
    >
      <p className="text-sm text-muted">{t('settings.rehearsal.text')}</p>
      {matches === true && !open && (
        <Callout tone="success" className="mt-3">
          {t('settings.rehearsal.right')}
        </Callout>
      )}
      {open && (
        <form className="mt-3 flex flex-col gap-3" onSubmit={(event) => void submit(event)}>
          <PhraseField value={phrase} onChange={setPhrase} tried={tried} />
          {matches === false && (
            <Callout tone="danger" title={t('settings.rehearsal.wrong')}>
              {t('settings.rehearsal.wrong.text')}
            </Callout>
          )}
          {rehearse.error !== undefined && <ErrorState error={rehearse.error} />}
          <div className="flex justify-end gap-2">
            <Button
              onClick={() => {
                setPhrase('')
                setOpen(false)
              }}
            >
              {t('ui.cancel')}
            </Button>
            <Button type="submit" variant="primary" loading={rehearse.pending}>
              {t('settings.rehearsal.check')}
            </Button>
          </div>
        </form>
      )}
    </Panel>
  )
}

function ChangePassword() {
  const t = useT()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [repeat, setRepeat] = useState('')
  const [tried, setTried] = useState(false)
  const change = useAction(async () => {
    await vault.changePassword(current, password)
    return true
  })
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (current === '' || password !== repeat || passwordScore(password) === 0) return
    if ((await change.run()) === undefined) return
    setCurrent('')
    setPassword('')
    setRepeat('')
    setTried(false)
    toast({ title: t('settings.password.changed'), tone: 'success' })
  }
  return (
    <Panel title={t('settings.password')}>
      <form className="flex max-w-md flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <Field label={t('settings.password.current')}>
          <PasswordInput
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        </Field>
        <NewPasswordFields
          password={password}
          repeat={repeat}
          onPassword={setPassword}
          onRepeat={setRepeat}
          mismatch={tried && password !== repeat}
        />
        {tried && password !== '' && passwordScore(password) === 0 && (
          <Callout tone="warning">{t('welcome.password.weak')}</Callout>
        )}
        {change.error !== undefined && <ErrorState error={change.error} />}
        <div>
          <Button type="submit" loading={change.pending} disabled={current === '' || password === ''}>
            {t('settings.password.change')}
          </Button>
        </div>
      </form>
    </Panel>
  )
}
