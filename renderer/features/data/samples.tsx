import type { NewValue } from '../../../core/ipc/index.ts'
import { type MessageKey, useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { data } from '../../app/store/data.ts'
import { Button } from '../../app/ui/button.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { typeIcons } from './types.ts'

const DAY = 86_400_000

interface Sample {
  name: 'salary' | 'pressure' | 'spending'
  make: () => NewValue
}

/** Made-up values, the same each time: to try sharing and computing without one's own data. */
const SAMPLES: readonly Sample[] = [
  { name: 'salary', make: () => ({ type: 'number', value: '48650.00', unit: 'EUR' }) },
  {
    name: 'pressure',
    make: () => {
      const today = Math.floor(Date.now() / DAY) * DAY
      return {
        type: 'timeseries',
        unit: 'mmHg',
        points: Array.from({ length: 60 }, (_, i) => ({
          at: today - (60 - i) * DAY,
          value: String(122 + ((i * 7) % 11) + Math.floor(i / 12)),
        })),
      }
    },
  },
  {
    name: 'spending',
    make: () => ({
      type: 'table',
      columns: [
        { name: 'month', kind: 'date' },
        { name: 'rent', kind: 'number' },
        { name: 'food', kind: 'number' },
        { name: 'energy', kind: 'number' },
      ],
      rows: Array.from({ length: 12 }, (_, i) => [
        `2025-${String(i + 1).padStart(2, '0')}-01`,
        '980.00',
        (310 + ((i * 37) % 90)).toFixed(2),
        (64 + ((i * 53) % 71) / 2).toFixed(2),
      ]),
    }),
  },
]

export function Samples({ onAdded }: { onAdded: (id: string) => void }) {
  const t = useT()
  const add = useAction(async (sample: Sample) => {
    const { id } = await data.add({
      title: t(`data.sample.${sample.name}` satisfies MessageKey),
      tags: [t('data.sample.tag')],
      value: sample.make(),
    })
    onAdded(id)
  })
  return (
    <div className="flex flex-col gap-3">
      <p className="text-sm text-muted">{t('data.sample.text')}</p>
      <ul className="flex flex-col gap-2">
        {SAMPLES.map((sample) => {
          const Icon = typeIcons[sample.make().type]
          return (
            <li key={sample.name} className="flex items-center gap-3 rounded-lg border border-line px-3 py-2">
              <Icon aria-hidden className="size-4 shrink-0 text-muted" />
              <div className="min-w-0 flex-1">
                <p className="text-sm font-medium">{t(`data.sample.${sample.name}`)}</p>
                <p className="text-xs text-muted">{t(`data.sample.${sample.name}.hint`)}</p>
              </div>
              <Button
                size="sm"
                loading={add.pending}
                aria-label={`${t('data.sample.add')}: ${t(`data.sample.${sample.name}`)}`}
                onClick={() => void add.run(sample)}
              >
                {t('data.sample.add')}
              </Button>
            </li>
          )
        })}
      </ul>
      {add.error !== undefined && <ErrorState error={add.error} />}
    </div>
  )
}
