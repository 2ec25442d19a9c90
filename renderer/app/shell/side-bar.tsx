import { Link } from '@tanstack/react-router'
import { Lock, Search } from 'lucide-react'
import { useT } from '../i18n/index.ts'
import { cn } from '../lib/cn.ts'
import { approvals } from '../store/compute.ts'
import { checklist, nodeStatus } from '../store/node.ts'
import { vault } from '../store/vault.ts'
import { Kbd } from '../ui/kbd.tsx'
import { Tooltip } from '../ui/tooltip.tsx'
import { JobsButton } from './jobs-button.tsx'
import { Logo } from './logo.tsx'
import { BELOW, GROUPS, type Screen, screenIcons, screenLabel, screenPath } from './navigation.ts'

const row =
  'flex h-8 w-full items-center gap-2.5 rounded-md px-2 text-sm text-muted -outline-offset-2 hover:bg-hover hover:text-text max-[56.25rem]:justify-center max-[56.25rem]:px-0'

function useCounts(): Partial<Record<Screen, number>> {
  const waiting = approvals.use({}).data?.approvals.filter((a) => a.state === 'waiting').length ?? 0
  const attention = checklist.use({}).data?.items.filter((i) => i.state !== 'ok').length ?? 0
  return { approvals: waiting, home: attention }
}

function NavLink({ screen, count = 0 }: { screen: Screen; count?: number | undefined }) {
  const t = useT()
  const Icon = screenIcons[screen]
  const label = t(screenLabel(screen))
  return (
    <li>
      <Tooltip content={label} side="right">
        <Link
          to={screenPath(screen)}
          className={cn(row, 'relative')}
          activeProps={{ className: 'bg-hover text-text font-medium', 'aria-current': 'page' }}
        >
          <Icon aria-hidden className="size-4 shrink-0" />
          <span className="min-w-0 flex-1 truncate max-[56.25rem]:sr-only">{label}</span>
          {count > 0 && (
            <span className="min-w-5 rounded-full bg-accent-soft px-1.5 text-center text-xs leading-5 font-medium text-accent-text max-[56.25rem]:absolute max-[56.25rem]:end-0 max-[56.25rem]:top-0 max-[56.25rem]:min-w-4 max-[56.25rem]:px-1 max-[56.25rem]:leading-4">
              <span aria-hidden>{count}</span>
              <span className="sr-only">{t('shell.waiting', { count })}</span>
            </span>
          )}
        </Link>
      </Tooltip>
    </li>
  )
}

function NodeState() {
  const t = useT()
  const { data } = nodeStatus.use({})
  const state = data?.state ?? 'starting'
  const connected = data?.peers.filter((p) => p.connected).length ?? 0
  return (
    <p className="flex items-center gap-2.5 px-2 py-1 text-xs text-muted max-[56.25rem]:sr-only">
      <span
        aria-hidden
        className={cn(
          'mx-1 size-2 shrink-0 rounded-full',
          state === 'running' ? 'bg-success' : state === 'paused' ? 'bg-warning' : 'bg-control',
        )}
      />
      <span className="min-w-0 truncate">{t(`shell.node.${state}`, { count: connected })}</span>
    </p>
  )
}

export function SideBar({ onPalette }: { onPalette: () => void }) {
  const t = useT()
  const counts = useCounts()
  return (
    <header className="flex w-52 shrink-0 flex-col border-e border-line bg-canvas max-[56.25rem]:w-13">
      <div className="flex h-14 shrink-0 items-center gap-2.5 px-3.5 max-[56.25rem]:justify-center max-[56.25rem]:px-0">
        <Logo className="size-6" />
        <span className="text-base font-semibold max-[56.25rem]:sr-only">Enigma</span>
      </div>
      <div className="px-2 pb-2">
        <button
          type="button"
          aria-keyshortcuts="Control+K Meta+K"
          className={cn(row, 'border border-line bg-surface hover:bg-hover')}
          onClick={onPalette}
        >
          <Search aria-hidden className="size-4 shrink-0" />
          <span className="min-w-0 flex-1 truncate text-start max-[56.25rem]:sr-only">
            {t('shell.palette.short')}
          </span>
          <Kbd keys={['Mod', 'K']} className="max-[56.25rem]:hidden" />
        </button>
      </div>
      <nav aria-label={t('shell.navigation')} className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
        {GROUPS.map((group) => (
          <div key={group.label} className="pt-2">
            <p id={group.label} className="px-2 pb-1 text-xs font-medium text-faint max-[56.25rem]:sr-only">
              {t(group.label)}
            </p>
            <ul aria-labelledby={group.label} className="flex flex-col gap-px">
              {group.screens.map((screen) => (
                <NavLink key={screen} screen={screen} count={counts[screen]} />
              ))}
            </ul>
          </div>
        ))}
        <ul className="mt-3 flex flex-col gap-px border-t border-line pt-3">
          {BELOW.map((screen) => (
            <NavLink key={screen} screen={screen} />
          ))}
        </ul>
      </nav>
      <div className="flex flex-col gap-px border-t border-line p-2">
        <NodeState />
        <JobsButton className={row} />
        <Tooltip content={t('shell.lock.hint')} side="right">
          <button type="button" className={row} onClick={() => void vault.lock().catch(() => undefined)}>
            <Lock aria-hidden className="size-4 shrink-0" />
            <span className="min-w-0 flex-1 truncate text-start max-[56.25rem]:sr-only">
              {t('shell.lock')}
            </span>
          </button>
        </Tooltip>
      </div>
    </header>
  )
}
