import { turn } from '../base/turns.ts'

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u
const RUNS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+|[\p{L}\p{N}\p{M}]+/gu
const MAX_TERMS = 50_000
/** Characters that are taken apart, and terms that are indexed, at once. */
const PIECE = 20_000
const TERMS_AT_ONCE = 5_000
/** Characters of a word that may stand across the end of a piece. */
const MAX_WORD = 200
const WORD = /[\p{L}\p{N}\p{M}\p{Cs}]/u

function normalise(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/** Splits a mixed run of letters where the script changes: "abc数据" is a word and a CJK run. */
function runs(text: string): { text: string; cjk: boolean }[] {
  const out: { text: string; cjk: boolean }[] = []
  for (const [match] of normalise(text).matchAll(RUNS)) {
    let current = ''
    let cjk = false
    for (const c of match) {
      const is = CJK.test(c)
      if (current !== '' && is !== cjk) {
        out.push({ text: current, cjk })
        current = ''
      }
      cjk = is
      current += c
    }
    if (current !== '') out.push({ text: current, cjk })
  }
  return out
}

/** Terms to index: words, and for Chinese, Japanese and Korean single characters and bigrams. */
export function indexTerms(text: string): string[] {
  return runs(text).flatMap((run) => {
    if (!run.cjk) return [run.text]
    const characters = [...run.text]
    return characters.flatMap((c, i) => (i + 1 < characters.length ? [c, c + characters[i + 1]!] : [c]))
  })
}

/** A long text in pieces that end between words. */
function* pieces(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let to = from + PIECE
    while (to < from + PIECE + MAX_WORD && WORD.test(text[to] ?? '')) to++
    yield text.slice(from, to)
    from = to
  }
}

interface QueryTerm {
  term: string
  prefix: boolean
}

function queryTerms(query: string): QueryTerm[] {
  return runs(query).flatMap((run): QueryTerm[] => {
    if (!run.cjk) return [{ term: run.text, prefix: true }]
    const characters = [...run.text]
    if (characters.length === 1) return [{ term: run.text, prefix: false }]
    return characters.slice(1).map((c, i) => ({ term: characters[i]! + c, prefix: false }))
  })
}

/** Inverted index in memory only: it holds plaintext. Dropped on lock. */
export class SearchIndex {
  readonly #postings = new Map<string, Set<string>>()
  readonly #terms = new Map<string, Set<string>>()
  #sorted: string[] | undefined

  /** Indexes `texts` under `id`, in place of what was there. At most 50,000 distinct terms. */
  async put(id: string, texts: Iterable<string>): Promise<void> {
    this.delete(id)
    const terms = new Set<string>()
    for (const text of texts) {
      for (const piece of pieces(text)) {
        await turn()
        for (const term of indexTerms(piece)) terms.add(term)
      }
      if (terms.size > MAX_TERMS) break
    }
    this.#terms.set(id, terms)
    let put = 0
    for (const term of terms) {
      if (put++ % TERMS_AT_ONCE === 0) await turn()
      const ids = this.#postings.get(term)
      if (ids === undefined) {
        this.#postings.set(term, new Set([id]))
        this.#sorted = undefined
      } else ids.add(id)
    }
  }

  delete(id: string): void {
    for (const term of this.#terms.get(id) ?? []) {
      const ids = this.#postings.get(term)
      ids?.delete(id)
      if (ids?.size === 0) {
        this.#postings.delete(term)
        this.#sorted = undefined
      }
    }
    this.#terms.delete(id)
  }

  /** Ids that have every term of the query; undefined when the query has no term. */
  find(query: string): Set<string> | undefined {
    const terms = queryTerms(query)
    if (terms.length === 0) return undefined
    const sets = terms.map(({ term, prefix }) =>
      prefix ? this.#prefix(term) : (this.#postings.get(term) ?? new Set<string>()),
    )
    return new Set([...sets[0]!].filter((id) => sets.every((ids) => ids.has(id))))
  }

  clear(): void {
    this.#postings.clear()
    this.#terms.clear()
    this.#sorted = undefined
  }

  #prefix(prefix: string): Set<string> {
    this.#sorted ??= [...this.#postings.keys()].sort()
    const sorted = this.#sorted
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle]! < prefix) low = middle + 1
      else high = middle
    }
    const out = new Set<string>()
    for (let i = low; i < sorted.length && sorted[i]!.startsWith(prefix); i++)
      for (const id of this.#postings.get(sorted[i]!)!) out.add(id)
    return out
  }
}
