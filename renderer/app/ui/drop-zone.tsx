import { FileUp } from 'lucide-react'
import { type ReactNode, useId, useRef, useState } from 'react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'

/** Takes one file by drop or by the system's chooser. */
export function DropZone({
  onFile,
  accept,
  label,
  hint,
  disabled = false,
  className,
}: {
  onFile: (file: File) => void
  /** As of an input element, e.g. ".csv,.json". */
  accept?: string
  label: string
  hint?: ReactNode
  disabled?: boolean
  className?: string
}) {
  const t = useT()
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const id = useId()
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an addition; the button inside does the same
    <div
      className={cn(
        'flex flex-col items-center gap-1 rounded-lg border border-dashed border-control px-4 py-6 text-center',
        over && 'border-accent bg-accent-soft',
        disabled && 'border-line text-faint',
        className,
      )}
      onDragOver={(event) => {
        event.preventDefault()
        if (!disabled) setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        const file = event.dataTransfer.files[0]
        if (file !== undefined && !disabled) onFile(file)
      }}
    >
      <FileUp aria-hidden className="mb-1 size-6 stroke-[1.5] text-faint" />
      <p className="text-sm">
        {label}{' '}
        <button
          type="button"
          disabled={disabled}
          aria-describedby={hint === undefined ? undefined : id}
          className="min-h-6 rounded-sm font-medium text-accent-text underline underline-offset-4 disabled:text-faint"
          onClick={() => input.current?.click()}
        >
          {t('ui.chooseFile')}
        </button>
      </p>
      {hint !== undefined && (
        <p id={id} className="text-xs text-muted">
          {hint}
        </p>
      )}
      <input
        ref={input}
        type="file"
        accept={accept}
        tabIndex={-1}
        aria-hidden
        className="hidden"
        onChange={(event) => {
          const file = event.target.files?.[0]
          event.target.value = ''
          if (file !== undefined) onFile(file)
        }}
      />
    </div>
  )
}
