import { type FormEvent, useEffect, useRef, useState } from 'react'
import { hasCode } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatDuration } from '../../app/lib/format.ts'
import { passwordScore } from '../../app/lib/strength.ts'
import { ConnectionBanner } from '../../app/shell/connection.tsx'
import { Logo } from '../../app/shell/logo.tsx'
import { useAction } from '../../app/store/action.ts'
import { vault, vaultStatus } from '../../app/store/vault.ts'
import { Button } from '../../app/ui/button.tsx'
import { Field } from '../../app/ui/field.tsx'
import { PasswordInput } from '../../app/ui/input.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { NewPasswordFields } from '../../app/ui/password-fields.tsx'
import { PhraseField, phraseWords } from '../../app/ui/phrase-field.tsx'
import { ErrorState } from '../../app/ui/states.tsx'

/** Seconds left of a back-off that the node announced, counted down. */
function useCountdown(seconds: number | undefined): number {
  const [until, setUntil] = useState(0)
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const start = Date.now()
    setNow(start)
    setUntil(seconds === undefined ? 0 : start + seconds * 1000)
  }, [seconds])
  const left = Math.ceil((until - now) / 1000)
  useEffect(() => {
    if (left <= 0) return
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [left])
  return Math.max(0, left)
}

export default function Unlock() {
  const t = useT()
  const [recovering, setRecovering] = useState(false)
  useEffect(() => {
    document.title = `${t('unlock.title')} · Enigma`
  }, [t])
  return (
    <div className="flex h-full flex-col">
      <ConnectionBanner />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <main tabIndex={0} className="min-h-0 flex-1 overflow-y-auto -outline-offset-2">
        <div className="mx-auto flex min-h-full w-full max-w-md flex-col items-center justify-center px-6 py-8">
          <Logo className="size-12" />
          <h1 className="mt-4 mb-6 text-xl font-semibold">
            {t(recovering ? 'unlock.recover.title' : 'unlock.title')}
          </h1>
          {recovering ? (
            <Recover onBack={() => setRecovering(false)} />
          ) : (
            <PasswordForm onRecover={() => setRecovering(true)} />
          )}
        </div>
      </main>
    </div>
  )
}

function PasswordForm({ onRecover }: { onRecover: () => void }) {
  const t = useT()
  const [password, setPassword] = useState('')
  const status = vaultStatus.use({})
  const unlock = useAction(() => vault.unlock(password))
  const seconds = unlock.error?.details?.seconds
  const left = useCountdown(
    hasCode(unlock.error, 'BACKOFF') && typeof seconds === 'number' ? seconds : status.data?.backoffSeconds,
  )
  const input = useRef<HTMLInputElement>(null)
  const wrong = hasCode(unlock.error, 'PASSWORD_WRONG')

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (password === '' || left > 0) return
    if ((await unlock.run()) === undefined) {
      setPassword('')
      input.current?.focus()
      await vaultStatus.refresh({})
    }
  }

  return (
    <form className="flex w-full max-w-80 flex-col gap-4" onSubmit={(event) => void submit(event)}>
      <Field label={t('unlock.password')} error={wrong && left === 0 ? t('unlock.wrong') : undefined}>
        <PasswordInput
          ref={input}
          autoFocus
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </Field>
      {left > 0 && (
        <Callout tone="warning" title={t('unlock.backoff', { time: formatDuration(left) })}>
          {t('unlock.backoff.why')}
        </Callout>
      )}
      {unlock.error !== undefined && !wrong && !hasCode(unlock.error, 'BACKOFF') && (
        <ErrorState error={unlock.error} />
      )}
      <Button
        type="submit"
        variant="primary"
        size="lg"
        loading={unlock.pending}
        disabled={password === '' || left > 0}
      >
        {unlock.pending ? t('unlock.working') : t('unlock.go')}
      </Button>
      <Button variant="link" size="inline" className="self-center" onClick={onRecover}>
        {t('unlock.forgot')}
      </Button>
    </form>
  )
}

/** Forgotten password: the 24 words open the same vault under a new one. */
function Recover({ onBack }: { onBack: () => void }) {
  const t = useT()
  const [phrase, setPhrase] = useState('')
  const [password, setPassword] = useState('')
  const [repeat, setRepeat] = useState('')
  const [tried, setTried] = useState(false)
  const restore = useAction(async () => {
    await vault.restore(phraseWords(phrase).join(' '), password)
    await vaultStatus.refresh({})
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (phraseWords(phrase).length === 24 && password === repeat && passwordScore(password) > 0)
      void restore.run()
  }
  return (
    <form className="flex w-full flex-col gap-4" onSubmit={submit}>
      <p className="text-sm text-muted">{t('unlock.recover.text')}</p>
      <PhraseField value={phrase} onChange={setPhrase} tried={tried} />
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
      {restore.error !== undefined && <ErrorState error={restore.error} />}
      <div className="flex gap-2">
        <Button onClick={onBack} disabled={restore.pending}>
          {t('ui.back')}
        </Button>
        <Button type="submit" variant="primary" loading={restore.pending}>
          {t('unlock.recover.go')}
        </Button>
      </div>
    </form>
  )
}
