import { EnigmaError, type Output } from '../../../core/ipc/index.ts'
import type { BridgeState } from '../../bridge.ts'
import { useT } from '../i18n/index.ts'
import { retryConnection } from '../store/client.ts'
import type { QueryState } from '../store/query.ts'
import { Spinner } from '../ui/spinner.tsx'
import { ErrorState } from '../ui/states.tsx'
import { Logo } from './logo.tsx'

interface Reloadable {
  reload(): void
}

/** Before the node answers, or when it did not come up. */
export function Starting({
  connection,
  info,
  status,
}: {
  connection: BridgeState
  info: QueryState<Output<'app.info'>> & Reloadable
  status: QueryState<Output<'vault.status'>> & Reloadable
}) {
  const t = useT()
  const error =
    connection === 'refused'
      ? new EnigmaError('HOST_GONE', 'the host does not accept this page; open the app again')
      : (info.data?.error ?? (connection === 'ready' ? (info.error ?? status.error) : undefined))
  return (
    <main className="flex h-full flex-col items-center justify-center gap-5 p-6">
      <Logo className="size-12" />
      <h1 className="sr-only">Enigma</h1>
      {error === undefined ? (
        <p className="flex items-center gap-2 text-sm text-muted">
          <Spinner decorative />
          <span role="status">
            {connection === 'ready' ? t('shell.starting.node') : t('shell.starting.connect')}
          </span>
        </p>
      ) : (
        <ErrorState
          className="max-w-lg"
          error={error}
          onRetry={
            connection === 'refused'
              ? undefined
              : () => {
                  retryConnection()
                  info.reload()
                  status.reload()
                }
          }
        />
      )}
      {connection === 'refused' && (
        <p className="max-w-lg text-sm text-muted">{t('shell.connection.refused')}</p>
      )}
    </main>
  )
}
