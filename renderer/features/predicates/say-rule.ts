import type { Predicate } from '../../../core/ipc/index.ts'
import type { Translate } from '../../app/i18n/index.ts'
import { type Clause, isGroup, positive } from './model.ts'

export interface Words {
  t: Translate
  language: 'en' | 'zh'
  /** A person's name for an account. */
  name(account: string): string
  /** A function's name for the hash of its code. */
  functionName(codeHash: string): string
}

/** Whole conditions: Chinese repeats the connective, since commas and 和 already stand inside of them. */
const join = (words: Words, parts: string[], type: 'conjunction' | 'disjunction'): string =>
  words.language === 'zh' ? parts.join(type === 'conjunction' ? '，且' : '，或') : list(words, parts, type)

const list = (words: Words, parts: string[], type: 'conjunction' | 'disjunction'): string =>
  new Intl.ListFormat(words.language === 'zh' ? 'zh-Hans' : 'en', { type }).format(parts)

export function dateText(at: number, language: 'en' | 'zh'): string {
  return new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'long' }).format(at)
}

/** One condition in plain words, as the rest of a sentence that begins "Allowed when". */
export function clauseText(clause: Clause, negated: boolean, words: Words): string {
  const { t } = words
  const not = negated ? 'Not' : ''
  switch (clause.kind) {
    case 'keys': {
      const who = list(words, clause.accounts.map(words.name), 'disjunction')
      return t(`predicates.say.keys${not}`, { who: who || t('predicates.nobodyYet') })
    }
    case 'role':
      return t(`predicates.say.role${not}`, { role: t(`identities.role.${clause.role}`) })
    case 'expiry':
      return t(`predicates.say.expiry${not}`, { date: dateText(clause.until, words.language) })
    case 'uses':
      return t(`predicates.say.uses${not}`, { count: clause.count })
    case 'functions': {
      const which = list(words, clause.functions.map(words.functionName), 'disjunction')
      return t(`predicates.say.functions${not}`, { which: which || t('predicates.nothingYet') })
    }
    case 'cohort':
      return t(`predicates.say.cohort${not}`, { count: clause.minimum })
    case 'owner':
      return t(`predicates.say.owner${not}`)
    case 'approval':
      return t(`predicates.say.approval${not}`)
  }
}

function partText(part: Predicate, words: Words, nested: boolean): string {
  const { of, negated } = positive(part)
  if (!isGroup(of)) return clauseText(of, negated, words)
  const inner = join(
    words,
    of.of.map((p) => partText(p, words, true)),
    of.kind === 'and' ? 'conjunction' : 'disjunction',
  )
  if (negated) return words.t('predicates.say.groupNot', { inner })
  return nested && of.of.length > 1 ? words.t('predicates.say.group', { inner }) : inner
}

/** The whole rule as one sentence, without the full stop's worth of protocol words. */
export function sayRule(rule: Predicate, words: Words): string {
  return words.t('predicates.say.sentence', { rule: partText(rule, words, false) })
}
