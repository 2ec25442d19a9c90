import type { Predicate } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { encoding } from '../../app/store/sharing.ts'
import { useLast, useSettled } from '../../app/store/use-settled.ts'
import { CopyButton, Hash } from '../../app/ui/copy.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Skeleton } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'

/** The rule as the chain keeps it: its id and its bytes. `rule` undefined while it is not complete. */
export function OnChain({ rule }: { rule: Predicate | undefined }) {
  const t = useT()
  const settled = useSettled(rule)
  const { data, error, reload } = encoding.use(settled === undefined ? undefined : { predicate: settled })
  const shown = useLast(data)
  if (rule === undefined || settled === undefined)
    return <p className="text-sm text-muted">{t('predicates.onChain.waiting')}</p>
  if (error !== undefined) return <ErrorState error={error} onRetry={reload} compact />
  if (shown === undefined) return <Skeleton className="w-2/3" />
  return <Encoded id={shown.id} encoding={shown.encoding} stale={data === undefined} />
}

export function Encoded({
  id,
  encoding: bytes,
  stale = false,
}: {
  id: string
  encoding: string
  stale?: boolean
}) {
  const t = useT()
  return (
    <div className="flex flex-col gap-3" aria-busy={stale}>
      <KeyValue rows={[[t('predicates.onChain.id'), <Hash key="id" value={id} />]]} />
      <div>
        <div className="flex items-center justify-between gap-2 text-xs text-muted">
          <span>
            {t('predicates.onChain.encoding')} ·{' '}
            {t('predicates.onChain.bytes', { count: Math.max(0, (bytes.length - 2) / 2) })}
          </span>
          <CopyButton text={bytes} />
        </div>
        <section
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          aria-label={t('predicates.onChain.encoding')}
          className="max-h-40 overflow-auto rounded-md border border-line bg-sunken p-2 font-mono text-xs break-all"
        >
          {bytes}
        </section>
      </div>
      <p className="text-xs text-muted">{t('predicates.onChain.public')}</p>
    </div>
  )
}
