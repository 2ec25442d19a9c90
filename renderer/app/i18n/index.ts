import { i18n, type Messages } from '@lingui/core'
import { compileMessage } from '@lingui/message-utils/compileMessage'
import { useLingui } from '@lingui/react'
import { useCallback } from 'react'
import type { en } from './en/all.ts'

type English = typeof en

/** "feature.key" of every text there is, so that a misspelt one does not compile. */
export type MessageKey = {
  [F in keyof English & string]: `${F}.${keyof English[F] & string}`
}[keyof English & string]

export type Language = 'en' | 'zh'
export type Values = Record<string, string | number>
export type Translate = (key: MessageKey, values?: Values) => string

i18n.setMessagesCompiler(compileMessage)

/** Flattens features to "feature.key". */
export function flatten(catalogs: Record<string, Record<string, string>>): Messages {
  const messages: Messages = {}
  for (const [feature, catalog] of Object.entries(catalogs))
    for (const [key, text] of Object.entries(catalog)) messages[`${feature}.${key}`] = compileMessage(text)
  return messages
}

const loaders: Record<Language, () => Promise<Messages>> = {
  en: async () => flatten((await import('./en/all.ts')).en),
  zh: async () => flatten((await import('./zh/all.ts')).zh),
}

/** Loads a language and switches every mounted text and the document's language to it. */
export async function activateLanguage(language: Language): Promise<void> {
  if (i18n.locale !== language) {
    const messages = await loaders[language]()
    i18n.loadAndActivate({ locale: language, messages })
  }
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
}

/** The language of the system, for as long as the vault's settings are not readable. */
export function systemLanguage(): Language {
  return navigator.languages
    .find((l) => /^(zh|en)/i.test(l))
    ?.toLowerCase()
    .startsWith('zh')
    ? 'zh'
    : 'en'
}

/** `t('data.rows', { count: 3 })`; the component renders again when the language changes. */
export function useT(): Translate {
  const { i18n: current } = useLingui()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the function's identity must change with the language
  return useCallback<Translate>((key, values) => current._(key, values), [current, current.locale])
}

/** For code outside components (toasts, titles). */
export const translate: Translate = (key, values) => i18n._(key, values)

/** True when a key built at run time (an error code, an activity kind) has a text. */
export function hasMessage(key: string): key is MessageKey {
  return Object.hasOwn(i18n.messages, key)
}

export function currentLanguage(): Language {
  return i18n.locale === 'zh' ? 'zh' : 'en'
}

export { i18n }
