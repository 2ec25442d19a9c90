import { useMemo } from 'react'
import { Area, AreaChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import { useT } from '../../app/i18n/index.ts'
import { formatDate, formatDateTime, formatNumber } from '../../app/lib/format.ts'

const MOST_POINTS = 600

/** A line over time. The table below it says the same in words, so the picture is hidden from screen readers. */
export default function SeriesChart({
  points,
  unit,
}: {
  points: readonly { at: number; value: string }[]
  unit: string
}) {
  const t = useT()
  const shown = useMemo(() => {
    const every = Math.ceil(points.length / MOST_POINTS)
    return points.filter((_, i) => i % every === 0).map((p) => ({ at: p.at, value: Number(p.value) }))
  }, [points])
  return (
    <div aria-hidden className="h-52 rounded-lg border border-line p-3 text-xs">
      <ResponsiveContainer width="100%" height="100%">
        <AreaChart data={shown} margin={{ top: 4, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid stroke="var(--line)" vertical={false} />
          <XAxis
            dataKey="at"
            type="number"
            scale="time"
            domain={['dataMin', 'dataMax']}
            tickFormatter={(at: number) => formatDate(at)}
            minTickGap={48}
            tick={{ fill: 'var(--muted)' }}
            stroke="var(--line)"
          />
          <YAxis
            width={48}
            domain={['auto', 'auto']}
            tickFormatter={(value: number) => formatNumber(value)}
            tick={{ fill: 'var(--muted)' }}
            stroke="var(--line)"
          />
          <Tooltip
            isAnimationActive={false}
            labelFormatter={(at) => formatDateTime(Number(at))}
            formatter={(value) => [`${formatNumber(Number(value))} ${unit}`, t('data.value')]}
            contentStyle={{ background: 'var(--raised)', border: '1px solid var(--line)', borderRadius: 6 }}
          />
          <Area
            dataKey="value"
            type="linear"
            stroke="var(--accent-text)"
            strokeWidth={1.75}
            fill="var(--accent-soft)"
            isAnimationActive={false}
          />
        </AreaChart>
      </ResponsiveContainer>
    </div>
  )
}
