import { CSPProvider } from '@base-ui/react/csp-provider'
import { I18nProvider } from '@lingui/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { activateLanguage, i18n, systemLanguage } from './app/i18n/index.ts'
import { installBridge } from './app/store/client.ts'
import { openBridge } from './bridge.ts'
import './styles.css'

// Before anything reads the address: a browser's one-time token is in it.
installBridge(openBridge())
await activateLanguage(systemLanguage())

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <I18nProvider i18n={i18n}>
        <App />
      </I18nProvider>
    </CSPProvider>
  </StrictMode>,
)
