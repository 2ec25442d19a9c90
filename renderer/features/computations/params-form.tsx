import type { ComputeFunction, Reference } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../../app/i18n/index.ts'
import { Field } from '../../app/ui/field.tsx'
import { Input, Textarea } from '../../app/ui/input.tsx'
import { Select } from '../../app/ui/select.tsx'
import { useNames } from '../identities/names.ts'
import { type ParamProblem, paramProblem, splitNumbers } from './wizard-model.ts'

const USUAL = 'usual'

/** One field for each parameter of the function. */
export function ParamsForm({
  fn,
  values,
  onChange,
  chosen,
}: {
  fn: ComputeFunction
  values: Record<string, string>
  onChange: (values: Record<string, string>) => void
  chosen: readonly Reference[]
}) {
  const t = useT()
  const names = useNames()
  const say = (problem: ParamProblem): string => {
    switch (problem.kind) {
      case 'weightsCount':
        return t('computations.wizard.params.weightsCount', { needed: problem.needed, count: problem.count })
      case 'lengthMismatch':
        return t('computations.wizard.params.lengthMismatch', { length: problem.length })
      default:
        return t(`computations.wizard.params.${problem.kind}`)
    }
  }
  if (fn.params.length === 0)
    return <p className="text-sm text-muted">{t('computations.wizard.params.none')}</p>
  const total = chosen.reduce((sum, r) => sum + r.length, 0)
  return (
    <div className="flex max-w-xl flex-col gap-4">
      {fn.params.map((param) => {
        const text = values[param.name] ?? ''
        const key = `computations.param.${param.name}`
        const problem = text.trim() === '' ? undefined : paramProblem(fn, param.name, text, chosen)
        const set = (value: string) => onChange({ ...values, [param.name]: value })
        const count = splitNumbers(text).length
        return (
          <Field
            key={param.name}
            label={hasMessage(key) ? t(key) : param.name}
            required={param.required}
            {...(param.required ? {} : { optionalText: t('ui.optional') })}
            hint={
              param.kind === 'decimals'
                ? [
                    t('computations.wizard.params.decimals'),
                    fn.input !== 'weights' &&
                      param.name === 'weights' &&
                      t('computations.wizard.params.perValue', { count: total }),
                    count > 0 && t('computations.wizard.params.count', { count }),
                  ]
                    .filter(Boolean)
                    .join(' ')
                : undefined
            }
            error={problem && say(problem)}
          >
            {param.kind === 'reference' ? (
              <Select
                value={text}
                onValueChange={set}
                options={chosen.map((r) => ({ value: r.ref, label: r.title ?? names.name(r.owner) }))}
              />
            ) : param.kind === 'choice' ? (
              <Select
                value={text === '' ? USUAL : text}
                onValueChange={(value) => set(value === USUAL ? '' : value)}
                options={[
                  ...(param.required ? [] : [{ value: USUAL, label: t('computations.param.choice.none') }]),
                  ...(param.choices ?? []).map((choice) => {
                    const name = `computations.param.choice.${choice}`
                    return { value: choice, label: hasMessage(name) ? t(name) : choice }
                  }),
                ]}
              />
            ) : param.kind === 'decimals' ? (
              <Textarea
                rows={4}
                className="font-mono text-xs"
                spellCheck={false}
                value={text}
                onChange={(event) => set(event.target.value)}
              />
            ) : (
              <Input inputMode="decimal" value={text} onChange={(event) => set(event.target.value)} />
            )}
          </Field>
        )
      })}
    </div>
  )
}
