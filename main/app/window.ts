import { join } from 'node:path'
import { app, BrowserWindow, nativeTheme, screen } from 'electron'
import { APP_URL } from '../security/policy.ts'
import { fitBounds, readWindowState, writeWindowState } from './window-state.ts'

/** The one window. Closing it hides it: the node goes on, and the tray brings it back. */
export class AppWindow {
  readonly #stateFile: string
  readonly #preload: string
  #window: BrowserWindow | undefined
  #quitting = false

  constructor(dataDir: string, preload: string) {
    this.#stateFile = join(dataDir, 'window.json')
    this.#preload = preload
    app.on('before-quit', () => {
      this.#quitting = true
    })
  }

  get window(): BrowserWindow | undefined {
    return this.#window
  }

  show(): void {
    if (this.#window === undefined) this.#open()
    else {
      if (this.#window.isMinimized()) this.#window.restore()
      this.#window.show()
      this.#window.focus()
    }
  }

  #open(): void {
    const state = readWindowState(this.#stateFile)
    const window = new BrowserWindow({
      ...fitBounds(
        state,
        screen.getAllDisplays().map((display) => display.workArea),
      ),
      minWidth: 900,
      minHeight: 600,
      show: false,
      title: 'Enigma Vault',
      backgroundColor: nativeTheme.shouldUseDarkColors ? '#16171b' : '#ffffff',
      webPreferences: {
        preload: this.#preload,
        additionalArguments: [`--enigma-version=${app.getVersion()}`],
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        allowRunningInsecureContent: false,
        experimentalFeatures: false,
        webviewTag: false,
        navigateOnDragDrop: false,
        safeDialogs: true,
        spellcheck: false,
        devTools: !app.isPackaged,
      },
    })
    this.#window = window
    if (state?.maximized) window.maximize()
    window.once('ready-to-show', () => window.show())
    window.on('close', (event) => {
      writeWindowState(this.#stateFile, { bounds: window.getNormalBounds(), maximized: window.isMaximized() })
      if (this.#quitting) return
      event.preventDefault()
      window.hide()
    })
    window.on('closed', () => {
      this.#window = undefined
    })
    window.webContents.on('render-process-gone', (_event, details) => {
      if (details.reason !== 'clean-exit' && !this.#quitting) window.webContents.reload()
    })
    void window.loadURL(APP_URL)
  }
}
