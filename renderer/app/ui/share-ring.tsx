import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'

export interface RingHolder {
  index: number
  healthy: boolean
}

const point = (angle: number, radius: number) =>
  `${(50 + radius * Math.cos(angle)).toFixed(2)} ${(50 + radius * Math.sin(angle)).toFixed(2)}`

/** An arc of the circle of `radius` about the centre, clockwise, angles in radians from the top. */
function arc(from: number, to: number, radius: number): string {
  const start = from - Math.PI / 2
  const end = to - Math.PI / 2
  return `M ${point(start, radius)} A ${radius} ${radius} 0 ${to - from > Math.PI ? 1 : 0} 1 ${point(end, radius)}`
}

/**
 * The n holders of a datum's shares around it. A filled segment answers, a hollow dashed one does not; the
 * mark outside stands where the threshold lies: with fewer healthy holders than `threshold` the datum cannot
 * be brought back. `threshold` is the number of shares needed (t + 1), `holders` has 3 to 32 entries.
 */
export function ShareRing({
  holders,
  threshold,
  size = 96,
  label,
  revoked = false,
  className,
}: {
  holders: readonly RingHolder[]
  threshold: number
  size?: number
  /** What is shared, for the accessible text. */
  label?: string
  revoked?: boolean
  className?: string
}) {
  const t = useT()
  const n = holders.length
  const healthy = holders.filter((h) => h.healthy).length
  const text = t(revoked ? 'ui.ring.revoked' : 'ui.ring.label', { healthy, n, threshold })
  const step = n === 0 ? 0 : (2 * Math.PI) / n
  const gap = Math.min(step * 0.22, 0.18)
  const tone = revoked ? 'faint' : healthy < threshold ? 'danger' : healthy < n ? 'warning' : 'accent'
  const stroke = {
    faint: 'stroke-faint',
    danger: 'stroke-danger',
    warning: 'stroke-warning',
    accent: 'stroke-accent',
  }
  // Healthy holders first, so that "how many more may fall away" is the distance to the mark.
  const ordered = [...holders].sort((a, b) => Number(b.healthy) - Number(a.healthy) || a.index - b.index)
  const small = size < 56
  const mark = threshold * step
  return (
    <svg
      role="img"
      aria-label={label === undefined ? text : `${label}: ${text}`}
      viewBox="0 0 100 100"
      width={size}
      height={size}
      className={cn('shrink-0', className)}
    >
      <title>{text}</title>
      {ordered.map((holder, i) => (
        <path
          key={holder.index}
          d={arc(i * step + gap / 2, (i + 1) * step - gap / 2, 37)}
          fill="none"
          strokeLinecap="butt"
          strokeWidth={holder.healthy ? 11 : 3}
          {...(holder.healthy ? {} : { strokeDasharray: '3 3' })}
          className={holder.healthy ? stroke[tone] : 'stroke-control'}
        />
      ))}
      {!revoked && n > 0 && (
        <line
          x1={50}
          y1={threshold >= n ? 1 : small ? 4 : 2}
          x2={50}
          y2={small ? 22 : 20}
          strokeWidth={small ? 5 : 2.5}
          strokeLinecap="round"
          className="stroke-text"
          transform={`rotate(${(mark * 180) / Math.PI} 50 50)`}
        />
      )}
      {!small && (
        <text
          x={50}
          y={50}
          textAnchor="middle"
          dominantBaseline="central"
          className="fill-text text-[19px] font-semibold"
          aria-hidden
        >
          {revoked ? '—' : `${healthy}/${n}`}
        </text>
      )}
    </svg>
  )
}

/** The ring with its words beside it. */
export function ShareRingFigure({
  holders,
  threshold,
  revoked = false,
  size = 72,
  title,
  children,
}: {
  holders: readonly RingHolder[]
  threshold: number
  revoked?: boolean
  size?: number
  title?: string
  children?: React.ReactNode
}) {
  const t = useT()
  const healthy = holders.filter((h) => h.healthy).length
  const spare = healthy - threshold
  return (
    <div className="flex min-w-0 items-center gap-4">
      <ShareRing
        holders={holders}
        threshold={threshold}
        size={size}
        revoked={revoked}
        {...(title === undefined ? {} : { label: title })}
      />
      <div className="min-w-0 text-sm">
        {title !== undefined && <p className="truncate font-medium">{title}</p>}
        <p>{revoked ? t('ui.ring.revokedShort') : t('ui.ring.healthy', { healthy, n: holders.length })}</p>
        {!revoked && (
          <p className={cn('text-xs', spare < 0 ? 'text-danger' : 'text-muted')}>
            {spare < 0
              ? t('ui.ring.below', { threshold })
              : spare === 0
                ? t('ui.ring.atThreshold', { threshold })
                : t('ui.ring.spare', { spare, threshold })}
          </p>
        )}
        {children}
      </div>
    </div>
  )
}
