import { zodResolver } from '@hookform/resolvers/zod'
import { useId } from 'react'
import { useForm } from 'react-hook-form'
import type { RecordSummary, RecordValue } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { data } from '../../app/store/data.ts'
import { Button } from '../../app/ui/button.tsx'
import { Dialog } from '../../app/ui/dialog.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { toast } from '../../app/ui/toast.tsx'
import { TitleAndTags, ValueFields } from './value-fields.tsx'
import { emptyForm, formSchema, tagsOf, toForm, toValue, type ValueForm } from './value-form.ts'

export function EditDialog({
  record,
  value,
  sharesActive,
  onClose,
}: {
  record: RecordSummary
  value: RecordValue
  sharesActive: number
  onClose: () => void
}) {
  const t = useT()
  const formId = useId()
  const existing = toForm(record.title, record.tags, value)
  const form = useForm<ValueForm>({
    resolver: zodResolver(formSchema),
    // A table's or file's value is not edited here: a text that passes the schema stands in for it.
    defaultValues: existing ?? {
      ...emptyForm,
      title: record.title,
      tags: record.tags.join(', '),
      type: 'text',
      text: '-',
    },
  })
  const save = useAction(async (values: ValueForm) => {
    const [before, next] = [existing, existing && values].map((form) => form && toValue(form))
    await data.update({
      id: record.id,
      title: values.title,
      tags: tagsOf(values),
      ...(next === undefined || JSON.stringify(next) === JSON.stringify(before) ? {} : { value: next }),
    })
    toast({ title: t('data.saved'), tone: 'success' })
    onClose()
  })
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('data.edit.title', { title: record.title })}
      size="md"
      dismissible={!form.formState.isDirty}
      footer={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" form={formId} variant="primary" loading={save.pending}>
            {t('ui.save')}
          </Button>
        </>
      }
    >
      <form
        id={formId}
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => void form.handleSubmit((values) => save.run(values))(event)}
      >
        <TitleAndTags form={form} />
        {existing === undefined ? (
          <p className="text-sm text-muted">{t('data.edit.fixed')}</p>
        ) : (
          <ValueFields form={form} />
        )}
        {sharesActive > 0 && existing !== undefined && value.type !== 'text' && (
          <Callout>{t('data.edit.shares')}</Callout>
        )}
        {save.error !== undefined && <ErrorState error={save.error} />}
      </form>
    </Dialog>
  )
}
