import { Checkbox as BaseCheckbox } from '@base-ui/react/checkbox'
import { Radio as BaseRadio } from '@base-ui/react/radio'
import { RadioGroup as BaseRadioGroup } from '@base-ui/react/radio-group'
import { Switch as BaseSwitch } from '@base-ui/react/switch'
import { Check, Minus } from 'lucide-react'
import { type ReactNode, useId } from 'react'
import { cn } from '../lib/cn.ts'

interface ToggleProps {
  label: ReactNode
  hint?: ReactNode
  checked: boolean
  onCheckedChange: (checked: boolean) => void
  disabled?: boolean
  className?: string
}

function Text({ id, label, hint }: { id: string; label: ReactNode; hint?: ReactNode }) {
  return (
    <span className="min-w-0 flex-1">
      <label htmlFor={id} id={`${id}-label`} className="block text-sm">
        {label}
      </label>
      {hint !== undefined && (
        <span id={`${id}-hint`} className="block text-xs text-muted">
          {hint}
        </span>
      )}
    </span>
  )
}

const box =
  'flex size-4 shrink-0 items-center justify-center border border-control bg-surface text-on-accent data-checked:border-accent data-checked:bg-accent data-indeterminate:border-accent data-indeterminate:bg-accent data-disabled:cursor-not-allowed data-disabled:border-line data-disabled:bg-sunken'

export function Checkbox({
  label,
  hint,
  checked,
  onCheckedChange,
  disabled = false,
  indeterminate = false,
  className,
}: ToggleProps & { indeterminate?: boolean }) {
  const id = useId()
  return (
    <div className={cn('flex items-start gap-2', className)}>
      <BaseCheckbox.Root
        id={id}
        checked={checked}
        indeterminate={indeterminate}
        onCheckedChange={onCheckedChange}
        disabled={disabled}
        aria-labelledby={`${id}-label`}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className={cn(box, 'mt-0.5 rounded-sm')}
      >
        <BaseCheckbox.Indicator className="flex">
          {indeterminate ? (
            <Minus aria-hidden className="size-3" strokeWidth={3} />
          ) : (
            <Check aria-hidden className="size-3" strokeWidth={3} />
          )}
        </BaseCheckbox.Indicator>
      </BaseCheckbox.Root>
      <Text id={id} label={label} hint={hint} />
    </div>
  )
}

export function Switch({ label, hint, checked, onCheckedChange, disabled = false, className }: ToggleProps) {
  const id = useId()
  return (
    <div className={cn('flex items-start justify-between gap-4', className)}>
      <Text id={id} label={label} hint={hint} />
      <BaseSwitch.Root
        id={id}
        checked={checked}
        onCheckedChange={onCheckedChange}
        disabled={disabled}
        aria-labelledby={`${id}-label`}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className="mt-px flex h-5 w-9 shrink-0 items-center rounded-full bg-control p-0.5 transition-colors duration-100 data-checked:bg-accent data-disabled:cursor-not-allowed data-disabled:opacity-50"
      >
        <BaseSwitch.Thumb className="size-4 rounded-full bg-on-accent transition-transform duration-100 data-checked:translate-x-4" />
      </BaseSwitch.Root>
    </div>
  )
}

export interface RadioOption<V extends string> {
  value: V
  label: ReactNode
  hint?: ReactNode
  icon?: ReactNode
  disabled?: boolean
}

/** Radio buttons; `cards` draws each as a card with its hint. */
export function RadioGroup<V extends string>({
  label,
  value,
  onValueChange,
  options,
  cards = false,
  className,
}: {
  label: string
  value: V
  onValueChange: (value: V) => void
  options: readonly RadioOption<V>[]
  cards?: boolean
  className?: string
}) {
  const group = useId()
  return (
    <BaseRadioGroup
      aria-label={label}
      value={value}
      onValueChange={(next) => onValueChange(next as V)}
      className={cn('flex flex-col gap-2', className)}
    >
      {options.map((option) => {
        const id = `${group}-${option.value}`
        const row = (
          <>
            <BaseRadio.Root
              id={id}
              value={option.value}
              disabled={option.disabled ?? false}
              aria-labelledby={`${id}-label`}
              aria-describedby={option.hint === undefined ? undefined : `${id}-hint`}
              className={cn(box, 'mt-0.5 rounded-full')}
            >
              <BaseRadio.Indicator className="size-1.5 rounded-full bg-on-accent" />
            </BaseRadio.Root>
            {option.icon}
            <Text id={id} label={option.label} hint={option.hint} />
          </>
        )
        return (
          <div
            key={option.value}
            className={cn(
              'flex items-start gap-2',
              cards &&
                'relative gap-3 rounded-lg border border-line bg-surface p-3 hover:border-control has-data-checked:border-accent has-data-checked:bg-accent-soft [&_label]:font-medium [&_label]:after:absolute [&_label]:after:inset-0',
            )}
          >
            {row}
          </div>
        )
      })}
    </BaseRadioGroup>
  )
}
