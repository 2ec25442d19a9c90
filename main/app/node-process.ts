import {
  BrowserWindow,
  ipcMain,
  MessageChannelMain,
  type MessagePortMain,
  utilityProcess,
  type WebContents,
} from 'electron'
import type { Confirmation } from '../../core/ipc/index.ts'
import type { Language } from '../host/confirm-text.ts'
import { entryPath } from '../process/entry.ts'
import type { FromNode } from '../process/messages.ts'
import type { Launcher, SupervisedNode } from '../process/supervised.ts'
import { isTrustedFrame } from '../security/policy.ts'

/** What of the environment a node needs; nothing that could change how it runs. */
const ENVIRONMENT = [
  'HOME',
  'PATH',
  'LANG',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'SystemRoot',
  'APPDATA',
  'USERPROFILE',
]

/** Starts `main/headless` in a utility process: RunAsNode is off in the packaged app, and this ends with it. */
export const launchUtility: Launcher = (args) => {
  const child = utilityProcess.fork(entryPath('headless'), ['--linked', ...args], {
    serviceName: 'Enigma node',
    stdio: ['ignore', 'ignore', 'inherit'],
    env: Object.fromEntries(
      ENVIRONMENT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
    ),
  })
  return {
    get pid() {
      return child.pid
    },
    post: (message, ports = []) => child.postMessage(message, ports as MessagePortMain[]),
    onMessage: (listener) => void child.on('message', (message: FromNode) => listener(message)),
    onExit: (listener) => void child.once('exit', (code) => listener(code)),
    kill: () => void child.kill(),
  }
}

/**
 * Connects pages with the node: on request, and unasked after the node was started again. Questions of the node
 * go to `confirm`; a page's frames travel over a port that the main process does not read.
 */
export function connectPages(
  node: SupervisedNode,
  confirm: (ask: Confirmation, language: Language, signal: AbortSignal) => Promise<boolean>,
): void {
  let up = false
  let nextClient = 1
  const questions = new Map<number, AbortController>()
  /** Pages that have asked once. */
  const pages = new Set<WebContents>()

  const connect = (contents: WebContents) => {
    if (!up || contents.isDestroyed()) return
    const { port1, port2 } = new MessageChannelMain()
    node.post({ type: 'open', client: nextClient++ }, [port1])
    contents.postMessage('enigma:port', null, [port2])
  }

  ipcMain.on('enigma:connect', (event) => {
    if (!isTrustedFrame(event.senderFrame)) return
    if (BrowserWindow.fromWebContents(event.sender) === null) return
    if (!pages.has(event.sender)) {
      pages.add(event.sender)
      event.sender.once('destroyed', () => pages.delete(event.sender))
    }
    connect(event.sender)
  })

  node.onExit(() => {
    up = false
    for (const question of questions.values()) question.abort()
    questions.clear()
  })
  node.onMessage((message) => {
    if (message.type === 'listening') {
      up = true
      for (const page of pages) connect(page)
    } else if (message.type === 'withdraw') questions.get(message.confirmation)?.abort()
    else if (message.type === 'confirm') {
      const question = new AbortController()
      questions.set(message.confirmation, question)
      void confirm(message.ask, message.language, question.signal)
        .catch(() => false)
        .then((accept) => {
          if (questions.get(message.confirmation) !== question) return
          questions.delete(message.confirmation)
          node.post({ type: 'decision', confirmation: message.confirmation, accept })
        })
    }
  })
}
