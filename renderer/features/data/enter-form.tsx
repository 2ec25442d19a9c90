import { zodResolver } from '@hookform/resolvers/zod'
import { useForm } from 'react-hook-form'
import { useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { data } from '../../app/store/data.ts'
import { Button } from '../../app/ui/button.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Select } from '../../app/ui/select.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { TitleAndTags, ValueFields } from './value-fields.tsx'
import { emptyForm, formSchema, tagsOf, toValue, type ValueForm } from './value-form.ts'

export function EnterForm({ onAdded }: { onAdded: (id: string) => void }) {
  const t = useT()
  const form = useForm<ValueForm>({ resolver: zodResolver(formSchema), defaultValues: emptyForm })
  const add = useAction(async (values: ValueForm) => {
    const { id } = await data.add({ title: values.title, tags: tagsOf(values), value: toValue(values) })
    onAdded(id)
  })
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => void form.handleSubmit((values) => add.run(values))(event)}
    >
      <TitleAndTags form={form} />
      <Field label={t('data.type')} className="max-w-60">
        <Select<ValueForm['type']>
          value={form.watch('type')}
          onValueChange={(type) =>
            form.setValue('type', type, { shouldValidate: form.formState.isSubmitted })
          }
          options={(['number', 'text', 'timeseries'] as const).map((value) => ({
            value,
            label: t(`data.type.${value}`),
            description: t(`data.type.${value}.hint`),
          }))}
        />
      </Field>
      <ValueFields form={form} />
      {add.error !== undefined && <ErrorState error={add.error} />}
      <div className="flex justify-end">
        <Button type="submit" variant="primary" loading={add.pending}>
          {t('data.add.keep')}
        </Button>
      </div>
    </form>
  )
}
