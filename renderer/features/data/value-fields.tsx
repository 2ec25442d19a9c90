import type { FieldError, UseFormReturn } from 'react-hook-form'
import { hasMessage, type Translate, useT, type Values } from '../../app/i18n/index.ts'
import { Field } from '../../app/ui/field.tsx'
import { Input, Textarea } from '../../app/ui/input.tsx'
import type { ValueForm } from './value-form.ts'

/** A schema's message is a key, or a key with values as JSON. */
export function fieldError(t: Translate, error: FieldError | undefined): string | undefined {
  const message = error?.message
  if (message === undefined) return undefined
  if (hasMessage(message)) return t(message)
  try {
    const [key, values] = JSON.parse(message) as [string, Values?]
    return hasMessage(key) ? t(key, values) : undefined
  } catch {
    return undefined
  }
}

export function TitleAndTags({ form }: { form: UseFormReturn<ValueForm> }) {
  const t = useT()
  const { errors } = form.formState
  return (
    <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
      <Field label={t('data.form.title')} error={fieldError(t, errors.title)} required>
        <Input autoComplete="off" {...form.register('title')} />
      </Field>
      <Field label={t('data.tags')} optionalText={t('ui.optional')} hint={t('data.form.tags.hint')}>
        <Input autoComplete="off" {...form.register('tags')} />
      </Field>
    </div>
  )
}

/** The inputs of a number, a text or a time series. */
export function ValueFields({ form }: { form: UseFormReturn<ValueForm> }) {
  const t = useT()
  const { errors } = form.formState
  const type = form.watch('type')
  const unit = (
    <Field label={t('data.form.unit')} optionalText={t('ui.optional')} error={fieldError(t, errors.unit)}>
      <Input autoComplete="off" placeholder={t('data.form.unit.example')} {...form.register('unit')} />
    </Field>
  )
  if (type === 'number')
    return (
      <div className="grid grid-cols-[2fr_1fr] gap-4 max-sm:grid-cols-1">
        <Field
          label={t('data.form.number')}
          hint={t('data.form.number.hint')}
          error={fieldError(t, errors.number)}
          required
        >
          <Input inputMode="decimal" autoComplete="off" placeholder="1234.50" {...form.register('number')} />
        </Field>
        {unit}
      </div>
    )
  if (type === 'text')
    return (
      <Field label={t('data.form.text')} error={fieldError(t, errors.text)} required>
        <Textarea rows={7} {...form.register('text')} />
      </Field>
    )
  return (
    <div className="grid grid-cols-[2fr_1fr] gap-4 max-sm:grid-cols-1">
      <Field
        label={t('data.form.points')}
        hint={t('data.form.points.hint')}
        error={fieldError(t, errors.points)}
        required
      >
        <Textarea
          rows={7}
          className="font-mono"
          spellCheck={false}
          placeholder={'2026-01-01, 128.5\n2026-01-02, 126'}
          {...form.register('points')}
        />
      </Field>
      {unit}
    </div>
  )
}
