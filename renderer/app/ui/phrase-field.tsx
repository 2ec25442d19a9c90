import { useT } from '../i18n/index.ts'
import { Field } from './field.tsx'
import { Textarea } from './input.tsx'

/** The words of a phrase as typed or pasted, numbers and punctuation of a printed list removed. */
export function phraseWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? []
}

/** Where the 24 words are typed. The node checks the words themselves and their check sum. */
export function PhraseField({
  value,
  onChange,
  tried,
}: {
  value: string
  onChange: (value: string) => void
  tried: boolean
}) {
  const t = useT()
  const count = phraseWords(value).length
  return (
    <Field
      label={t('ui.phrase.label')}
      hint={t('ui.phrase.count', { count })}
      error={tried && count !== 24 ? t('ui.phrase.short') : undefined}
    >
      <Textarea
        rows={3}
        className="font-mono"
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  )
}
