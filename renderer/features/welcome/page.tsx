import { useEffect, useState } from 'react'
import type { Settings } from '../../../core/ipc/index.ts'
import { activateLanguage, currentLanguage, type Language, useT } from '../../app/i18n/index.ts'
import { ConnectionBanner } from '../../app/shell/connection.tsx'
import { Logo } from '../../app/shell/logo.tsx'
import { setOnboarding } from '../../app/shell/onboarding.ts'
import { saveSettings } from '../../app/store/settings.ts'
import { vaultStatus } from '../../app/store/vault.ts'
import { Button } from '../../app/ui/button.tsx'
import { RadioGroup } from '../../app/ui/checkbox.tsx'
import { Select } from '../../app/ui/select.tsx'
import { CreateSteps } from './create.tsx'
import { RestoreSteps } from './restore.tsx'

type Mode = 'choose' | 'create' | 'restore'

/** First start: language, role, and a vault, new or from its 24 words. */
export default function Welcome() {
  const t = useT()
  const [mode, setMode] = useState<Mode>('choose')
  const [role, setRole] = useState<Settings['role']>('person')
  useEffect(() => {
    document.title = `${t('welcome.title')} · Enigma`
  }, [t])

  const chooseLanguage = (language: Language) => {
    void activateLanguage(language)
    void saveSettings({ language }).catch(() => undefined)
  }
  const finish = async () => {
    // First, so that whoever goes on elsewhere at once is not called back.
    location.hash = '#/home'
    await saveSettings({ role, language: currentLanguage() }).catch(() => undefined)
    await vaultStatus.refresh({})
    setOnboarding(false)
  }
  const begin = (next: Mode) => {
    setOnboarding(next !== 'choose')
    setMode(next)
  }

  return (
    <div className="flex h-full flex-col">
      <ConnectionBanner />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <main tabIndex={0} className="min-h-0 flex-1 overflow-y-auto -outline-offset-2">
        <div className="mx-auto flex min-h-full w-full max-w-2xl flex-col justify-center px-6 py-8">
          <header className="mb-6 flex items-center gap-3">
            <Logo className="size-9" />
            <h1 className="flex-1 text-xl font-semibold">{t('welcome.title')}</h1>
            <Select<Language>
              className="w-36"
              label={t('welcome.language')}
              value={currentLanguage()}
              onValueChange={chooseLanguage}
              options={[
                { value: 'en', label: 'English' },
                { value: 'zh', label: '简体中文' },
              ]}
            />
          </header>
          <div className="rounded-xl border border-line bg-surface p-6 shadow-card">
            {mode === 'choose' && (
              <>
                <p className="text-muted">{t('welcome.intro')}</p>
                <h2 className="mt-5 mb-2 text-sm font-semibold">{t('welcome.role')}</h2>
                <RadioGroup<Settings['role']>
                  cards
                  label={t('welcome.role')}
                  value={role}
                  onValueChange={setRole}
                  options={(['person', 'seller', 'operator'] as const).map((value) => ({
                    value,
                    label: t(`welcome.role.${value}`),
                    hint: t(`welcome.role.${value}.hint`),
                  }))}
                />
                <p className="mt-2 text-xs text-muted">{t('welcome.role.later')}</p>
                <div className="mt-6 flex flex-wrap gap-2">
                  <Button variant="primary" size="lg" onClick={() => begin('create')}>
                    {t('welcome.create')}
                  </Button>
                  <Button size="lg" onClick={() => begin('restore')}>
                    {t('welcome.restore')}
                  </Button>
                </div>
              </>
            )}
            {mode === 'create' && <CreateSteps onBack={() => begin('choose')} onDone={() => void finish()} />}
            {mode === 'restore' && (
              <RestoreSteps onBack={() => begin('choose')} onDone={() => void finish()} />
            )}
          </div>
        </div>
      </main>
    </div>
  )
}
