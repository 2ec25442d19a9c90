import { currentLanguage } from '../i18n/index.ts'

const locale = () => (currentLanguage() === 'zh' ? 'zh-CN' : 'en')

export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(locale(), options).format(value)
}

/** Groups the digits of an exact decimal string without passing through a float. */
export function formatDecimal(value: string): string {
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(value)
  if (match === null) return value
  const [, sign, whole, fraction] = match
  return `${sign === '-' ? '−' : ''}${BigInt(whole!).toLocaleString(locale())}${fraction ?? ''}`
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return formatNumber(value, {
    style: 'unit',
    unit: UNITS[unit]!,
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0,
  })
}

/** Wei as a decimal string to coins with at most `digits` decimals, exact up to the cut. */
export function formatWei(wei: string, digits = 4): string {
  const padded = wei.padStart(19, '0')
  const whole = padded.slice(0, -18)
  const fraction = padded.slice(-18).slice(0, digits).replace(/0+$/, '')
  return formatDecimal(fraction === '' ? whole : `${whole}.${fraction}`)
}

export function formatDate(at: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(at)
}

export function formatDateTime(at: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }).format(at)
}

export function formatPercent(fraction: number): string {
  return formatNumber(fraction, { style: 'percent', maximumFractionDigits: 0 })
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** "3 minutes ago", "in 2 days"; under a minute "now". */
export function formatRelative(at: number, now = Date.now()): string {
  const delta = at - now
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' })
  for (const [unit, size] of STEPS)
    if (Math.abs(delta) >= size) return relative.format(Math.round(delta / size), unit)
  return relative.format(0, 'second')
}

/** "2 minutes 5 seconds": a waiting time in words. */
export function formatDuration(seconds: number): string {
  const unit = (value: number, name: string) =>
    formatNumber(value, { style: 'unit', unit: name, unitDisplay: 'long' })
  const whole = Math.max(0, Math.round(seconds))
  const days = Math.floor(whole / 86_400)
  const hours = Math.floor((whole % 86_400) / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const parts =
    days > 0
      ? [unit(days, 'day'), ...(hours > 0 ? [unit(hours, 'hour')] : [])]
      : hours > 0
        ? [unit(hours, 'hour'), ...(minutes > 0 ? [unit(minutes, 'minute')] : [])]
        : minutes > 0
          ? [unit(minutes, 'minute'), ...(whole % 60 > 0 && minutes < 5 ? [unit(whole % 60, 'second')] : [])]
          : [unit(whole, 'second')]
  return parts.join(' ')
}

/** The first and last characters of a digest or address: enough to compare by eye. */
export function shorten(hash: string, head = 8, tail = 6): string {
  return hash.length <= head + tail + 1 ? hash : `${hash.slice(0, head)}…${hash.slice(-tail)}`
}
