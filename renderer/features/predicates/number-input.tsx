import { useEffect, useState } from 'react'
import { Input } from '../../app/ui/input.tsx'

const parse = (s: string) => (/^\d{1,9}$/.test(s.trim()) ? Number(s) : Number.NaN)

/** A whole number from `min` to `max`. What is typed stays as typed; only valid numbers are handed on. */
export function NumberInput({
  value,
  onValueChange,
  min,
  max,
  label,
  className,
}: {
  value: number
  onValueChange: (value: number) => void
  min: number
  max: number
  /** Its name where no Field gives one. */
  label?: string
  className?: string
}) {
  const [text, setText] = useState(String(value))
  const parsed = parse(text)
  const valid = parsed >= min && parsed <= max
  useEffect(() => {
    setText((before) => (parse(before) === value ? before : String(value)))
  }, [value])
  return (
    <Input
      type="text"
      inputMode="numeric"
      aria-label={label}
      aria-invalid={valid ? undefined : true}
      value={text}
      className={className ?? 'w-24'}
      onChange={(event) => {
        setText(event.target.value)
        const next = parse(event.target.value)
        if (next >= min && next <= max) onValueChange(next)
      }}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0
        if (step === 0 || !valid) return
        event.preventDefault()
        const next = Math.min(max, Math.max(min, parsed + step))
        setText(String(next))
        onValueChange(next)
      }}
      onBlur={() => !valid && setText(String(value))}
    />
  )
}
