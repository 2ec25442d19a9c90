import type { EnigmaError, Reference } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../../app/i18n/index.ts'
import { Hash } from '../../app/ui/copy.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input } from '../../app/ui/input.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import type { Names } from '../identities/names.ts'
import { useRevealsText } from './reveals.ts'
import { demands, ownersOf, type Request, toParams } from './wizard-model.ts'

/** The whole request once more, with what would make the holders refuse it. */
export function Review({
  request,
  chosen,
  names,
  onLabel,
  pending,
  error,
}: {
  request: Request
  chosen: readonly Reference[]
  names: Names
  onLabel: (label: string) => void
  pending: boolean
  error: EnigmaError | undefined
}) {
  const t = useT()
  const reveals = useRevealsText()
  const { fn } = request
  if (fn === undefined) return null
  const owners = ownersOf(chosen)
  const { minimum, approval } = demands(chosen)
  const params = Object.entries(toParams(request))
  return (
    <div className="flex max-w-2xl flex-col gap-4">
      <KeyValue
        rows={[
          [
            t('computations.step.function'),
            <span key="fn" className="flex flex-wrap items-center gap-2">
              {names.functionName(fn.id)} <Hash value={fn.codeHash} />
            </span>,
          ],
          [t('computations.wizard.review.reveals'), reveals(fn.reveals)],
          [t('computations.step.data'), t('computations.over', { references: chosen.length, owners })],
          ...params.map(([name, value]) => {
            const key = `computations.param.${name}`
            const choice = `computations.param.choice.${String(value)}`
            const text = Array.isArray(value) ? value.join(', ') : String(value)
            return [
              hasMessage(key) ? t(key) : name,
              <span key={name} className="line-clamp-3 break-words">
                {hasMessage(choice) ? t(choice) : text}
              </span>,
            ] as const
          }),
          [t('computations.protocol'), t(`computations.protocol.${request.protocol}`)],
          [
            t('computations.committee'),
            t('computations.committee.value', { count: request.n, t: request.t }),
          ],
        ]}
      />
      {minimum > owners && (
        <Callout tone="danger">{t('computations.wizard.review.cohort', { minimum, owners })}</Callout>
      )}
      {approval && <Callout tone="accent">{t('computations.wizard.review.approvals')}</Callout>}
      <Field label={t('computations.wizard.label')} optionalText={t('ui.optional')} className="max-w-md">
        <Input
          value={request.label}
          maxLength={200}
          placeholder={t('computations.wizard.label.placeholder')}
          onChange={(event) => onLabel(event.target.value)}
        />
      </Field>
      <p className="text-xs text-muted">{t('computations.wizard.review.cost')}</p>
      {pending && <HostConfirmation kind="spend" />}
      {error !== undefined && <ErrorState error={error} />}
    </div>
  )
}
