import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { app, dialog } from 'electron'
import { createLog } from '../core/base/log.ts'
import { EnigmaError } from '../core/ipc/index.ts'
import { confirmWithDialog } from './app/confirm.ts'
import { setMenu } from './app/menu.ts'
import { chooseNetwork } from './app/network.ts'
import { connectPages, launchUtility } from './app/node-process.ts'
import { lockWithSystem } from './app/power.ts'
import { AppTray } from './app/tray.ts'
import type { TrayAction } from './app/tray-model.ts'
import { startUpdates } from './app/updater.ts'
import { AppWindow } from './app/window.ts'
import { NodeClient } from './host/client.ts'
import { defaultDataDir, privateDirectory } from './host/data-dir.ts'
import { ROOT, rendererRoot } from './process/entry.ts'
import { SupervisedNode } from './process/supervised.ts'
import { guardContents, guardSession, registerScheme } from './security/guard.ts'

const { values } = parseArgs({
  args: process.argv.slice(app.isPackaged ? 1 : 2),
  options: { data: { type: 'string' }, network: { type: 'string' } },
  strict: false,
})
const dataDir = privateDirectory(typeof values.data === 'string' ? resolve(values.data) : defaultDataDir())
const log = createLog(app.isPackaged ? 'warn' : 'info').child('app')

app.setName('Enigma Vault')
// Chromium's own files live apart from the vault; the instance lock is per data directory.
app.setPath('userData', join(dataDir, 'window'))
app.enableSandbox()
registerScheme()
guardContents()

if (!app.requestSingleInstanceLock()) app.quit()
else void app.whenReady().then(run, fail)

async function run(): Promise<void> {
  guardSession(rendererRoot())
  setMenu()
  const window = new AppWindow(dataDir, join(ROOT, 'dist', 'main', 'preload', 'index.cjs'))
  const closers: (() => Promise<void>)[] = []
  let client: NodeClient | undefined

  const act = (action: TrayAction) => {
    if (action === 'open' || action === 'approvals') window.show()
    else if (action === 'quit') app.quit()
    else {
      const method = ({ pause: 'node.pause', resume: 'node.resume', lock: 'vault.lock' } as const)[action]
      client?.call(method, {}).catch(() => undefined)
    }
  }
  const tray = new AppTray(join(ROOT, 'assets'), act)
  lockWithSystem(() => act('lock'))
  app.on('second-instance', () => window.show())
  app.on('activate', () => window.show())
  // Closing the window leaves the node running; quitting ends everything in order.
  app.on('window-all-closed', () => undefined)
  let ended = false
  app.on('will-quit', (event) => {
    if (ended) return
    event.preventDefault()
    client?.close()
    void (async () => {
      for (const close of closers.reverse()) await close().catch(() => undefined)
      ended = true
      app.quit()
    })()
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => app.quit())

  window.show()
  const network = await chooseNetwork(
    dataDir,
    typeof values.network === 'string' ? resolve(values.network) : undefined,
    launchUtility,
    log,
    (stop) => closers.push(stop),
  )
  const node = new SupervisedNode(
    launchUtility,
    ['--data', dataDir, '--network', network, '--host', 'electron'],
    log.child('node'),
  )
  closers.push(() => node.stop())
  connectPages(node, (ask, language, signal) => confirmWithDialog(window.window, ask, language, signal))
  node.onMessage((message) => {
    if (message.type === 'failed') log.error('node.failed', { code: message.error.code })
    if (message.type !== 'listening') return
    void NodeClient.connect(dataDir).then(
      (connected) => {
        client = connected
        tray.follow(connected)
      },
      () => undefined,
    )
  })
  node.start()
  startUpdates(log.child('update'))
}

function fail(error: unknown): void {
  const { message, remedy, code } = EnigmaError.from(error).toObject()
  log.error('start.failed', { code })
  dialog.showErrorBox('Enigma Vault', `${message}\n\n${remedy ?? ''}\n(${code})`)
  app.exit(1)
}
