import { useNavigate, useParams } from '@tanstack/react-router'
import { useT } from '../../app/i18n/index.ts'
import { Page } from '../../app/ui/page.tsx'
import { Tabs } from '../../app/ui/tabs.tsx'
import { About } from './about.tsx'
import { Backup } from './backup.tsx'
import { General } from './general.tsx'
import { Security } from './security.tsx'

const SECTIONS = ['general', 'security', 'backup', 'about'] as const
type Section = (typeof SECTIONS)[number]

/** `/settings/backup` opens a section directly. */
export default function SettingsPage() {
  const t = useT()
  const navigate = useNavigate()
  const { id } = useParams({ strict: false })
  const section = SECTIONS.find((s) => s === id) ?? 'general'
  const contents = { general: <General />, security: <Security />, backup: <Backup />, about: <About /> }
  return (
    <Page title={t('shell.nav.settings')} width="text">
      <Tabs<Section>
        label={t('shell.nav.settings')}
        value={section}
        onValueChange={(next) => void navigate({ to: '/settings/$id', params: { id: next }, replace: true })}
        tabs={SECTIONS.map((value) => ({ value, label: t(`settings.${value}`), content: contents[value] }))}
      />
    </Page>
  )
}
