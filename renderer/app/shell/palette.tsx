import { Dialog as Base } from '@base-ui/react/dialog'
import { useNavigate } from '@tanstack/react-router'
import { Command } from 'cmdk'
import { FileText, Languages, Lock, Monitor, Moon, Pause, Play, Plus, Sun } from 'lucide-react'
import type { ReactNode } from 'react'
import { useT } from '../i18n/index.ts'
import { records } from '../store/data.ts'
import { node, nodeStatus } from '../store/node.ts'
import { saveSettings } from '../store/settings.ts'
import { vault } from '../store/vault.ts'
import { Kbd } from '../ui/kbd.tsx'
import { SCREENS, screenIcons, screenLabel, screenPath } from './navigation.ts'
import { NUMBERED } from './shortcuts.ts'

const itemStyle =
  'flex min-h-8 cursor-default items-center gap-2.5 rounded-md px-2.5 py-1 text-sm select-none data-[selected=true]:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-muted'
const groupStyle =
  '[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-muted'

function Item({
  icon,
  children,
  keys,
  onSelect,
  keywords,
  value,
}: {
  icon: ReactNode
  children: ReactNode
  keys?: readonly string[]
  onSelect: () => void
  keywords?: string[]
  value: string
}) {
  return (
    <Command.Item value={value} onSelect={onSelect} className={itemStyle} {...(keywords ? { keywords } : {})}>
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {keys !== undefined && <Kbd keys={keys} />}
    </Command.Item>
  )
}

/** Everything by name: screens, data, actions. Ctrl+K or ⌘K. */
export function Palette({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const t = useT()
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className="motion-fade fixed inset-0 z-40 bg-scrim" />
        <Base.Viewport className="fixed inset-0 z-50 flex items-start justify-center px-4 pt-[12vh]">
          <Base.Popup className="pop motion-pop flex max-h-[70vh] w-full max-w-xl flex-col overflow-hidden rounded-xl outline-none">
            <Base.Title className="sr-only">{t('shell.palette.open')}</Base.Title>
            <Content close={() => onOpenChange(false)} />
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}

function Content({ close }: { close: () => void }) {
  const t = useT()
  const navigate = useNavigate()
  const list = records.use({}).data?.records ?? []
  const state = nodeStatus.use({}).data?.state
  const run = (action: () => unknown) => () => {
    close()
    void Promise.resolve(action()).catch(() => undefined)
  }
  return (
    <Command label={t('shell.palette.open')} loop className="flex min-h-0 flex-col">
      <Command.Input
        autoFocus
        placeholder={t('shell.palette.placeholder')}
        className="h-12 w-full shrink-0 border-b border-line bg-transparent px-4 text-base text-text outline-none placeholder:text-faint"
      />
      <Command.List className="min-h-0 overflow-y-auto p-1.5">
        <Command.Empty className="px-3 py-6 text-center text-sm text-muted">
          {t('shell.palette.empty')}
        </Command.Empty>
        <Command.Group heading={t('shell.palette.actions')} className={groupStyle}>
          <Item
            value="action-add"
            icon={<Plus aria-hidden />}
            keywords={[t('shell.palette.add')]}
            onSelect={run(() => navigate({ to: '/data/$id', params: { id: 'new' } }))}
          >
            {t('shell.palette.add')}
          </Item>
          <Item
            value="action-lock"
            icon={<Lock aria-hidden />}
            keys={['Mod', 'Shift', 'L']}
            keywords={[t('shell.lock')]}
            onSelect={run(() => vault.lock())}
          >
            {t('shell.lock')}
          </Item>
          {(state === 'running' || state === 'paused') && (
            <Item
              value="action-node"
              icon={state === 'running' ? <Pause aria-hidden /> : <Play aria-hidden />}
              keywords={[t(state === 'running' ? 'shell.palette.pause' : 'shell.palette.resume')]}
              onSelect={run(() => (state === 'running' ? node.pause() : node.resume()))}
            >
              {t(state === 'running' ? 'shell.palette.pause' : 'shell.palette.resume')}
            </Item>
          )}
        </Command.Group>
        <Command.Group heading={t('shell.palette.go')} className={groupStyle}>
          {SCREENS.map((screen) => {
            const Icon = screenIcons[screen]
            const number = NUMBERED.indexOf(screen) + 1
            return (
              <Item
                key={screen}
                value={`go-${screen}`}
                icon={<Icon aria-hidden />}
                keywords={[t(screenLabel(screen)), screen]}
                {...(number > 0 ? { keys: ['Alt', String(number)] } : {})}
                onSelect={run(() => navigate({ to: screenPath(screen) }))}
              >
                {t(screenLabel(screen))}
              </Item>
            )
          })}
        </Command.Group>
        {list.length > 0 && (
          <Command.Group heading={t('shell.nav.data')} className={groupStyle}>
            {list.slice(0, 200).map((record) => (
              <Item
                key={record.id}
                value={`record-${record.id}`}
                icon={<FileText aria-hidden />}
                keywords={[record.title, ...record.tags]}
                onSelect={run(() => navigate({ to: '/data/$id', params: { id: record.id } }))}
              >
                {record.title}
              </Item>
            ))}
          </Command.Group>
        )}
        <Command.Group heading={t('shell.palette.appearance')} className={groupStyle}>
          {(['system', 'light', 'dark'] as const).map((theme) => (
            <Item
              key={theme}
              value={`theme-${theme}`}
              icon={
                theme === 'dark' ? (
                  <Moon aria-hidden />
                ) : theme === 'light' ? (
                  <Sun aria-hidden />
                ) : (
                  <Monitor aria-hidden />
                )
              }
              keywords={[t('shell.palette.theme', { theme: t(`shell.theme.${theme}`) })]}
              onSelect={run(() => saveSettings({ theme }))}
            >
              {t('shell.palette.theme', { theme: t(`shell.theme.${theme}`) })}
            </Item>
          ))}
          <Item
            value="language-en"
            icon={<Languages aria-hidden />}
            keywords={['English', 'language']}
            onSelect={run(() => saveSettings({ language: 'en' }))}
          >
            <span lang="en">English</span>
          </Item>
          <Item
            value="language-zh"
            icon={<Languages aria-hidden />}
            keywords={['中文', '语言', 'Chinese']}
            onSelect={run(() => saveSettings({ language: 'zh' }))}
          >
            <span lang="zh-CN">简体中文</span>
          </Item>
        </Command.Group>
      </Command.List>
    </Command>
  )
}
