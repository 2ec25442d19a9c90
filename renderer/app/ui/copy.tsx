import { Check, Copy } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { shorten } from '../lib/format.ts'

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** Copies public text; says so in place and to assistive technology. */
export function CopyButton({ text, label, className }: { text: string; label?: string; className?: string }) {
  const t = useT()
  const [done, setDone] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <button
      type="button"
      title={label ?? t('ui.copy')}
      aria-label={done ? t('ui.copied') : (label ?? t('ui.copy'))}
      className={cn(
        'inline-flex size-6 shrink-0 items-center justify-center rounded-sm text-muted hover:bg-hover hover:text-text',
        className,
      )}
      onClick={() => {
        void copy(text).then((ok) => {
          if (!ok) return
          setDone(true)
          clearTimeout(timer.current)
          timer.current = setTimeout(() => setDone(false), 2000)
        })
      }}
    >
      {done ? (
        <Check aria-hidden className="size-3.5 text-success" />
      ) : (
        <Copy aria-hidden className="size-3.5" />
      )}
      <span aria-live="polite" className="sr-only">
        {done ? t('ui.copied') : ''}
      </span>
    </button>
  )
}

/** Text that people carry elsewhere, in full, with a button that copies it. */
export function CopyText({
  text,
  mono = true,
  className,
}: {
  text: string
  mono?: boolean
  className?: string
}) {
  return (
    <span className={cn('flex min-w-0 items-start gap-1', className)}>
      <span className={cn('min-w-0 flex-1 leading-6 break-all', mono && 'font-mono text-xs')}>{text}</span>
      <CopyButton text={text} />
    </span>
  )
}

/** A digest, address or id: its ends, the whole on hover and in the clipboard. */
export function Hash({
  value,
  copyable = true,
  full = false,
  className,
}: {
  value: string
  copyable?: boolean
  full?: boolean
  className?: string
}) {
  return (
    <span className={cn('inline-flex min-w-0 items-center gap-0.5', className)}>
      <span title={value} className={cn('font-mono text-xs', full && 'break-all')}>
        {full ? value : shorten(value)}
      </span>
      {copyable && <CopyButton text={value} />}
    </span>
  )
}
