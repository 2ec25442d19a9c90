import { Compass } from 'lucide-react'
import { EnigmaError } from '../../../core/ipc/index.ts'
import { useT } from '../i18n/index.ts'
import { Button } from '../ui/button.tsx'
import { Page } from '../ui/page.tsx'
import { EmptyState, ErrorState } from '../ui/states.tsx'

/** An address that leads nowhere. */
export function MissingPage() {
  const t = useT()
  return (
    <Page title={t('shell.missing.title')}>
      <EmptyState
        icon={<Compass />}
        title={t('shell.missing.title')}
        actions={
          <Button
            variant="primary"
            onClick={() => {
              location.hash = '#/home'
            }}
          >
            {t('shell.nav.home')}
          </Button>
        }
      >
        {t('shell.missing.text')}
      </EmptyState>
    </Page>
  )
}

/** A screen that threw while it was drawn. */
export function BrokenPage({ error, reset }: { error: unknown; reset?: () => void }) {
  const t = useT()
  return (
    <Page title={t('shell.broken.title')}>
      <ErrorState error={EnigmaError.from(error)} onRetry={reset ?? (() => location.reload())} />
    </Page>
  )
}
