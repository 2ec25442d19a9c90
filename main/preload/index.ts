import { contextBridge, ipcRenderer } from 'electron'

/**
 * The only thing the sandboxed page gets: asking for a channel. A MessagePort cannot cross the context bridge,
 * so it is handed over with window.postMessage to the page's own origin (renderer/bridge.ts).
 */
declare const window: { postMessage(message: unknown, origin: string, transfer: readonly unknown[]): void }
declare const location: { readonly origin: string }

const VERSION = '--enigma-version='

ipcRenderer.on('enigma:port', (event) => {
  const [port] = event.ports
  if (port !== undefined) window.postMessage({ enigma: 'port' }, location.origin, [port])
})

contextBridge.exposeInMainWorld('enigma', {
  version: process.argv.find((arg) => arg.startsWith(VERSION))?.slice(VERSION.length) ?? '',
  connect: () => ipcRenderer.send('enigma:connect'),
})
