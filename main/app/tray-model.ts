import type { Language } from '../host/confirm-text.ts'

export interface TrayState {
  vault: 'missing' | 'locked' | 'unlocked' | 'unknown'
  node: 'starting' | 'running' | 'paused' | 'stopped'
  approvals: number
}

export type TrayAction = 'open' | 'approvals' | 'pause' | 'resume' | 'lock' | 'quit'
export interface TrayItem {
  label: string
  /** Absent: a line that only informs. */
  action?: TrayAction
  separatorBefore?: boolean
}

const TEXT = {
  en: {
    starting: 'Node: starting',
    running: 'Node: running',
    paused: 'Node: paused',
    stopped: 'Node: not running',
    approvals: (n: number) => (n === 1 ? '1 approval waiting' : `${n} approvals waiting`),
    open: 'Open Enigma Vault',
    pause: 'Pause the node (it serves nobody; your deposit stays)',
    resume: 'Resume the node',
    lock: 'Lock the vault',
    quit: 'Quit',
  },
  zh: {
    starting: '节点：正在启动',
    running: '节点：运行中',
    paused: '节点：已暂停',
    stopped: '节点：未运行',
    approvals: (n: number) => `${n} 个请求等待批准`,
    open: '打开 Enigma Vault',
    pause: '暂停节点（不再为他人服务，押金保留）',
    resume: '恢复节点',
    lock: '锁定保险库',
    quit: '退出',
  },
} as const

/** The tray's menu for a state. */
export function trayMenu(state: TrayState, language: Language): TrayItem[] {
  const text = TEXT[language]
  const items: TrayItem[] = [{ label: text[state.node] }]
  if (state.approvals > 0) items.push({ label: text.approvals(state.approvals), action: 'approvals' })
  items.push({ label: text.open, action: 'open', separatorBefore: true })
  if (state.node === 'running') items.push({ label: text.pause, action: 'pause' })
  if (state.node === 'paused') items.push({ label: text.resume, action: 'resume' })
  if (state.vault === 'unlocked') items.push({ label: text.lock, action: 'lock' })
  items.push({ label: text.quit, action: 'quit', separatorBefore: true })
  return items
}

/** The tooltip: state, and what waits. */
export function trayTitle(state: TrayState, language: Language): string {
  const text = TEXT[language]
  const waiting = state.approvals > 0 ? ` · ${text.approvals(state.approvals)}` : ''
  return `Enigma Vault · ${text[state.node]}${waiting}`
}
