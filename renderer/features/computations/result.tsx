import { hasMessage, useT } from '../../app/i18n/index.ts'
import { formatDecimal } from '../../app/lib/format.ts'
import { computeResult } from '../../app/store/compute.ts'
import { CopyButton } from '../../app/ui/copy.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { ValueTable } from '../declassify/revealed.tsx'
import { BinTable } from './bin-table.tsx'
import { binsOf, rangeText } from './bins.ts'

/** The result, decrypted for the requester: exact, to copy as it is. */
export function ComputationResult({ id }: { id: string }) {
  const t = useT()
  const { data, error, reload } = computeResult.use({ id })
  if (error !== undefined) return <ErrorState error={error} onRetry={reload} />
  if (data === undefined)
    return (
      <Panel title={t('computations.result')} level={3}>
        <SkeletonLines lines={2} />
      </Panel>
    )
  const [only] = data.values
  const precision = `computations.result.text.${data.function}`
  const bins = data.edges && binsOf(data.values, data.edges)
  return (
    <Panel
      title={t('computations.result')}
      description={t('computations.result.from', { owners: data.owners, nodes: data.nodes })}
      level={3}
      actions={
        data.values.length > 1 && (
          <CopyButton
            text={(bins?.map((bin) => `${rangeText(t, bin)}\t${bin.count}`) ?? data.values).join('\n')}
            label={t('computations.copy.all')}
          />
        )
      }
    >
      {data.values.length === 1 && only !== undefined ? (
        <div className="flex items-center gap-2">
          <output className="min-w-0 text-2xl font-semibold break-all select-all">
            {formatDecimal(only)}
          </output>
          <CopyButton text={only} label={t('computations.copy')} />
        </div>
      ) : bins === undefined ? (
        <ValueTable values={data.values} label={t('computations.result')} />
      ) : (
        <BinTable bins={bins} />
      )}
      <p className="mt-2 text-xs text-muted">
        {t(hasMessage(precision) ? precision : 'computations.result.text')}
      </p>
    </Panel>
  )
}
