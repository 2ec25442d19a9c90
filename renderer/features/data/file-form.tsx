import { useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { formatBytes } from '../../app/lib/format.ts'
import { upload } from '../../app/lib/upload.ts'
import { useAction } from '../../app/store/action.ts'
import { data } from '../../app/store/data.ts'
import { Button } from '../../app/ui/button.tsx'
import { DropZone } from '../../app/ui/drop-zone.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input } from '../../app/ui/input.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { parseTags } from './types.ts'

/** Larger files come in through the command line, as a stream. */
const MAX_BYTES = 64 * 1024 * 1024

export function FileForm({ onAdded }: { onAdded: (id: string) => void }) {
  const t = useT()
  const [file, setFile] = useState<File>()
  const [title, setTitle] = useState('')
  const [tags, setTags] = useState('')
  const tooLarge = file !== undefined && file.size > MAX_BYTES
  const add = useAction(async (chosen: File) => {
    const { id } = await data.addFile({
      title,
      fileName: chosen.name.slice(-255),
      tags: parseTags(tags),
      upload: await upload(chosen),
      ...(chosen.type === '' ? {} : { mediaType: chosen.type }),
    })
    onAdded(id)
  })
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault()
        if (file !== undefined && !tooLarge) void add.run(file)
      }}
    >
      <DropZone
        label={
          file === undefined
            ? t('data.file.drop')
            : t('data.file.chosen', { name: file.name, size: formatBytes(file.size) })
        }
        hint={t('data.file.hint')}
        disabled={add.pending}
        onFile={(next) => {
          setFile(next)
          if (title === '') setTitle(next.name.replace(/\.[^.]+$/, '').slice(0, 200))
        }}
      />
      {tooLarge && <Callout tone="warning">{t('data.file.large')}</Callout>}
      {file !== undefined && !tooLarge && (
        <>
          <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
            <Field label={t('data.form.title')} required>
              <Input
                required
                maxLength={200}
                value={title}
                onChange={(event) => setTitle(event.target.value)}
              />
            </Field>
            <Field label={t('data.tags')} optionalText={t('ui.optional')}>
              <Input value={tags} onChange={(event) => setTags(event.target.value)} />
            </Field>
          </div>
          {add.error !== undefined && <ErrorState error={add.error} />}
          <div className="flex justify-end">
            <Button type="submit" variant="primary" loading={add.pending} disabled={title.trim() === ''}>
              {t('data.add.keep')}
            </Button>
          </div>
        </>
      )}
    </form>
  )
}
