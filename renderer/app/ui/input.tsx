import { Eye, EyeOff, Search, X } from 'lucide-react'
import { type ComponentProps, useState } from 'react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { useFieldWiring } from './field.tsx'

export const controlStyle =
  'w-full min-w-0 rounded-md border border-control bg-surface text-sm text-text placeholder:text-faint not-disabled:hover:border-text/60 focus-visible:outline-offset-0 disabled:cursor-not-allowed disabled:border-line disabled:bg-sunken disabled:text-faint [&[readonly]]:bg-sunken aria-invalid:border-danger'

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...useFieldWiring()} {...rest} className={cn(controlStyle, 'h-8 px-2.5', className)} />
}

export function Textarea({ className, rows = 4, ...rest }: ComponentProps<'textarea'>) {
  return (
    <textarea
      {...useFieldWiring()}
      {...rest}
      rows={rows}
      className={cn(controlStyle, 'resize-y px-2.5 py-1.5', className)}
    />
  )
}

/** A password with a button that shows it. Never spell-checked, corrected or completed by the system. */
export function PasswordInput({ className, ...rest }: Omit<ComponentProps<'input'>, 'type'>) {
  const t = useT()
  const [shown, setShown] = useState(false)
  return (
    <div className="relative">
      <Input
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        {...rest}
        type={shown ? 'text' : 'password'}
        className={cn('pe-9', className)}
      />
      <button
        type="button"
        className="absolute inset-y-0 end-0 flex w-8 items-center justify-center rounded-md text-muted hover:text-text"
        aria-label={shown ? t('ui.hidePassword') : t('ui.showPassword')}
        aria-pressed={shown}
        onClick={() => setShown(!shown)}
      >
        {shown ? <EyeOff aria-hidden className="size-4" /> : <Eye aria-hidden className="size-4" />}
      </button>
    </div>
  )
}

/** A search box; Escape clears it. */
export function SearchInput({
  value,
  onValueChange,
  label,
  className,
  ...rest
}: Omit<ComponentProps<'input'>, 'value' | 'onChange'> & {
  value: string
  onValueChange: (value: string) => void
  label: string
}) {
  const t = useT()
  return (
    <div className={cn('relative min-w-0', className)}>
      <Search aria-hidden className="pointer-events-none absolute start-2.5 top-2 size-4 text-faint" />
      <Input
        {...rest}
        type="text"
        role="searchbox"
        aria-label={label}
        placeholder={rest.placeholder ?? label}
        value={value}
        className="ps-8 pe-8"
        onChange={(event) => onValueChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && value !== '') {
            event.stopPropagation()
            onValueChange('')
          }
        }}
      />
      {value !== '' && (
        <button
          type="button"
          className="absolute inset-y-0 end-0 flex w-8 items-center justify-center rounded-md text-muted hover:text-text"
          aria-label={t('ui.clear')}
          onClick={() => onValueChange('')}
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </div>
  )
}
