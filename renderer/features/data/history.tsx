import { RotateCcw } from 'lucide-react'
import type { Output } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { data } from '../../app/store/data.ts'
import { Button } from '../../app/ui/button.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { toast } from '../../app/ui/toast.tsx'

/** Earlier versions. Restoring one keeps the present one as a version too, so it can be undone. */
export function History({
  id,
  versions,
  readOnly,
  sharesActive,
}: {
  id: string
  versions: Output<'data.get'>['history']
  readOnly: boolean
  sharesActive: number
}) {
  const t = useT()
  const restore = useAction(async (version: number) => {
    await data.restoreVersion(id, version)
    toast({ title: t('data.version.restored', { version }), tone: 'success' })
  })
  if (versions.length === 0) return <p className="text-sm text-muted">{t('data.history.none')}</p>
  return (
    <>
      {sharesActive > 0 && <p className="mb-2 text-xs text-muted">{t('data.history.shares')}</p>}
      <ul className="divide-y divide-line rounded-lg border border-line">
        {versions.map((entry) => (
          <li key={entry.version} className="flex items-center gap-3 px-3 py-1.5">
            <span className="w-10 shrink-0 text-xs text-muted">
              {t('data.version', { version: entry.version })}
            </span>
            <span className="min-w-0 flex-1 truncate text-sm">{entry.preview}</span>
            <Time at={entry.at} className="shrink-0 text-xs text-muted" />
            {!readOnly && (
              <Button
                size="sm"
                variant="ghost"
                icon={<RotateCcw aria-hidden />}
                loading={restore.pending}
                aria-label={t('data.version.restore', { version: entry.version })}
                onClick={() => void restore.run(entry.version)}
              >
                {t('data.restore')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {restore.error !== undefined && <ErrorState error={restore.error} className="mt-2" />}
    </>
  )
}
