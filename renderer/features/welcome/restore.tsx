import { type FormEvent, useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { passwordScore } from '../../app/lib/strength.ts'
import { useAction } from '../../app/store/action.ts'
import { vault } from '../../app/store/vault.ts'
import { Button } from '../../app/ui/button.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { NewPasswordFields } from '../../app/ui/password-fields.tsx'
import { PhraseField, phraseWords } from '../../app/ui/phrase-field.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { StepHeading } from './create.tsx'

/** A vault from its 24 words, with a new password for this computer. */
export function RestoreSteps({ onBack, onDone }: { onBack: () => void; onDone: () => void }) {
  const t = useT()
  const [phrase, setPhrase] = useState('')
  const [password, setPassword] = useState('')
  const [repeat, setRepeat] = useState('')
  const [tried, setTried] = useState(false)
  const [restored, setRestored] = useState<{ references: number; pending: boolean }>()
  const restore = useAction(() => vault.restore(phraseWords(phrase).join(' '), password))

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (phraseWords(phrase).length !== 24 || password !== repeat || passwordScore(password) === 0) return
    const done = await restore.run()
    if (done === undefined) return
    setPhrase('')
    setPassword('')
    setRepeat('')
    setRestored(done)
  }

  if (restored !== undefined)
    return (
      <div>
        <StepHeading title={t('welcome.restored.title')} />
        {restored.pending ? (
          <Callout className="mt-3">{t('welcome.restored.pending')}</Callout>
        ) : (
          <p className="text-muted">{t('welcome.restored.text', { count: restored.references })}</p>
        )}
        <Callout className="mt-3">{t('welcome.restored.import')}</Callout>
        <Button variant="primary" size="lg" className="mt-6" onClick={onDone}>
          {t('welcome.done.open')}
        </Button>
      </div>
    )

  return (
    <form onSubmit={(event) => void submit(event)}>
      <StepHeading title={t('welcome.restore.title')} />
      <p className="mb-4 text-muted">{t('welcome.restore.text')}</p>
      <div className="flex flex-col gap-4">
        <PhraseField value={phrase} onChange={setPhrase} tried={tried} />
        <div className="flex max-w-md flex-col gap-4">
          <NewPasswordFields
            label={t('welcome.restore.password')}
            password={password}
            repeat={repeat}
            onPassword={setPassword}
            onRepeat={setRepeat}
            mismatch={tried && password !== repeat}
          />
        </div>
        {tried && password !== '' && passwordScore(password) === 0 && (
          <Callout tone="warning">{t('welcome.password.weak')}</Callout>
        )}
        {restore.error !== undefined && <ErrorState error={restore.error} />}
      </div>
      <div className="mt-6 flex gap-2">
        <Button onClick={onBack} disabled={restore.pending}>
          {t('ui.back')}
        </Button>
        <Button type="submit" variant="primary" loading={restore.pending}>
          {restore.pending ? t('welcome.restore.working') : t('welcome.restore.go')}
        </Button>
      </div>
    </form>
  )
}
