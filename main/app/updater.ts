import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { app } from 'electron'
import updater from 'electron-updater'
import type { Log } from '../../core/base/log.ts'
import { day } from '../../core/base/units.ts'

/**
 * Looks for signed updates, where the package was built with a feed (app-update.yml); nothing happens elsewhere.
 * Never an older version than the installed one, and never installed while the app runs.
 */
export function startUpdates(log: Log): void {
  if (!app.isPackaged || !existsSync(join(process.resourcesPath, 'app-update.yml'))) return
  const { autoUpdater } = updater
  autoUpdater.allowDowngrade = false
  autoUpdater.allowPrerelease = false
  autoUpdater.autoDownload = true
  autoUpdater.autoInstallOnAppQuit = true
  autoUpdater.logger = null
  autoUpdater.on('error', (error) => log.warn('update.failed', { error: error.name }))
  autoUpdater.on('update-downloaded', ({ version }) => log.info('update.downloaded', { version }))
  const look = () => void autoUpdater.checkForUpdates().catch(() => undefined)
  look()
  setInterval(look, day).unref()
}
