import { useEffect } from 'react'
import { createPortal } from 'react-dom'
import { useT } from '../../app/i18n/index.ts'
import { formatDate } from '../../app/lib/format.ts'

/** A sheet of paper with the words: never shown on the screen, only printed. */
export function EmergencyKit({ words, account }: { words: readonly string[]; account: string }) {
  const t = useT()
  useEffect(() => {
    document.body.classList.add('printing-kit')
    return () => document.body.classList.remove('printing-kit')
  }, [])
  return createPortal(
    <section className="print-only p-8 text-base text-text">
      <h1 className="text-2xl font-semibold">{t('welcome.kit.title')}</h1>
      <p className="mt-2">{t('welcome.kit.text')}</p>
      <dl className="mt-4 grid grid-cols-[max-content_1fr] gap-x-6 gap-y-1 text-sm">
        <dt>{t('welcome.kit.date')}</dt>
        <dd>{formatDate(Date.now())}</dd>
        <dt>{t('welcome.kit.account')}</dt>
        <dd className="font-mono break-all">{account}</dd>
      </dl>
      <ol className="mt-6 grid grid-cols-3 gap-x-8 gap-y-3">
        {words.map((word, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: words may repeat; their place is what they are
          <li key={`${index}-${word}`} className="flex items-baseline gap-3 border-b border-line pb-1">
            <span className="w-6 text-end text-sm">{index + 1}</span>
            <span className="font-mono text-lg">{word}</span>
          </li>
        ))}
      </ol>
      <ul className="mt-8 list-disc ps-5 text-sm">
        <li>{t('welcome.kit.rule1')}</li>
        <li>{t('welcome.kit.rule2')}</li>
        <li>{t('welcome.kit.rule3')}</li>
      </ul>
    </section>,
    document.body,
  )
}
