import { compileMessageOrThrow } from '@lingui/message-utils/compileMessage'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../../core/base/errors.ts'
import { en } from '../../../renderer/app/i18n/en/all.ts'
import { zh } from '../../../renderer/app/i18n/zh/all.ts'

type Catalogs = Record<string, Record<string, string>>
const english: Catalogs = en
const chinese: Catalogs = zh

/** Names of the values that a message takes. */
function names(message: string): string[] {
  const found = new Set<string>()
  const walk = (token: unknown): void => {
    if (!Array.isArray(token)) return
    const [first, type, choices] = token
    if (typeof first === 'string' && (token.length === 1 || typeof type === 'string')) found.add(first)
    if (choices !== null && typeof choices === 'object')
      for (const c of Object.values(choices)) if (Array.isArray(c)) c.forEach(walk)
  }
  for (const token of compileMessageOrThrow(message)) walk(token)
  return [...found].sort()
}

describe('message catalogs', () => {
  it('Chinese has exactly the keys of English', () => {
    expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort())
    for (const [feature, catalog] of Object.entries(english))
      expect(Object.keys(chinese[feature] ?? {}).sort(), feature).toEqual(Object.keys(catalog).sort())
  })

  it('every message is well formed, not empty, and takes the same values in both languages', () => {
    for (const [feature, catalog] of Object.entries(english))
      for (const [key, text] of Object.entries(catalog)) {
        const other = chinese[feature]![key]!
        expect(text.trim(), `${feature}.${key}`).not.toBe('')
        expect(other.trim(), `${feature}.${key}`).not.toBe('')
        const known = names(text)
        for (const name of names(other)) expect(known, `${feature}.${key} in Chinese`).toContain(name)
      }
  })

  it('each error text says what, whether anything was lost, and what to do, for a code that exists', () => {
    const codes = new Set<string>(Object.values(ERROR_CODES).flat())
    const covered = new Set(Object.keys(en.errors).map((key) => key.split('.')[0]!))
    for (const code of covered) {
      expect(codes, code).toContain(code)
      for (const part of ['what', 'lost', 'todo']) expect(en.errors, code).toHaveProperty([`${code}.${part}`])
    }
  })
})
