import { type BrowserWindow, dialog } from 'electron'
import type { Confirmation } from '../../core/ipc/index.ts'
import { confirmText, type Language } from '../host/confirm-text.ts'

/** The index of a button in `confirmOptions`. */
const DECLINE = 0
const ACCEPT = 1

/** What the native dialog shows. Declining is the default and what closing or Escape means. */
export function confirmOptions(ask: Confirmation, language: Language) {
  const text = confirmText(ask, language)
  const facts = text.facts.map(([label, value]) => `${label}: ${value}`).join('\n')
  return {
    type: 'question' as const,
    title: 'Enigma Vault',
    message: text.title,
    detail: `${text.lead}\n\n${facts}`,
    buttons: [text.decline, text.accept],
    defaultId: DECLINE,
    cancelId: DECLINE,
    noLink: true,
    normalizeAccessKeys: false,
  }
}

/** Asks the owner with a dialog of the operating system, which no page can draw over or click. */
export async function confirmWithDialog(
  parent: BrowserWindow | undefined,
  ask: Confirmation,
  language: Language,
  signal: AbortSignal,
): Promise<boolean> {
  const options = { ...confirmOptions(ask, language), signal }
  parent?.show()
  const { response } = parent
    ? await dialog.showMessageBox(parent, options)
    : await dialog.showMessageBox(options)
  return response === ACCEPT && !signal.aborted
}
