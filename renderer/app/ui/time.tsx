import { useEffect, useState } from 'react'
import { useT } from '../i18n/index.ts'
import { formatDate, formatDateTime, formatRelative } from '../lib/format.ts'

/** "3 minutes ago", kept fresh; hovering shows date and time. After a month the date itself. */
export function Time({
  at,
  absolute = false,
  className,
}: {
  at: number
  absolute?: boolean
  className?: string
}) {
  useT()
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000)
    return () => clearInterval(timer)
  }, [])
  const text = absolute
    ? formatDateTime(at)
    : Math.abs(now - at) > 30 * 86_400_000
      ? formatDate(at)
      : formatRelative(at, Math.max(now, at > now + 60_000 ? now : Math.max(at, now)))
  return (
    <time dateTime={new Date(at).toISOString()} title={formatDateTime(at)} className={className}>
      {text}
    </time>
  )
}
