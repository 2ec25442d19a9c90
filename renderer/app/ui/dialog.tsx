import { AlertDialog as BaseAlert } from '@base-ui/react/alert-dialog'
import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { type ComponentProps, type ReactNode, useRef, useState } from 'react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { Button } from './button.tsx'
import { Field } from './field.tsx'
import { Input } from './input.tsx'

const FIELDS =
  'input:not([type=file]):not([aria-hidden=true]):not([type=hidden]), textarea, [role=combobox], [role=radio]'
const widths = { sm: 'max-w-md', md: 'max-w-xl', lg: 'max-w-3xl', xl: 'max-w-5xl' }
const scrim = 'motion-fade fixed inset-0 z-40 bg-scrim'
const viewport = 'fixed inset-0 z-50 flex items-center justify-center p-4'
const popup = 'pop motion-pop flex max-h-full w-full min-h-0 flex-col overflow-hidden rounded-xl outline-none'

/** A dialog: title, scrolling body, actions in the footer. Escape and the cross close it. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  footer,
  size = 'md',
  dismissible = true,
  children,
  initialFocus,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: ReactNode
  description?: ReactNode
  footer?: ReactNode
  size?: keyof typeof widths
  /** false while leaving would lose work: a click beside it does nothing. */
  dismissible?: boolean
  children: ReactNode
  initialFocus?: ComponentProps<typeof Base.Popup>['initialFocus']
}) {
  const t = useT()
  const body = useRef<HTMLDivElement>(null)
  // The first thing to fill in, not the cross.
  const firstField = () => body.current?.querySelector<HTMLElement>(FIELDS) ?? true
  return (
    <Base.Root open={open} onOpenChange={onOpenChange} disablePointerDismissal={!dismissible}>
      <Base.Portal>
        <Base.Backdrop className={scrim} />
        <Base.Viewport className={viewport}>
          <Base.Popup initialFocus={initialFocus ?? firstField} className={cn(popup, widths[size])}>
            <header className="flex items-start gap-3 px-5 pt-4 pb-3">
              <div className="min-w-0 flex-1">
                <Base.Title className="text-lg font-semibold">{title}</Base.Title>
                {description !== undefined && (
                  <Base.Description className="mt-0.5 text-sm text-muted">{description}</Base.Description>
                )}
              </div>
              <Base.Close
                aria-label={t('ui.close')}
                className="-me-1.5 flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text"
              >
                <X aria-hidden className="size-4" />
              </Base.Close>
            </header>
            <div
              ref={body}
              // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
              tabIndex={0}
              className="min-h-0 flex-1 overflow-y-auto px-5 pt-0.5 pb-5 -outline-offset-2"
            >
              {children}
            </div>
            {footer !== undefined && (
              <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line bg-surface px-5 py-3">
                {footer}
              </footer>
            )}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}

/** Asks before something that cannot be undone; with `typed`, only after that text was typed. */
export function AlertDialog({
  open,
  onOpenChange,
  title,
  children,
  confirmLabel,
  onConfirm,
  typed,
  danger = true,
  loading = false,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: ReactNode
  children: ReactNode
  confirmLabel: string
  onConfirm: () => void
  typed?: string
  danger?: boolean
  loading?: boolean
}) {
  const t = useT()
  const [text, setText] = useState('')
  const ready = typed === undefined || text.trim() === typed
  const change = (next: boolean) => {
    if (!next) setText('')
    onOpenChange(next)
  }
  return (
    <BaseAlert.Root open={open} onOpenChange={change}>
      <BaseAlert.Portal>
        <BaseAlert.Backdrop className={scrim} />
        <BaseAlert.Viewport className={viewport}>
          <BaseAlert.Popup className={cn(popup, widths.sm)}>
            <form
              className="flex min-h-0 flex-col"
              onSubmit={(event) => {
                event.preventDefault()
                if (ready && !loading) onConfirm()
              }}
            >
              <div className="min-h-0 overflow-y-auto px-5 py-4">
                <BaseAlert.Title className="text-lg font-semibold">{title}</BaseAlert.Title>
                <BaseAlert.Description render={<div />} className="mt-1 text-sm text-muted">
                  {children}
                </BaseAlert.Description>
                {typed !== undefined && (
                  <Field className="mt-4" label={t('ui.typeToConfirm', { text: typed })}>
                    <Input
                      value={text}
                      onChange={(event) => setText(event.target.value)}
                      autoComplete="off"
                      spellCheck={false}
                    />
                  </Field>
                )}
              </div>
              <footer className="flex flex-wrap justify-end gap-2 border-t border-line bg-surface px-5 py-3">
                <Button onClick={() => change(false)}>{t('ui.cancel')}</Button>
                <Button
                  type="submit"
                  variant={danger ? 'danger' : 'primary'}
                  disabled={!ready}
                  loading={loading}
                >
                  {confirmLabel}
                </Button>
              </footer>
            </form>
          </BaseAlert.Popup>
        </BaseAlert.Viewport>
      </BaseAlert.Portal>
    </BaseAlert.Root>
  )
}
