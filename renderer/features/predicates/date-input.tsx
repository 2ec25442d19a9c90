import { Input } from '../../app/ui/input.tsx'
import { endOfDay } from './model.ts'

const two = (n: number) => String(n).padStart(2, '0')

/** Local calendar day of a time, as an input of type date wants it. */
export function dayOf(at: number): string {
  const date = new Date(at)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** A day; the value is the day's last second in local time. */
export function DateInput({
  value,
  onValueChange,
  label,
}: {
  value: number
  onValueChange: (value: number) => void
  label?: string
}) {
  return (
    <Input
      type="date"
      aria-label={label}
      className="w-40"
      min={dayOf(Date.now())}
      value={dayOf(value)}
      onChange={(event) => {
        const [year, month, day] = event.target.value.split('-').map(Number)
        if (year === undefined || month === undefined || day === undefined || year < 2000) return
        onValueChange(endOfDay(new Date(year, month - 1, day).getTime()))
      }}
    />
  )
}
