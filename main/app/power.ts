import { powerMonitor } from 'electron'

/** Calls `lock` when the system sleeps, its screen is locked, or the user changes; within a second. */
export function lockWithSystem(lock: () => void): void {
  const events = ['suspend', 'lock-screen', 'shutdown', 'user-did-resign-active'] as const
  for (const event of events) powerMonitor.on(event as 'suspend', lock)
}
