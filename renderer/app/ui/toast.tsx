import { Toast as Base } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'

const manager = Base.createToastManager()

interface ToastOptions {
  title: string
  description?: string
  tone?: 'neutral' | 'success' | 'danger'
  /** One action, for instance Undo; offered only where it is real. */
  action?: { label: string; onClick: () => void }
  /** Milliseconds; 0 stays until closed. Default 6 s, with an action 10 s. */
  timeoutMs?: number
}

/** Says that something happened. Errors belong on the screen where they arose, not here. */
export function toast({ title, description, tone = 'neutral', action, timeoutMs }: ToastOptions): void {
  const id = manager.add({
    title,
    ...(description === undefined ? {} : { description }),
    type: tone,
    timeout: timeoutMs ?? (action === undefined ? 6000 : 10_000),
    priority: tone === 'danger' ? 'high' : 'low',
    ...(action === undefined
      ? {}
      : {
          actionProps: {
            children: action.label,
            onClick: () => {
              manager.close(id)
              action.onClick()
            },
          },
        }),
  })
}

function List() {
  const t = useT()
  const { toasts } = Base.useToastManager()
  return toasts.map((item) => (
    <Base.Root
      key={item.id}
      toast={item}
      swipeDirection={['right', 'down']}
      className={cn('pop motion-fade', item.limited && 'hidden')}
    >
      <Base.Content className="flex items-start gap-2.5 px-3 py-2.5">
        {item.type === 'success' && (
          <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-success" />
        )}
        {item.type === 'danger' && <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />}
        <div className="min-w-0 flex-1">
          <Base.Title className="text-sm font-medium" />
          <Base.Description className="text-sm text-muted" />
          <Base.Action className="mt-1 min-h-6 rounded-sm text-sm font-medium text-accent-text underline underline-offset-4" />
        </div>
        <Base.Close
          aria-label={t('ui.close')}
          className="-me-1 flex size-6 shrink-0 items-center justify-center rounded-sm text-muted hover:bg-hover hover:text-text"
        >
          <X aria-hidden className="size-4" />
        </Base.Close>
      </Base.Content>
    </Base.Root>
  ))
}

/** Once, around the application. F6 moves the focus to the toasts. */
export function Toaster() {
  return (
    <Base.Provider toastManager={manager} limit={3}>
      <Base.Portal>
        <Base.Viewport className="fixed end-4 bottom-4 z-70 flex w-88 max-w-[calc(100vw-2rem)] flex-col gap-2">
          <List />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  )
}
