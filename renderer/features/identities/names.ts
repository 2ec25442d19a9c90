import { useMemo } from 'react'
import { currentLanguage, useT } from '../../app/i18n/index.ts'
import { shorten } from '../../app/lib/format.ts'
import { functions } from '../../app/store/compute.ts'
import { identities } from '../../app/store/sharing.ts'
import { vaultStatus } from '../../app/store/vault.ts'
import type { Words } from '../predicates/say-rule.ts'

export interface Person {
  account: string
  name: string
}

/** Names this vault knows for accounts, identities and functions. */
export interface Names {
  me: string | undefined
  /** "You", a member's or identity's label, or the shortened account. */
  name(account: string): string
  knows(account: string): boolean
  /** People other than me, by name. */
  people: readonly Person[]
  functionName(idOrCodeHash: string): string
  codeHashes: Map<string, string>
  words: Words
}

export function useNames(): Names {
  const t = useT()
  const language = currentLanguage()
  const { data: known } = identities.use({})
  const { data: status } = vaultStatus.use({})
  const { data: offered } = functions.use({})
  return useMemo(() => {
    const me = status?.account
    const labels = new Map<string, string>()
    const people = new Map<string, string>()
    for (const identity of known?.identities ?? []) {
      if (identity.label !== '') labels.set(identity.address, identity.label)
      for (const member of identity.members) {
        if (member.label !== undefined && member.label !== '') labels.set(member.account, member.label)
        if (member.account !== me) people.set(member.account, member.label ?? '')
      }
    }
    const byHash = new Map((offered?.functions ?? []).map((f) => [f.codeHash, f.id as string]))
    const codeHashes = new Map((offered?.functions ?? []).map((f) => [f.id as string, f.codeHash]))
    const name = (account: string) =>
      account === me ? t('identities.you') : (labels.get(account) ?? shorten(account))
    const functionName = (idOrCodeHash: string) => {
      const id = byHash.get(idOrCodeHash) ?? idOrCodeHash
      return codeHashes.has(id)
        ? t(`computations.function.${id as 'sum'}`)
        : t('computations.function.unknown', { hash: shorten(id) })
    }
    return {
      me,
      name,
      knows: (account) => account === me || labels.has(account),
      people: [...people.keys()]
        .map((account) => ({ account, name: name(account) }))
        .sort((a, b) => a.name.localeCompare(b.name)),
      functionName,
      codeHashes,
      words: {
        t,
        language,
        name: (account) => (account === me ? t('predicates.me') : name(account)),
        functionName: (hash) => {
          const text = functionName(hash)
          return language === 'en' ? text.charAt(0).toLowerCase() + text.slice(1) : text
        },
      },
    }
  }, [t, language, known, status, offered])
}
