import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { passwordScore } from '../lib/strength.ts'
import { Field } from './field.tsx'
import { PasswordInput } from './input.tsx'

const fills = ['bg-danger', 'bg-warning', 'bg-accent', 'bg-success']

/** A new password, twice, with its strength in words. */
export function NewPasswordFields({
  password,
  repeat,
  onPassword,
  onRepeat,
  mismatch,
  label,
}: {
  password: string
  repeat: string
  onPassword: (value: string) => void
  onRepeat: (value: string) => void
  /** Whether to say that the two differ; not while the second is still being typed. */
  mismatch: boolean
  label?: string
}) {
  const t = useT()
  const score = passwordScore(password)
  return (
    <>
      <div>
        <Field label={label ?? t('ui.password.new')} hint={t('ui.password.hint')}>
          <PasswordInput
            autoComplete="new-password"
            value={password}
            onChange={(event) => onPassword(event.target.value)}
          />
        </Field>
        <div className="mt-2 flex items-center gap-3" aria-live="polite">
          <div aria-hidden className="flex flex-1 gap-1">
            {[0, 1, 2, 3].map((step) => (
              <span
                key={step}
                className={cn(
                  'h-1 flex-1 rounded-full',
                  password !== '' && step <= score ? fills[score] : 'bg-line',
                )}
              />
            ))}
          </div>
          <span className="min-w-20 text-end text-xs text-muted">
            {password === '' ? '' : t(`ui.password.score${score}`)}
          </span>
        </div>
      </div>
      <Field label={t('ui.password.repeat')} error={mismatch ? t('ui.password.differ') : undefined}>
        <PasswordInput
          autoComplete="new-password"
          value={repeat}
          onChange={(event) => onRepeat(event.target.value)}
        />
      </Field>
    </>
  )
}
