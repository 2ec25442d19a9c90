import { CircleAlert } from 'lucide-react'
import { createContext, type ReactNode, useContext, useId, useMemo } from 'react'
import { cn } from '../lib/cn.ts'

interface FieldWiring {
  id?: string
  'aria-describedby'?: string
  'aria-invalid'?: true
  'aria-required'?: true
}

const FieldContext = createContext<FieldWiring>({})

/** What a control inside a Field puts on its element; empty outside of one. */
export function useFieldWiring(): FieldWiring {
  return useContext(FieldContext)
}

/** Label, hint and error around one control (Input, Textarea, Select, …), joined for assistive technology. */
export function Field({
  label,
  hint,
  error,
  required,
  optionalText,
  hideLabel = false,
  className,
  children,
}: {
  label: ReactNode
  hint?: ReactNode
  error?: ReactNode
  required?: boolean
  /** Shown beside the label of a field that may stay empty. */
  optionalText?: string
  hideLabel?: boolean
  className?: string | undefined
  children: ReactNode
}) {
  const id = useId()
  const failed = error !== undefined && error !== null && error !== false && error !== ''
  const hinted = hint !== undefined && hint !== null
  const wiring = useMemo<FieldWiring>(() => {
    const described = [hinted && `${id}-hint`, failed && `${id}-error`].filter(Boolean).join(' ')
    return {
      id,
      ...(described === '' ? {} : { 'aria-describedby': described }),
      ...(failed ? { 'aria-invalid': true as const } : {}),
      ...(required ? { 'aria-required': true as const } : {}),
    }
  }, [id, hinted, failed, required])
  return (
    <div className={cn('flex min-w-0 flex-col gap-1', className)}>
      <label htmlFor={id} className={cn('text-sm font-medium', hideLabel && 'sr-only')}>
        {label}
        {optionalText !== undefined && <span className="ms-1.5 font-normal text-faint">{optionalText}</span>}
      </label>
      <FieldContext value={wiring}>{children}</FieldContext>
      {hinted && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
      <div aria-live="polite">
        {failed && (
          <p id={`${id}-error`} className="flex items-start gap-1 text-xs text-danger">
            <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
            <span className="min-w-0 break-words">{error}</span>
          </p>
        )}
      </div>
    </div>
  )
}

/** A group of controls under one legend (radio buttons, checkboxes). */
export function FieldGroup({
  legend,
  hint,
  children,
  className,
}: {
  legend: ReactNode
  hint?: ReactNode
  children: ReactNode
  className?: string
}) {
  return (
    <fieldset className={cn('flex min-w-0 flex-col gap-2', className)}>
      <legend className="mb-1 text-sm font-medium">{legend}</legend>
      {hint !== undefined && <p className="text-xs text-muted">{hint}</p>}
      {children}
    </fieldset>
  )
}
