import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createLog, type Log } from '../core/base/log.ts'
import { EnigmaError } from '../core/ipc/index.ts'
import { chooseNetwork } from './app/network.ts'
import { type BrowserHost, serveBrowser } from './host/browser.ts'
import { type ConfirmServer, serveConfirmations } from './host/confirm-server.ts'
import { privateDirectory } from './host/data-dir.ts'
import { BrowserSupervisor } from './process/browser-supervisor.ts'
import { findElectron } from './process/electron-binary.ts'
import { hasRenderer, ROOT, rendererRoot } from './process/entry.ts'
import { endCleanly } from './process/lifecycle.ts'
import { type OpenMode, openInBrowser, openMode } from './process/open-url.ts'
import { launchNode, SupervisedNode } from './process/supervised.ts'

export interface StartOptions {
  dataDir: string
  /** No window and no browser: the local socket only. */
  headless: boolean
  /** Network settings file; without it those in the data directory, else an embedded devnet. */
  network?: string
  /** Peers of the embedded devnet. */
  nodes: number
  serve: boolean
  /** One line on standard output for each thing that happened. */
  event(event: Record<string, unknown> & { event: string }): void
  note(text: string): void
}

/** Starts the app and stays until it is told to end. Rejects when it cannot start. */
export async function start(options: StartOptions): Promise<void> {
  const dataDir = privateDirectory(options.dataDir)
  if (!options.headless) {
    const electron = findElectron(true)
    if ('path' in electron) return openWindow(electron.path, dataDir, options)
    options.note(`No desktop window: ${electron.reason}. Using the system browser instead.`)
    if (!hasRenderer())
      throw new EnigmaError('NOT_FOUND', `the interface is not built: ${rendererRoot()} is missing`, {
        remedy: 'In a checkout run: npm run build',
      })
  }
  const log = createLog('warn').child('start')
  const closers: (() => Promise<void> | void)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  endCleanly(close, process.env.ENIGMA_PARENT === 'stdin' ? 'stdin' : 'none')
  try {
    const named = options.network === undefined ? undefined : resolve(options.network)
    if (named === undefined) options.note('Starting the network …')
    const network = await chooseNetwork(dataDir, named, launchNode, log, (stop) => closers.push(stop), {
      nodes: options.nodes,
      announce: (info) => options.event({ event: 'devnet', ...info }),
    })
    const args = [
      '--data',
      dataDir,
      '--network',
      network,
      '--host',
      options.headless ? 'headless' : 'browser',
    ]
    const node = new SupervisedNode(
      launchNode,
      options.serve ? [...args, '--serve'] : args,
      log.child('node'),
    )
    closers.push(() => node.stop())
    if (!options.headless) closers.push(await openBrowser(node, options, log))
    const ready = node.ready()
    node.onMessage((message) => {
      if (message.type === 'listening')
        options.event({ event: 'listening', socket: message.socket, pid: node.pid })
    })
    node.start()
    const { nodeId, addresses } = await ready
    options.event({ event: 'ready', nodeId, addresses, data: dataDir, network, pid: node.pid })
    node.onMessage((message) => {
      if (message.type === 'ready')
        options.event({ event: 'ready', nodeId, addresses, data: dataDir, network, pid: node.pid })
    })
  } catch (error) {
    await close()
    throw EnigmaError.fromObject(error)
  }
  await new Promise(() => {})
}

async function openBrowser(
  node: SupervisedNode,
  options: StartOptions,
  log: Log,
): Promise<() => Promise<void>> {
  const mode = openMode()
  const show = (event: 'url' | 'confirm', url: string) => present(mode, event, url, options)
  const supervisor = new BrowserSupervisor(node)
  const confirmations: ConfirmServer = await serveConfirmations({
    log: log.child('confirm'),
    open: (url) => show('confirm', url),
  })
  supervisor.onConfirm((ask, language, signal) => confirmations.confirm(ask, language, signal))
  const host: BrowserHost = await serveBrowser({
    root: rendererRoot(),
    log: log.child('browser'),
    attach: (page) => supervisor.attach(page),
  })
  let shown = false
  node.onMessage((message) => {
    if (message.type !== 'listening' || shown) return
    shown = true
    show('url', host.issueUrl())
  })
  // A link works once: a line on standard input asks for another.
  if (process.env.ENIGMA_PARENT === 'stdin' || process.stdin.isTTY) {
    if (process.stdin.isTTY) options.note('Press Enter to open the app again.')
    process.stdin.on('data', () => show('url', host.issueUrl()))
  }
  return async () => {
    await host.close()
    await confirmations.close()
  }
}

function present(mode: OpenMode, event: 'url' | 'confirm', url: string, options: StartOptions): void {
  if (event === 'url' || mode === 'print') options.event({ event, url })
  if (mode === 'browser') openInBrowser(url)
  else if (mode === 'none' && event === 'confirm') options.note(`Your confirmation is asked at ${url}`)
}

/** The desktop app runs devnet and node itself; this process only waits for it. */
function openWindow(electron: string, dataDir: string, options: StartOptions): Promise<void> {
  const entry = join(ROOT, 'dist', 'main', 'index.js')
  if (!existsSync(entry))
    throw new EnigmaError('NOT_FOUND', `the app is not built: ${entry} is missing`, {
      remedy: 'In a checkout run: npm run build',
    })
  const args = [ROOT, '--data', dataDir, ...(options.network ? ['--network', resolve(options.network)] : [])]
  const child = spawn(electron, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((done, fail) => {
    child.on('error', () => fail(new EnigmaError('INTERNAL', `${electron} does not start`)))
    child.on('exit', (code) => {
      process.exitCode = code ?? 1
      done()
    })
  })
}
