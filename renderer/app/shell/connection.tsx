import { PlugZap } from 'lucide-react'
import { useT } from '../i18n/index.ts'
import { retryConnection, useConnection } from '../store/client.ts'
import { Button } from '../ui/button.tsx'
import { Time } from '../ui/time.tsx'

/** Says that the node cannot be reached, and that nothing on the disk is affected by it. */
export function ConnectionBanner() {
  const t = useT()
  const { state, lostAt } = useConnection()
  if (state === 'ready' || state === 'connecting') return null
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-warning-line bg-warning-soft px-4 py-1.5 text-sm"
    >
      <PlugZap aria-hidden className="size-4 shrink-0 text-warning" />
      <span className="min-w-0 flex-1">
        {state === 'refused' ? t('shell.connection.refused') : t('shell.connection.offline')}{' '}
        {lostAt !== undefined && (
          <span className="text-muted">
            <Time at={lostAt} />
          </span>
        )}
      </span>
      {state === 'offline' && (
        <Button size="sm" onClick={retryConnection}>
          {t('ui.tryAgain')}
        </Button>
      )}
    </div>
  )
}
