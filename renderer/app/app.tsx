import { RouterProvider } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import { activateLanguage, systemLanguage } from './i18n/index.ts'
import { useTheme } from './lib/appearance.ts'
import { router } from './router.tsx'
import { useOnboarding } from './shell/onboarding.ts'
import { Starting } from './shell/starting.tsx'
import { useConnection } from './store/client.ts'
import { settings } from './store/settings.ts'
import { appInfo, vaultStatus } from './store/vault.ts'
import { Toaster } from './ui/toast.tsx'
import { TooltipProvider } from './ui/tooltip.tsx'

const Welcome = lazy(() => import('../features/welcome/page.tsx'))
const Unlock = lazy(() => import('../features/unlock/page.tsx'))
const Gallery = lazy(() => import('../features/gallery/page.tsx'))

const showsGallery = location.hash.startsWith('#/gallery')

/** Which of the four there is to see: nothing yet, Welcome, Unlock, or the vault. */
function Gate() {
  const connection = useConnection((s) => s.state)
  const info = appInfo.use({})
  const status = vaultStatus.use({})
  const onboarding = useOnboarding((s) => s.active)
  if (showsGallery) return <Gallery />
  if (onboarding || status.data?.state === 'missing') return <Welcome />
  if (status.data === undefined || info.data === undefined || info.data.state !== 'ready')
    return <Starting connection={connection} info={info} status={status} />
  // Locked means that no screen of the vault stays mounted: what it held in memory is gone.
  return status.data.state === 'locked' ? <Unlock /> : <RouterProvider router={router} />
}

export function App() {
  const { data } = settings.use({})
  useTheme(data?.theme ?? 'system')
  const language = data?.language
  useEffect(() => {
    void activateLanguage(language ?? systemLanguage())
  }, [language])
  return (
    <TooltipProvider delay={500}>
      <Suspense fallback={null}>
        <Gate />
      </Suspense>
      <Toaster />
    </TooltipProvider>
  )
}
